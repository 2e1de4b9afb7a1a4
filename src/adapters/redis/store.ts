/** The store in Redis: log, snapshots and lease of one engine over one supervised connection. */
import { EngineError } from '../../core/domain/errors';
import type { Clock, EventLog, Logger, Snapshots } from '../../live/ports';
import { RedisConnection } from './connection';
import { readDurability } from './durability';
import { Fork } from './fork';
import { type EngineKeys, keysOf } from './keys';
import { anyHolder, createRedisLease, type RedisLease } from './lease';
import { LeftOver } from './left-over';
import { LogCommands } from './log-commands';
import { peersFile } from './peers-file';
import { RecallFile } from './recall-file';
import { createRedisLog } from './redis-log';
import { createRedisSnapshots } from './redis-snapshots';
import { parseRedisUrl } from './redis-target';
import { SeenEvents } from './seen-events';
import { Settling } from './settling';
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

/** What a store has in its folder, once it is opened. */
interface Folder {
  readonly recall: RecallFile;
  readonly leftOver: LeftOver;
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

interface MemoryParts {
  readonly commands: LogCommands;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly voice: StoreVoice;
  readonly folder: Partial<Folder>;
}

/** What this process has seen of the log, and what becomes of it when the log went on without that. */
function memoryOf({ commands, clock, logger, voice, folder }: MemoryParts) {
  const seen = new SeenEvents({
    commands,
    keep: (entries) => folder.recall?.add(entries),
    onPutBack: (events) => voice.putBack(events),
  });
  const fork = new Fork({
    seen,
    clock,
    logger,
    onForked: (message) => voice.forked(message),
    onLost: (entries) => voice.lost(entries.length, folder.recall?.setAside(entries) ?? null),
    onAnew: () => voice.anew(),
  });
  return { seen, fork };
}

/** Everything of a store but for what its folder keeps; not connected yet. */
function assemble(options: RedisStoreOptions, folder: Partial<Folder>) {
  const { clock, logger, url, random, engineName, dir, onReconnect, holder = anyHolder() } = options;
  const keys = keysOf(engineName);
  const voice = new StoreVoice(logger);
  const readSettings = async () => voice.found(await readDurability(connection.client, dir !== undefined));
  const connection: RedisConnection = new RedisConnection({
    url,
    key: keys.lease,
    role: 'commands',
    clock,
    logger,
    random,
    ...(onReconnect === undefined ? {} : { onReconnect }),
    onReady() {
      void readSettings();
      settling.back();
    },
    onState(state, message) {
      if (state === 'down') settling.lost();
      const refusal = state === 'up' ? settling.refusal() : null;
      // Not before it may be written to again.
      if (refusal === null) voice.tell(state, message);
      else voice.tell('connecting', refusal.message);
    },
  });
  const shared = { connection, keys, clock, logger };
  const commands = new LogCommands(connection, keys, options.executionIds);
  const { seen, fork } = memoryOf({ commands, clock, logger, voice, folder });
  const log = createRedisLog({
    commands,
    seen,
    fork,
    clock,
    durability: () => voice.durability(),
    onState: (listener) => voice.add(listener),
    refusal() {
      const refusal = settling.refusal();
      // Why the connection is not there comes first: a silent peer is another code.
      if (refusal === null || connection.state === 'up') return refusal;
      return connection.errorOf(new Error(refusal.message));
    },
  });
  const settling = new Settling({
    ...shared,
    holder,
    async putBack() {
      const shortAt = await log.putBackLost();
      return (await folder.leftOver?.putBack()) ?? shortAt;
    },
    async giveUp() {
      await folder.leftOver?.giveUp();
      if ((await log.putBackLost()) !== null) fork.happened();
    },
    onSettled: () => voice.settled(),
  });
  const lease = createRedisLease({ ...shared, holder, onMembers: (holders) => settling.heard(holders) });
  // A snapshot with events that the log has not would be taken for what the log says.
  const fence = () => ((fork.refusal ?? settling.refusal()) === null ? lease.fence() : null);
  const snapshots = createRedisSnapshots({ ...shared, fence });
  return { keys, voice, connection, commands, seen, log, settling, lease, snapshots, readSettings };
}

/** Keeps the last events here from now on; what the last life of this process has left of them is to be put back. */
async function openFolder(
  { connection, commands, keys, voice, settling, seen }: ReturnType<typeof assemble>,
  options: RedisStoreOptions & { readonly dir: string },
): Promise<Folder> {
  const { dir, clock, logger } = options;
  const of = await identityOf(connection, keys, options);
  settling.remembering(peersFile(dir, of, logger));
  const recall = new RecallFile({ dir, of, clock, logger, onProblem: (problem) => voice.cannotKeep(problem) });
  const leftOver = new LeftOver({
    commands,
    found: recall.take(),
    onPutBack: (events) => voice.putBack(events),
    async onLost(lost) {
      voice.lost(lost.length, recall.setAside(lost));
      await seen.recallLast();
    },
  });
  return { recall, leftOver };
}

/**
 * Opens the store. @throws EngineError `ConnectionError` or `TimeoutError` when Redis does not answer now, `ValueError`
 * for a URL that is none.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const folder: Partial<Folder> = {};
  const parts = assemble(options, folder);
  const { connection, log, settling, snapshots, lease } = parts;
  const { dir } = options;
  try {
    await connection.start();
    await log.lastSeq();
    await assertWhole(connection, parts.keys, options.engineName);
    if (dir !== undefined) Object.assign(folder, await openFolder(parts, { ...options, dir }));
    await settling.begin();
    await parts.seen.recallLast();
    await parts.readSettings();
  } catch (thrown) {
    folder.recall?.close();
    settling.close();
    await connection.close();
    throw thrown;
  }
  return {
    log,
    snapshots,
    lease,
    async close() {
      await log.close();
      folder.recall?.close();
      settling.close();
      await snapshots.close();
      await lease.close();
      await connection.close();
    },
  };
}
