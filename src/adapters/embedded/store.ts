import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { asEngineError, EngineError } from '../../core/domain/errors';
import type { Clock, Logger, Snapshots } from '../../live/ports';
import { openFileSnapshots } from '../files/snapshots';
import { createLmdbLog, type LmdbLog } from './lmdb-log';
import { acquireOwnerLock, type OwnerLock } from './owner-lock';

export interface EmbeddedStoreOptions {
  /** Directory of the store; made when missing. Holds the log, the snapshots and the owner's lock. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Reads beside a living owner, and writes nothing. */
  readonly readOnly?: boolean;
  /** Ids remembered; default `limits.executionIds`. */
  readonly executionIds?: number;
}

export interface EmbeddedStore {
  readonly log: LmdbLog;
  readonly snapshots: Snapshots;
  /** Settles within `limits.closeMs`. The lock is kept while a write is still with the disk, so nobody writes beside it. */
  close(): Promise<void>;
}

const unowned: OwnerLock = { isOurs: () => false, release: () => {} };

function unusable(path: string, thrown: unknown): EngineError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new EngineError('ConnectionError', `the store at "${path}" cannot be opened: ${why}`, { cause: thrown });
}

async function openEnvironment(directory: string, readOnly: boolean): Promise<RootDatabase<Buffer, number>> {
  // Only those who use it need its native part.
  const { open } = await import('lmdb');
  return open<Buffer, number>({
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    readOnly,
    // One write is in flight at a time, so a commit that includes its sync costs no throughput and leaves one state.
    overlappingSync: false,
    // Grouping is ours; left on, a failed write also rejects a promise that nobody can hold.
    eventTurnBatching: false,
  });
}

/**
 * The embedded store: an lmdb log, acknowledged when the disk confirmed it, and snapshots in files beside it (lmdb has
 * one writer, so in there a snapshot would keep appends waiting for its whole length). One process owns it; `ConnectionError` when
 * another does, or when it cannot be opened.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const { path, clock, logger } = options;
  const readOnly = options.readOnly ?? false;
  let lock = unowned;
  try {
    if (readOnly && !existsSync(join(path, 'log', 'data.mdb'))) throw new Error('there is none');
    if (!readOnly) {
      mkdirSync(path, { recursive: true });
      lock = await acquireOwnerLock(path, clock);
    }
    const root = await openEnvironment(join(path, 'log'), readOnly);
    const ids = options.executionIds === undefined ? {} : { executionIds: options.executionIds };
    const log = createLmdbLog({ root, clock, logger, readOnly, isOurs: lock.isOurs, ...ids });
    const snapshots = openFileSnapshots({ dir: join(path, 'snapshots'), clock, logger, readOnly });
    return { log, snapshots, close: closing(root, log, snapshots, lock, logger) };
  } catch (thrown) {
    lock.release();
    throw thrown instanceof EngineError ? thrown : unusable(path, thrown);
  }
}

function closing(
  root: RootDatabase<Buffer, number>,
  log: ReturnType<typeof createLmdbLog>,
  snapshots: Snapshots,
  lock: OwnerLock,
  logger: Logger,
): () => Promise<void> {
  let closed: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    const [settled] = await Promise.all([log.drain(), snapshots.close()]);
    const finish = root.close().then(
      () => lock.release(),
      (thrown: unknown) => logger.error('the embedded store did not close', { error: asEngineError(thrown) }),
    );
    if (settled) await finish;
    else logger.warn('closed with a write still with the disk; the store stays locked until it answers');
  };
  return () => {
    closed ??= close();
    return closed;
  };
}
