/**
 * The unread entries of a market's streams, split over another number of streams. The old ones are set aside, the new ones
 * are written beside, and take their place when all are whole: whatever stops it, done again it comes to the same.
 */
import { limits } from '../../core/domain/limits';
import { isLaterEntry } from '../../core/domain/tick';
import type { RedisConnection } from './connection';
import type { Connections } from './connections';
import { partitionOf } from './partition';
import { createScript } from './script';
import { hashTagOf } from './slot';

/** A key in the slot of `stream`. */
const beside = (stream: string, what: string): string =>
  hashTagOf(stream) === stream ? `{${stream}}:repartition:${what}` : `${stream}:repartition:${what}`;

const asideOf = (stream: string): string => beside(stream, 'aside');
const stagedOf = (stream: string): string => beside(stream, 'staged');

/** Puts entries behind those of another stream, with their ids where these are later than its last one. */
const appendEntries = `
local function append(entries, from, to)
  local last = '0-0'
  if redis.call('EXISTS', to) == 1 then
    local info = redis.call('XINFO', 'STREAM', to)
    for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
  end
  local lastMs, lastSeq = string.match(last, '^(%d+)-(%d+)$')
  lastMs, lastSeq = tonumber(lastMs), tonumber(lastSeq)
  local ids = {}
  for _, entry in ipairs(entries) do
    local ms, seq = string.match(entry[1], '^(%d+)-(%d+)$')
    ms, seq = tonumber(ms), tonumber(seq)
    if ms > lastMs or (ms == lastMs and seq > lastSeq) then lastMs, lastSeq = ms, seq else lastSeq = lastSeq + 1 end
    redis.call('XADD', to, string.format('%.0f-%.0f', lastMs, lastSeq), unpack(entry[2]))
    ids[#ids + 1] = entry[1]
  end
  redis.call('XDEL', from, unpack(ids))
end`;

/**
 * Sets the stream aside; what came since it was goes behind it.
 * KEYS stream, aside · ARGV entries at most. Answer: how many were put behind; 0 when there are no more.
 */
const setAside = createScript(`${appendEntries}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('RENAME', KEYS[1], KEYS[2])
  return 0
end
local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])
if #entries > 0 then append(entries, KEYS[1], KEYS[2]) end
return #entries`);

/**
 * Puts the new stream in its place; what came meanwhile goes behind it first.
 * KEYS stream, staged · ARGV entries at most. Answer: how many were put behind; 0 when it is in its place.
 */
const takePlace = createScript(`${appendEntries}
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])
if #entries > 0 then
  append(entries, KEYS[1], KEYS[2])
  return #entries
end
redis.call('RENAME', KEYS[2], KEYS[1])
return 0`);

interface Entry {
  readonly id: string;
  readonly fields: readonly string[];
}

/** A stream and the last entry of it that its engine has taken; empty when it took none. */
export interface ReadStream {
  readonly stream: string;
  readonly cursor: string;
}

export interface MovedEntries {
  /** By stream: entries not read yet, as they lay before. */
  readonly unread: readonly number[];
  /** By stream: entries written. */
  readonly written: readonly number[];
}

async function call<T>(connection: RedisConnection, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw connection.errorOf(thrown);
  }
}

async function repeated(
  connection: RedisConnection,
  script: typeof setAside,
  keys: readonly string[],
): Promise<number> {
  let moved = 0;
  for (;;) {
    const count = Number(await call(connection, script.run(connection.client, keys, [limits.pageMax])));
    moved += count;
    if (count === 0) return moved;
  }
}

export class StreamSplit {
  private readonly connections: Connections;

  /** @param connections made for the streams' keys. */
  constructor(connections: Connections) {
    this.connections = connections;
  }

  /** From now on nobody reads it or adds to it; what producers add goes into a new one, and in here when called again. */
  async setAside(stream: string): Promise<void> {
    await repeated(this.connections.of(stream), setAside, [stream, asideOf(stream)]);
  }

  /**
   * Writes the unread entries of `from`, oldest first, beside the streams that they go to. With `isDry` they are only
   * counted, where they lie.
   */
  async stage(from: readonly ReadStream[], to: readonly string[], isDry: boolean): Promise<MovedEntries> {
    const unread = from.map(() => 0);
    const targets = to.map((stream) => new StagedStream(stream, this.connections.of(stream), isDry));
    for (const target of targets) await target.begin();
    for await (const { entry, at } of merged(from.map((one) => this.entriesOf(one, isDry)))) {
      unread[at] = (unread[at] ?? 0) + 1;
      for (const [partition, fields] of partsOf(entry.fields, to.length, at)) {
        await targets[partition]?.add({ id: entry.id, fields });
      }
    }
    for (const target of targets) await target.flush();
    return { unread, written: targets.map(({ count }) => count) };
  }

