/** Where a store is, as the command line names it, and the ways to look at it, hold it, and restore one there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { holdingOwnerLock, openEmbeddedRestore } from './adapters/embedded/embedded-restore';
import { openEmbeddedStore } from './adapters/embedded/store';
import { checkSnapshots } from './adapters/files/snapshot-check';
import { checkTape } from './adapters/files/tape-check';
import { parseRedisUrl } from './adapters/redis/connection';
import { keysOf } from './adapters/redis/keys';
import { openRedisCheck, type RedisAccess } from './adapters/redis/redis-check';
import { holdingLease, openRedisRestore } from './adapters/redis/redis-restore';
import { systemClock } from './adapters/system/clock';
import { createConsoleLogger } from './adapters/system/console-logger';
import { EngineError, valueError } from './core/domain/errors';
import { limits } from './core/domain/limits';
import type { LogEvent } from './core/domain/log-event';
import { enginePattern } from './engine-options';
import type { VerifiableStore } from './live/keeping/verifiable';
import type { Snapshot } from './live/ports';

export type Place =
  | { readonly kind: 'embedded'; readonly path: string }
  | { readonly kind: 'redis'; readonly url: string; readonly name: string; readonly tapeOf: string | null };

/** The options by which a command names one place. */
export interface PlaceOptions {
  readonly data?: string | undefined;
  readonly redis?: string | undefined;
  readonly name?: string | undefined;
}

/** @throws EngineError `ValueError` when they name no place. */
export function placeOf({ data, redis, name }: PlaceOptions): Place {
  if (redis === undefined) {
    if (data === undefined) throw valueError('--data DIR or --redis URL', 'is missing');
    return { kind: 'embedded', path: data };
  }
  try {
    parseRedisUrl(redis);
  } catch {
    // It may hold a password, so it is never repeated.
    throw valueError('--redis', 'must be a redis:// or rediss:// URL');
  }
  if (name === undefined) throw valueError('--name', 'is missing: the name of the engine in Redis');
  if (!enginePattern.test(name)) throw valueError('--name', `must match ${enginePattern.source}`, name);
  return { kind: 'redis', url: redis, name, tapeOf: data ?? null };
}

/** For people, without credentials. */
export function placeText(place: Place): string {
  if (place.kind === 'embedded') return place.path;
  const { host, port } = parseRedisUrl(place.url);
  return `"${place.name}" in the Redis at ${host}:${port}`;
}

const shared = { clock: systemClock, logger: createConsoleLogger({ level: 'silent' }) };

function accessTo({ url, name }: Extract<Place, { kind: 'redis' }>): RedisAccess {
  // One client that runs once: there is no herd whose retries could fall together.
  return { ...shared, url, keys: keysOf(name), random: () => 0.5 };
}

/** Opens it for reading beside whoever runs on it. */
export async function openPlace(place: Place): Promise<VerifiableStore> {
  if (place.kind === 'redis') return overRedis(accessTo(place), place.tapeOf);
  return overEmbedded(place.path);
}

async function overEmbedded(path: string): Promise<VerifiableStore> {
  const { log, close } = await openEmbeddedStore({ ...shared, path, readOnly: true });
  return {
    log,
    versionOf: (aggregate) => log.versionOf(aggregate),
    forgotten: (events) => log.forgotten(events),
    sets: () => checkSnapshots(join(path, 'snapshots')),
    tape: () => checkTape(join(path, 'tape')),
    close,
  };
}

async function overRedis(access: RedisAccess, tapeOf: string | null): Promise<VerifiableStore> {
  const check = await openRedisCheck(access);
  return {
    ...check,
    forgotten: (events) => check.forgotten(events, limits.executionIds),
    // The tape is local to each process; one is looked at where its directory is named.
    tape: () => (tapeOf === null ? nothing() : checkTape(join(tapeOf, 'tape'))),
  };
}

async function* nothing(): AsyncGenerator<never> {}

/** Runs `work` while no engine can lead there. @throws EngineError when one does. */
export async function holding<T>(place: Place, work: () => Promise<T>): Promise<T> {
  if (place.kind === 'redis') return holdingLease(accessTo(place), place.name, work);
  // The lock would make a directory out of a mistyped name.
  if (!existsSync(place.path)) throw new EngineError('NotFoundError', `there is no store at "${place.path}"`);
  return holdingOwnerLock({ ...shared, path: place.path }, work);
}

/** A store being restored: nobody sees it before it takes its place. */
export interface Restoring {
  importEvents(pages: AsyncIterable<readonly LogEvent[]>, events: number): Promise<void>;
  importSnapshot(snapshot: Snapshot): Promise<void>;
  /** What was written, for checking it. */
  open(): Promise<VerifiableStore>;
  takePlace(): Promise<void>;
  close(): Promise<void>;
}

/** Begins to restore there, and runs `work` on it. @throws EngineError `ConflictError` when it is not empty or in use. */
export async function restoringTo<T>(place: Place, work: (target: Restoring) => Promise<T>): Promise<T> {
  if (place.kind === 'embedded') {
    const target = await openEmbeddedRestore({ ...shared, path: place.path });
    return closing({ ...target, open: () => overEmbedded(target.path) }, work);
  }
  const access = accessTo(place);
  return holdingLease(access, place.name, async () => {
    const target = await openRedisRestore(access, place.name);
    return closing({ ...target, open: () => overRedis({ ...access, keys: target.keys }, null) }, work);
  });
}

async function closing<T>(target: Restoring, work: (target: Restoring) => Promise<T>): Promise<T> {
  try {
    return await work(target);
  } finally {
    await target.close();
  }
}
