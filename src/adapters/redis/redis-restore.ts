/**
 * An engine's store put into Redis as it was elsewhere. Everything is written beside the engine's keys and takes their
 * place in one step, so no process ever sees half of it; the engine's lease is held meanwhile.
 */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent } from '../../core/domain/log-event';
import type { Snapshot } from '../../live/ports';
import { versionsAfter } from '../append-plan';
import type { RedisConnection } from './connection';
import { type EngineKeys, restoringKeysOf } from './keys';
import { createRedisLease } from './lease';
import { digestOfId, encodeBody, fieldOf, sealOf } from './log-entry';
import { connectTo, type RedisAccess } from './redis-check';
import { createRedisSnapshots } from './redis-snapshots';
import { createScript } from './script';

/** KEYS written, then those whose place they take. Answer: 1 · 0 there is something in their place already. */
const takePlace = createScript(`
local count = #KEYS / 2
for i = 1, count do
  if redis.call('EXISTS', KEYS[count + i]) == 1 then return 0 end
end
for i = 1, count do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('RENAME', KEYS[i], KEYS[count + i]) end
end
return 1`);

/** What is restored; the lease and what hangs on it belong to the processes that run. */
const kept = (keys: EngineKeys): string[] => [keys.log, keys.ids, keys.versions, keys.chunks, keys.sets];

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
  const lease = createRedisLease({ ...access, connection });
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
  const target = kept(access.keys);
  const keys = restoringKeysOf(engineName);
  const call = <T>(work: Promise<T>): Promise<T> =>
    work.catch((thrown: unknown) => {
      throw thrown instanceof EngineError ? thrown : connection.errorOf(thrown);
    });
  const notEmpty = () =>
    new EngineError('ConflictError', `"${engineName}" in this Redis is not empty; nothing was restored`);
  const remove = () => call(client.unlink(...kept(keys)));
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
      for await (const page of pages) await call(write(connection, keys, page, events - limits.executionIds));
    },
    importSnapshot: ({ meta, chunks }) => {
      const list = [...chunks].map(([name, bytes]) => ({ name, bytes }));
      return createRedisSnapshots({ connection, keys, logger }).save(meta, list, [], true);
    },
    async takePlace() {
      if ((await call(takePlace.run(client, [...kept(keys), ...target], []))) !== 1) throw notEmpty();
    },
    async close() {
      await remove().catch((error: unknown) => logger.warn('what was restored is left behind', { error }));
      await connection.close();
    },
  };
}

async function write(
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