  /** Answers how many entries came meanwhile. */
  async takePlace(stream: string): Promise<number> {
    return repeated(this.connections.of(stream), takePlace, [stream, stagedOf(stream)]);
  }

  async removeAside(stream: string): Promise<void> {
    const connection = this.connections.of(stream);
    await call(connection, connection.client.unlink(asideOf(stream)));
  }

  /** Entries of a stream that no engine reads any more. */
  async length(stream: string): Promise<number> {
    const connection = this.connections.of(stream);
    return call(connection, connection.client.xlen(stream));
  }

  private async *entriesOf({ stream, cursor }: ReadStream, isDry: boolean): AsyncGenerator<Entry> {
    const connection = this.connections.of(stream);
    const isAside = !isDry || (await call(connection, connection.client.exists(asideOf(stream)))) === 1;
    const key = isAside ? asideOf(stream) : stream;
    let after = cursor;
    for (;;) {
      const from = after === '' ? '-' : `(${after}`;
      const page = await call(connection, connection.client.xrange(key, from, '+', 'COUNT', limits.pageMax));
      for (const [id, fields] of page) yield { id, fields };
      const last = page.at(-1);
      if (last === undefined || page.length < limits.pageMax) return;
      after = last[0];
    }
  }
}

/** One of the new streams while it is written. */
class StagedStream {
  count = 0;
  private readonly key: string;
  private readonly connection: RedisConnection;
  private readonly isDry: boolean;
  private waiting: Entry[] = [];
  private last = '0-0';

  constructor(stream: string, connection: RedisConnection, isDry: boolean) {
    this.key = stagedOf(stream);
    this.connection = connection;
    this.isDry = isDry;
  }

  /** What an earlier attempt wrote is written again. */
  async begin(): Promise<void> {
    if (!this.isDry) await call(this.connection, this.connection.client.unlink(this.key));
  }

  async add({ id, fields }: Entry): Promise<void> {
    this.count++;
    if (this.isDry) return;
    // Two streams may have used one id; the time in it stays, since the age of data is told by it.
    this.last = isLaterEntry(id, this.last) ? id : nextId(this.last);
    this.waiting.push({ id: this.last, fields });
    if (this.waiting.length >= limits.pageMax) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.connection.client.pipeline();
    for (const { id, fields } of this.waiting.splice(0)) batch.xadd(this.key, id, ...fields);
    if (batch.length === 0) return;
    for (const [error] of (await call(this.connection, batch.exec())) ?? [])
      if (error) throw this.connection.errorOf(error);
  }
}

function nextId(id: string): string {
  const [ms = '0', seq = '0'] = id.split('-');
  return `${ms}-${BigInt(seq) + 1n}`;
}

/** The entries of several streams in the order of their ids. */
async function* merged(streams: readonly AsyncGenerator<Entry>[]): AsyncGenerator<{ entry: Entry; at: number }> {
  const heads = await Promise.all(streams.map((stream) => stream.next()));
  for (;;) {
    let at = -1;
    let first: Entry | null = null;
    for (const [i, head] of heads.entries()) {
      if (head.done === true) continue;
      if (first === null || isLaterEntry(first.id, head.value.id)) {
        first = head.value;
        at = i;
      }
    }
    const stream = streams[at];
    if (first === null || stream === undefined) return;
    yield { entry: first, at };
    heads[at] = await stream.next();
  }
}

/** What of an entry goes where. One that is no market data goes where it would have been refused anyway. */
function partsOf(fields: readonly string[], partitions: number, at: number): Map<number, readonly string[]> {
  const whole = (partition: number) => new Map([[partition, fields]]);
  const dataAt = fields.findIndex((field, i) => i % 2 === 0 && field === 'data');
  const message = dataAt < 0 ? undefined : parsed(fields[dataAt + 1] ?? '');
  const items = itemsOf(message);
  const byPartition = new Map<number, unknown[]>();
  for (const item of items) {
    const { symbol } = (typeof item === 'object' && item !== null ? item : {}) as { readonly symbol?: unknown };
    const partition = typeof symbol === 'string' ? partitionOf(symbol, partitions) : at % partitions;
    byPartition.set(partition, [...(byPartition.get(partition) ?? []), item]);
  }
  const [only] = byPartition.keys();
  if (byPartition.size <= 1) return whole(only ?? at % partitions);
  const parts = new Map<number, readonly string[]>();
  for (const [partition, some] of byPartition) {
    const data = Array.isArray(message) ? some : { ...(message as object), market_data: some };
    parts.set(partition, fields.with(dataAt + 1, JSON.stringify(data)));
  }
  return parts;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function itemsOf(message: unknown): readonly unknown[] {
  if (typeof message !== 'object' || message === null) return [];
  if (Array.isArray(message)) return message;
  const data = (message as { readonly market_data?: unknown }).market_data;
  if (data === undefined) return [message];
  return Array.isArray(data) ? data : [data];
}
