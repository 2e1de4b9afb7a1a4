/** Opens what an engine keeps: log, snapshots and tape, wherever its options say. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acquireOwnerLock } from './adapters/embedded/owner-lock';
import { openEmbeddedStore } from './adapters/embedded/store';
import { openTape } from './adapters/files/tape';
import { createMemoryLog } from './adapters/memory/event-log';
import { createMemorySnapshots } from './adapters/memory/snapshots';
import { createMemoryTape } from './adapters/memory/tape';
import { openRedisStore } from './adapters/redis/store';
import type { StoreOptions } from './compose';
import { EngineError } from './core/domain/errors';
import type { Clock, EventLog, Lease, Logger, Metrics, Snapshots, Tape } from './live/ports';

export interface OpenedStore {
  readonly log: EventLog;
  readonly snapshots: Snapshots;
  readonly tape: Tape;
  readonly tapeId: string;
  /** Where several processes can share it. */
  readonly lease?: Lease;
  /** The lease as it stands in Redis while this process holds it. */
  readonly fence?: () => string | null;
  close(): Promise<void>;
}

export interface OpenStoreOptions {
  readonly name: string;
  readonly store: StoreOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly metrics: Metrics;
}

export async function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  const { store, clock, logger } = options;
  if (store.kind === 'redis') return openRedis(options, store);
  if (store.kind === 'memory') {
    const log = createMemoryLog();
    const tape = createMemoryTape();
    return { log, snapshots: createMemorySnapshots(), tape, tapeId: randomUUID(), close: () => log.close() };
  }
  const { log, snapshots, close } = await openEmbeddedStore({ path: store.path, clock, logger });
  try {
    const dir = join(store.path, 'tape');
    const tape = openTape({ dir, clock, logger });
    return { log, snapshots, tape, tapeId: identityOf(dir), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type RedisOptions = Extract<StoreOptions, { readonly kind: 'redis' }>;

async function openRedis(options: OpenStoreOptions, { url, path }: RedisOptions): Promise<OpenedStore> {
  const local = await openLocal(options, path);
  try {
    const { name, clock, logger, random, metrics } = options;
    // Its folder is this process's alone, so a new life of it may take up the lease of the last one.
    const own = path === undefined ? {} : { holder: local.tapeId, dir: path };
    metrics.count('reconnects', 'store', 0);
    const { log, snapshots, lease, close } = await openRedisStore({
      url,
      engineName: name,
      clock,
      logger,
      random,
      onReconnect: () => metrics.count('reconnects', 'store'),
      ...own,
    });
    return {
      ...local,
      log,
      snapshots,
      lease,
      fence: () => lease.fence(),
      async close() {
        await close();
        local.release();
      },
    };
  } catch (error) {
    await local.tape.close();
    local.release();
    throw error;
  }
}

interface Local {
  readonly tape: Tape;
  readonly tapeId: string;
  release(): void;
}

/** What of an engine in Redis lies in this process: its tape; and the last events, which the store keeps there. */
async function openLocal({ clock, logger }: OpenStoreOptions, path: string | undefined): Promise<Local> {
  if (path === undefined) return { tape: createMemoryTape(), tapeId: randomUUID(), release: () => undefined };
  const dir = join(path, 'tape');
  const lock = await locked(path, clock);
  try {
    return { tape: openTape({ dir, clock, logger }), tapeId: identityOf(dir), release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function locked(path: string, clock: Clock) {
  try {
    mkdirSync(path, { recursive: true });
    return await acquireOwnerLock(path, clock);
  } catch (thrown) {
    if (thrown instanceof EngineError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new EngineError('ConnectionError', `the folder "${path}" cannot be used: ${why}`, { cause: thrown });
  }
}

/** A name that a tape has for good, made with it. */
function identityOf(dir: string): string {
  const file = join(dir, 'tape.id');
  try {
    const id = readFileSync(file, 'utf8').trim();
    if (id !== '') return id;
  } catch {
    // It has none yet.
  }
  const id = randomUUID();
  mkdirSync(dir, { recursive: true });
  writeFileSync(file, `${id}\n`);
  return id;
}
