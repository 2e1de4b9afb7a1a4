/**
 * An engine's store put into Redis as it was elsewhere. Everything is written beside the engine's keys and takes their
 * place in one step, so no process ever sees half of it; the engine's lease is held meanwhile.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent } from '../../core/domain/log-event';
import type { Snapshot } from '../../live/ports';
import { versionsAfter } from '../append-plan';
import type { RedisConnection } from './connection';
import { type EngineKeys, restoringKeysOf } from './keys';
import { anyHolder, createRedisLease } from './lease';
import { digestOfId, encodeBody, fieldOf, sealOf } from './log-entry';
import { connectTo, type RedisAccess } from './redis-check';
import { createRedisSnapshots } from './redis-snapshots';
import { createScript } from './script';

/**
 * KEYS written, the log first, then those whose place they take, then that of the log's name · ARGV the log's name.
 * What was not written, because it has taken its place already, stays there.
 */
const renames = `
local count = (#KEYS - 1) / 2
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('SET', KEYS[#KEYS], ARGV[1]) end
for i = 1, count do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('RENAME', KEYS[i], KEYS[count + i]) end
end
return 1`;

const takePlaces = createScript(renames);

/** The same, or 0 and nothing done when there is something in their place. */
const takeFreePlaces = createScript(`
for i = (#KEYS - 1) / 2 + 1, #KEYS - 1 do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
end
${renames}`);

/** What is restored; the lease and what hangs on it belong to the processes that run. */
export const engineKeys = (keys: EngineKeys): string[] => [keys.log, keys.ids, keys.versions, keys.chunks, keys.sets];

export interface RedisRestore {
  /** Where it lies until it takes its place. */
  readonly keys: EngineKeys;
  /** @param events how many will come, of which the last ids are remembered. */
  importEvents(pages: AsyncIterable<readonly LogEvent[]>, events: number): Promise<void>;
  importSnapshot(snapshot: Snapshot): Promise<void>;
  takePlace(): Promise<void>;
  /** Ends it; what did not take its place is removed. */
  close(): Promise<void>;
}

/** Holds the engine of that name while `work` runs. @throws `ConflictError` when a process leads it. */
export async function holdingLease<T>(access: RedisAccess, engineName: string, work: () => Promise<T>): Promise<T> {
  const connection = await connectTo(access);
  const lease = createRedisLease({ ...access, connection, holder: anyHolder() });
  try {
    await lease.start(() => {});
    if (lease.role() !== 'leader')
      throw new EngineError('ConflictError', `a running engine holds "${engineName}" in this Redis; stop it first`);
    return await work();
  } finally {
    await lease.close();
    await connection.close();
  }
}

/** @throws `ConflictError` when there is anything of that engine already. */
export async function openRedisRestore(access: RedisAccess, engineName: string): Promise<RedisRestore> {
  const connection = await connectTo(access);
  const { client } = connection;
  const { logger } = access;
  const target = engineKeys(access.keys);
  const keys = restoringKeysOf(engineName);
  const call = <T>(work: Promise<T>): Promise<T> =>
    work.catch((thrown: unknown) => {
      throw thrown instanceof EngineError ? thrown : connection.errorOf(thrown);
    });
  const notEmpty = () =>
    new EngineError('ConflictError', `"${engineName}" in this Redis is not empty; nothing was restored`);
  const remove = () => call(client.unlink(...engineKeys(keys)));
  try {
    if ((await call(client.exists(...target))) > 0) throw notEmpty();
    await remove();
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    keys,
    async importEvents(pages, events) {
      for await (const page of pages) await call(writeEvents(connection, keys, page, events - limits.executionIds));
    },
    importSnapshot: ({ meta, chunks }) => {
      const list = [...chunks].map(([name, bytes]) => ({ name, bytes }));
      return createRedisSnapshots({ connection, keys, logger }).save(meta, list, [], true);
    },
    async takePlace() {
      if ((await call(placing(client, keys, access.keys, takeFreePlaces))) !== 1) throw notEmpty();
    },
    async close() {
      await remove().catch((error: unknown) => logger.warn('what was restored is left behind', { error }));
      await connection.close();
    },
  };
}

/** Puts what was written beside an engine in its place, as a log of its own. */
export function placing(client: Redis, from: EngineKeys, to: EngineKeys, script = takePlaces): Promise<unknown> {
  return script.run(client, [...engineKeys(from), ...engineKeys(to), to.logId], [randomUUID()]);
}

/** Writes events as they were; of those up to `forgottenTo` the ids are not remembered. */
export async function writeEvents(
  { client }: RedisConnection,
  keys: EngineKeys,
  events: readonly LogEvent[],
  forgottenTo: number,
): Promise<void> {
  const batch = client.pipeline();
  for (const event of events) {
    const { seq, id, aggregateVersion: version, contentHash } = event;
    const digest = digestOfId(id);
    const body = encodeBody(event);
    batch.xadd(keys.log, `${seq}-0`, 'k', digest, 'v', version, 's', sealOf(seq, version, digest, body), 'd', body);
    if (seq > forgottenTo) batch.hset(keys.ids, digest, `${seq} ${contentHash}`);
  }
  for (const [aggregate, version] of versionsAfter(events)) batch.hset(keys.versions, fieldOf(aggregate), version);
  for (const [error] of (await batch.exec()) ?? []) if (error) throw error;
}
