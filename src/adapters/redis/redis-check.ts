/** What an engine keeps in Redis, to be looked at beside whoever runs on it: nothing here writes. */
import type { LogEvent } from '../../core/domain/log-event';
import type { Clock, Logger, LogReader, Snapshot } from '../../live/ports';
import { RedisConnection } from './connection';
import type { EngineKeys } from './keys';
import { LogCommands } from './log-commands';
import { decodeEntry, digestOfId, eventOf, fieldOf } from './log-entry';
import { decodeManifest, fieldsOf, joined, type StoredSet } from './snapshot-manifest';

export interface RedisAccess {
  readonly url: string;
  readonly keys: EngineKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): the jitter of the retries. */
  readonly random: () => number;
}

/** A set as it lies in Redis. */
export interface FoundSet {
  readonly name: string;
  readonly chunks: number;
  readonly snapshot: Snapshot | null;
  readonly problem: string | null;
}

export interface RedisCheck {
  readonly log: LogReader;
  versionOf(aggregate: string): Promise<number>;
  forgotten(events: readonly LogEvent[], idsKept: number): Promise<number | null>;
  sets(): AsyncGenerator<FoundSet>;
  close(): Promise<void>;
}

/** Connects, or rejects with what kept it from it. */
export async function connectTo({ url, keys, clock, logger, random }: RedisAccess): Promise<RedisConnection> {
  const connection = new RedisConnection({ url, role: 'commands', key: keys.lease, clock, logger, random });
  await connection.start();
  try {
    await connection.client.ping();
    return connection;
  } catch (thrown) {
    const error = connection.errorOf(thrown);
    await connection.close();
    throw error;
  }
}

export async function openRedisCheck(access: RedisAccess): Promise<RedisCheck> {
  const connection = await connectTo(access);
  const { keys } = access;
  const commands = new LogCommands(connection, keys);
  const log: LogReader = {
    async read(afterSeq, limit) {
      const entries = await commands.range(afterSeq + 1, limit);
      return entries.map((entry, i) => eventOf(decodeEntry(entry, afterSeq + 1 + i)));
    },
    lastSeq: async () => (await commands.newest()).seq,
  };
  return {
    log,
    versionOf: (aggregate) =>
      asked(connection, async ({ client }) => Number((await client.hget(keys.versions, fieldOf(aggregate))) ?? 0)),
    async forgotten(events, idsKept) {
      const digests = events.map(({ id }) => digestOfId(id));
      const known = await asked(connection, ({ client }) => client.hmget(keys.ids, ...digests));
      // Read after: what was let go of meanwhile is older than what is to be remembered now.
      const oldest = (await log.lastSeq()) - idsKept;
      const lost = events.find(({ seq, contentHash }, i) => seq > oldest && known[i] !== `${seq} ${contentHash}`);
      return lost?.seq ?? null;
    },
    sets: () => setsOf(connection, keys),
    close: () => connection.close(),
  };
}

async function asked<T>(connection: RedisConnection, work: (connection: RedisConnection) => Promise<T>): Promise<T> {
  try {
    return await work(connection);
  } catch (thrown) {
    throw connection.errorOf(thrown);
  }
}

/** Every set, newest first. Beside a leader: a set that it removes is left out. */
async function* setsOf(connection: RedisConnection, keys: EngineKeys): AsyncGenerator<FoundSet> {
  const stored = await asked(connection, ({ client }) => client.hgetall(keys.sets));
  const generations = Object.keys(stored).sort((a, b) => Number(b) - Number(a));
  for (const generation of generations) {
    const found = await setOf(connection, keys, generation, stored[generation] ?? '');
    const isThere = async () => (await asked(connection, ({ client }) => client.hexists(keys.sets, generation))) === 1;
    if (found.problem === null || (await isThere())) yield found;
  }
}

async function setOf(
  connection: RedisConnection,
  keys: EngineKeys,
  generation: string,
  manifest: string,
): Promise<FoundSet> {
  const name = `set ${generation}`;
  const set = decodeManifest(manifest, Number(generation));
  if (set === null) {
    return { name, chunks: 0, snapshot: null, problem: `snapshot ${name} is damaged: its checksum does not hold` };
  }
  const chunks = await chunksOf(connection, keys, set);
  if (typeof chunks === 'string') {
    return { name, chunks: set.chunks.size, snapshot: null, problem: `snapshot ${name}: ${chunks}` };
  }
  return { name, chunks: chunks.size, snapshot: { meta: set.meta, chunks }, problem: null };
}

/** The chunks, or which of them is not as it was written. */
async function chunksOf(
  connection: RedisConnection,
  keys: EngineKeys,
  set: StoredSet,
): Promise<Map<string, Uint8Array> | string> {
  const chunks = new Map<string, Uint8Array>();
  for (const [name, chunk] of set.chunks) {
    const parts: (Buffer | null)[] = [];
    // One part at a time: none holds Redis for longer than its block takes.
    for (const field of fieldsOf(name, chunk)) {
      parts.push(await asked(connection, ({ client }) => client.hgetBuffer(keys.chunks, field)));
    }
    const bytes = joined(parts, chunk);
    if (bytes === null) return `chunk "${name}" is damaged or missing`;
    chunks.set(name, bytes);
  }
  return chunks;
}
