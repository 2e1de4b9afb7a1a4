/** The store in Redis: log, snapshots and lease of one engine over one supervised connection. */
import { EngineError } from '../../core/domain/errors';
import type { Clock, Durability, EventLog, FeedState, Logger, Snapshots } from '../../live/ports';
import { RedisConnection } from './connection';
import { readDurability, unknownDurability } from './durability';
import { type EngineKeys, keysOf } from './keys';
import { createRedisLease, type RedisLease } from './lease';
import { createRedisLog } from './redis-log';
import { createRedisSnapshots } from './redis-snapshots';

export interface RedisStoreOptions {
  readonly url: string;
  /** Names the keys; processes of one name share the engine. */
  readonly engineName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): the jitter of the retries. */
  readonly random: () => number;
  readonly onReconnect?: () => void;
  /** Ids remembered; default `limits.executionIds`. */
  readonly executionIds?: number;
  /** Names this process over its lives. Only where nothing else can bear the same name at the same time. */
  readonly holder?: string;
}

export interface RedisStore {
  readonly log: EventLog;
  readonly snapshots: Snapshots;
  readonly lease: RedisLease;
  close(): Promise<void>;
}

/** Who is told how the connection is; whoever comes later is told the last word. */
class StateTeller {
  private readonly listeners = new Set<(state: FeedState, message: string) => void>();
  private last: readonly [FeedState, string] = ['connecting', 'connecting'];
  isLost = false;

  tell(state: FeedState, message: string): void {
    if (this.isLost) return;
    this.last = [state, message];
    for (const listener of this.listeners) listener(state, message);
  }

  /** The last word: the connection may come and go, but what it leads to is not the store that it was. */
  lost(message: string): void {
    this.tell('down', message);
    this.isLost = true;
  }

  add(listener: (state: FeedState, message: string) => void): void {
    this.listeners.add(listener);
    listener(...this.last);
  }
}

/** Half of it may be as it was and half as it will be. */
async function assertWhole(connection: RedisConnection, keys: EngineKeys, name: string): Promise<void> {
  const isMarked = await connection.client.exists(keys.repartition).catch((thrown: unknown) => {
    throw connection.errorOf(thrown);
  });
  if (isMarked === 0) return;
  const message = `"${name}" is being repartitioned; if that was interrupted, run strategy-engine repartition again`;
  throw new EngineError('ConnectionError', message, { retryAfterS: 1 });
}

/**
 * Opens the store. @throws EngineError `ConnectionError` or `TimeoutError` when Redis does not answer now, `ValueError`
 * for a URL that is none.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const { clock, logger, url, random } = options;
  let durability: Durability = unknownDurability;
  const teller = new StateTeller();
  let putBack = 0;
  const told = (): Durability =>
    putBack === 0
      ? durability
      : {
          ...durability,
          putBackEvents: putBack,
          text: `${putBack} lost events were written again; ${durability.text}`,
        };
  const read = async (): Promise<void> => {
    durability = await readDurability(connection.client);
    if (connection.state === 'up') teller.tell('up', told().text);
  };
  const keys = keysOf(options.engineName);
  const connection: RedisConnection = new RedisConnection({
    url,
    key: keys.lease,
    role: 'commands',
    clock,
    logger,
    random,
    ...(options.onReconnect === undefined ? {} : { onReconnect: options.onReconnect }),
    onReady: () => void read(),
    // Said when it was read what this server keeps: it may be another one, or set otherwise, than before.
    onState: (state, message) => teller.tell(state, state === 'up' ? told().text : message),
  });
  await connection.start();
  const shared = { connection, keys, clock, logger };
  const holder = options.holder === undefined ? {} : { holder: options.holder };
  const lease = createRedisLease({ ...shared, ...holder });
  const ids = options.executionIds === undefined ? {} : { executionIds: options.executionIds };
  const log = createRedisLog({
    ...shared,
    ...ids,
    durability: told,
    onState: (listener) => teller.add(listener),
    onLost: (message) => teller.lost(message),
    onPutBack(events) {
      putBack += events;
      logger.warn('Redis had lost events that it had acknowledged; they were written again', { events });
      teller.tell('up', told().text);
    },
  });
  const snapshots = createRedisSnapshots({ ...shared, fence: () => (teller.isLost ? null : lease.fence()) });
  try {
    await log.lastSeq();
    await assertWhole(connection, keys, options.engineName);
    await read();
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
  return {
    log,
    snapshots,
    lease,
    async close() {
      await log.close();
      await snapshots.close();
      await lease.close();
      await connection.close();
    },
  };
}
