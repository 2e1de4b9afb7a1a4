/** The store in Redis: log, snapshots and lease of one engine over one supervised connection. */
import { EngineError } from '../../core/domain/errors';
import type { Clock, EventLog, Logger, Snapshots } from '../../live/ports';
import { RedisConnection } from './connection';
import { readDurability } from './durability';
import { type EngineKeys, keysOf } from './keys';
import { createRedisLease, type RedisLease } from './lease';
import { LogCommands } from './log-commands';
import { recoverLog } from './put-back';
import { RecallFile } from './recall-file';
import { createRedisLog } from './redis-log';
import { createRedisSnapshots } from './redis-snapshots';
import { parseRedisUrl } from './redis-target';
import { StoreVoice } from './store-voice';

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
  /** Folder of this process alone, in which the last events are kept in case that Redis dies with it. */
  readonly dir?: string;
}

export interface RedisStore {
  readonly log: EventLog;
  readonly snapshots: Snapshots;
  readonly lease: RedisLease;
  close(): Promise<void>;
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

/** In one line: where the log is, and which it is there. */
async function identityOf(connection: RedisConnection, keys: EngineKeys, { url, engineName }: RedisStoreOptions) {
  const { nodes, db } = parseRedisUrl(url);
  const logId = await connection.client.get(keys.logId).catch((thrown: unknown) => {
    throw connection.errorOf(thrown);
  });
  return JSON.stringify({ v: 1, engineName, nodes, db, logId });
}

/** What keeps the last events here; Redis gets back what the last life of this process has left of them. */
async function openRecall(
  connection: RedisConnection,
  commands: LogCommands,
  keys: EngineKeys,
  voice: StoreVoice,
  options: RedisStoreOptions & { readonly dir: string },
): Promise<RecallFile> {
  const { dir, clock, logger } = options;
  const of = await identityOf(connection, keys, options);
  const recall = new RecallFile({ dir, of, clock, logger, onProblem: (problem) => voice.cannotKeep(problem) });
  const found = recall.take();
  try {
    const { putBack, lost } = await recoverLog(commands, found);
    if (putBack > 0) voice.putBack(putBack);
    if (lost.length > 0) voice.lost(lost.length, recall.setAside(lost));
  } catch (error) {
    recall.close();
    throw error;
  }
  return recall;
}

/**
 * Opens the store. @throws EngineError `ConnectionError` or `TimeoutError` when Redis does not answer now, `ValueError`
 * for a URL that is none.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const { clock, logger, url, random, engineName, dir } = options;
  const keys = keysOf(engineName);
  const voice = new StoreVoice(logger);
  const read = async () => voice.found(await readDurability(connection.client, dir !== undefined), connection.state);
  const connection: RedisConnection = new RedisConnection({
    url,
    key: keys.lease,
    role: 'commands',
    clock,
    logger,
    random,
    ...(options.onReconnect === undefined ? {} : { onReconnect: options.onReconnect }),
    onReady: () => void read(),
    onState: (state, message) => voice.tell(state, message),
  });
  await connection.start();
  const shared = { connection, keys, clock, logger };
  const lease = createRedisLease({ ...shared, ...(options.holder === undefined ? {} : { holder: options.holder }) });
  const commands = new LogCommands(connection, keys, options.executionIds);
  let recall: RecallFile | null = null;
  const log = createRedisLog({
    commands,
    clock,
    durability: () => voice.durability(),
    onState: (listener) => voice.add(listener),
    onLost: (message) => voice.isNoMore(message),
    onPutBack: (events) => voice.putBack(events),
    keep: (entries) => recall?.add(entries),
  });
  const snapshots = createRedisSnapshots({ ...shared, fence: () => (voice.isLost ? null : lease.fence()) });
  try {
    await log.lastSeq();
    await assertWhole(connection, keys, engineName);
    if (dir !== undefined) recall = await openRecall(connection, commands, keys, voice, { ...options, dir });
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
      recall?.close();
      await snapshots.close();
      await lease.close();
      await connection.close();
    },
  };
}
