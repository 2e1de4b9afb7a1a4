/**
 * Market data into the streams that engines read, each tick into that of its symbol's partition. A producer's side of the
 * contract: what was not confirmed is handed back, so that it, and nothing else, can be sent again.
 */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import { parseJson } from '../../wire/json';
import { type Connections, type ConnectionsOptions, createConnections } from './connections';
import { assertPartitions, partitionOf, partitionStream } from './partition';

/** `url` is `redis://`, `rediss://`, `redis-cluster://` or `rediss-cluster://`. */
export interface StreamWriterOptions extends ConnectionsOptions {
  /** Default `strategy_engine:input`. */
  readonly stream?: string;
  /** How many streams `<stream>:0` and on there are; absent: one, of that very name. */
  readonly partitions?: number;
  /** Entries kept per stream, about; default `limits.inputStreamWritten`. An engine that reads trims it before. */
  readonly keepEntries?: number;
}

/** A part of a message that Redis did not confirm. After a `TimeoutError` it may be in the stream all the same. */
export interface Unwritten {
  readonly stream: string;
  /** In the form that `write` takes. */
  readonly message: unknown;
  readonly error: EngineError;
}

export interface WriteOutcome {
  /** Ticks confirmed. */
  readonly written: number;
  readonly unwritten: readonly Unwritten[];
}

export interface StreamWriter {
  /** Settles when the first attempt to connect has succeeded or failed; never rejects. */
  start(): Promise<void>;
  /**
   * One message: a tick, an array of ticks, `{market_data: …}`, or the JSON text of such. Parts go out in the order of the
   * calls. Settles within `limits.storeMs` and a little; rejects only for what is no message at all.
   */
  write(message: unknown): Promise<WriteOutcome>;
  close(): Promise<void>;
}

interface Part {
  readonly stream: string;
  readonly items: unknown[];
}

class RedisStreamWriter implements StreamWriter {
  private readonly options: StreamWriterOptions;
  private readonly stream: string;
  private readonly connections: Connections;
  private underWay = 0;

  constructor(options: StreamWriterOptions) {
    const { partitions, stream = 'strategy_engine:input' } = options;
    this.options = options;
    this.stream = stream;
    if (partitions !== undefined) assertPartitions(partitions);
    const streams = Array.from({ length: partitions ?? 1 }, (_, i) => this.nameOf(i));
    this.connections = createConnections(options, streams);
  }

  start(): Promise<void> {
    return this.connections.start();
  }

  async write(message: unknown): Promise<WriteOutcome> {
    const value = typeof message === 'string' ? parseJson(message) : message;
    const parts = this.split(value);
    const outcomes = await Promise.all(parts.map((part) => this.add(part, partMessage(value, part.items))));
    const unwritten = outcomes.filter((outcome) => outcome !== null);
    const written = parts.reduce((sum, { items }, i) => sum + (outcomes[i] === null ? items.length : 0), 0);
    return { written, unwritten };
  }

  close(): Promise<void> {
    return this.connections.close();
  }

  private nameOf(partition: number): string {
    return this.options.partitions === undefined ? this.stream : partitionStream(this.stream, partition);
  }

  /** What names no symbol goes to the first stream, whose engine keeps it as a dead letter. */
  private split(value: unknown): Part[] {
    const parts = new Map<string, Part>();
    for (const item of itemsOf(value)) {
      const { symbol } = (typeof item === 'object' && item !== null ? item : {}) as { readonly symbol?: unknown };
      const { partitions } = this.options;
      const isKnown = typeof symbol === 'string' && partitions !== undefined;
      const stream = this.nameOf(isKnown ? partitionOf(symbol, partitions) : 0);
      const part = parts.get(stream) ?? { stream, items: [] };
      part.items.push(item);
      parts.set(stream, part);
    }
    return [...parts.values()];
  }

  /** Answers what was not written. */
  private async add({ stream }: Part, message: unknown): Promise<Unwritten | null> {
    const connection = this.connections.of(stream);
    if (this.underWay >= limits.streamWrites) {
      const error = new EngineError('ConnectionError', 'too many writes are under way', { retryAfterS: 1 });
      return { stream, message, error };
    }
    this.underWay++;
    try {
      const kept = this.options.keepEntries ?? limits.inputStreamWritten;
      await connection.client.xadd(stream, 'MAXLEN', '~', kept, '*', 'data', JSON.stringify(message));
      return null;
    } catch (thrown) {
      return { stream, message, error: connection.errorOf(thrown) };
    } finally {
      this.underWay--;
    }
  }
}

type Envelope = { readonly market_data?: unknown };

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'market_data' in value;
}

function itemsOf(value: unknown): readonly unknown[] {
  const data = isEnvelope(value) ? value.market_data : value;
  const items = Array.isArray(data) ? data : [data];
  if (items.some((item) => typeof item !== 'object' || item === null) || items.length === 0)
    throw new EngineError('ValueError', 'a message must be a tick, an array of ticks, or an object with market_data');
  if (items.length > limits.ticksPerRequest) {
    const message = `a message must have at most ${limits.ticksPerRequest} ticks, not ${items.length}`;
    throw new EngineError('PayloadTooLargeError', message);
  }
  return items;
}

/** These items in the envelope that they came in. */
function partMessage(value: unknown, items: readonly unknown[]): unknown {
  const data = items.length === 1 ? items[0] : items;
  return isEnvelope(value) ? { ...value, market_data: data } : data;
}

/** A writer of the streams of one input. Throws a `ValueError` for a URL or a number of partitions that is none. */
export function createStreamWriter(options: StreamWriterOptions): StreamWriter {
  return new RedisStreamWriter(options);
}
