import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../../core/domain/errors';
import type { LogEvent } from '../../core/domain/log-event';
import type { Clock, Logger, Snapshot } from '../../live/ports';
import { snapshotFs } from '../files/fs-port';
import { acquireOwnerLock } from './owner-lock';
import { type EmbeddedStore, openEmbeddedStore } from './store';

export interface EmbeddedAccess {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface EmbeddedRestore {
  /** Where it lies until it takes its place. */
  readonly path: string;
  importEvents(pages: AsyncIterable<readonly LogEvent[]>): Promise<void>;
  importSnapshot(snapshot: Snapshot): Promise<void>;
  takePlace(): Promise<void>;
  /** Ends it; what did not take its place is removed. */
  close(): Promise<void>;
}

/** Owns the store while `work` runs. @throws `ConnectionError` when a process has it. */
export async function holdingOwnerLock<T>({ path, clock }: EmbeddedAccess, work: () => Promise<T>): Promise<T> {
  const lock = await acquireOwnerLock(path, clock);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/**
 * A store put into a directory as it was elsewhere: written into one beside it, which takes its name when it is whole.
 * @throws `ConflictError` when there is anything in the directory.
 */
export async function openEmbeddedRestore({ path, clock, logger }: EmbeddedAccess): Promise<EmbeddedRestore> {
  const notEmpty = () => new EngineError('ConflictError', `"${path}" is not empty; nothing was restored`);
  const isEmpty = () => !existsSync(path) || readdirSync(path).length === 0;
  if (!isEmpty()) throw notEmpty();
  const beside = `${path}.restoring`;
  mkdirSync(beside, { recursive: true });
  // What a restore that was killed left behind; one that lives keeps its lock.
  await holdingOwnerLock({ path: beside, clock, logger }, async () => {
    for (const part of ['log', 'snapshots']) rmSync(join(beside, part), { recursive: true, force: true });
  });
  const store: EmbeddedStore = await openEmbeddedStore({ path: beside, clock, logger });
  return {
    path: beside,
    importEvents: (pages) => store.log.importEvents(pages),
    importSnapshot: ({ meta, chunks }) => {
      const list = [...chunks].map(([name, bytes]) => ({ name, bytes }));
      return store.snapshots.save(meta, list, []);
    },
    async takePlace() {
      await store.close();
      if (!isEmpty()) throw notEmpty();
      if (existsSync(path)) rmdirSync(path);
      renameSync(beside, path);
      await snapshotFs.syncDir(dirname(path));
    },
    async close() {
      await store.close();
      rmSync(beside, { recursive: true, force: true });
    },
  };
}
