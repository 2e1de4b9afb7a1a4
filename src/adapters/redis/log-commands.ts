/** What is asked of a log in Redis: to append by the script, and to tell its entries. */
import { limits } from '../../core/domain/limits';
import type { NewEvent } from '../../core/domain/log-event';
import { appendScript } from './append-script';
import type { RedisConnection } from './connection';
import type { EngineKeys } from './keys';
import { digestOfId, encodeBody, fieldOf } from './log-entry';
import { createScript } from './script';

const append = createScript(appendScript);

/** An event with what is stored of it. */
export interface CodedEvent {
  readonly event: NewEvent;
  readonly digest: string;
  readonly body: string;
}

export const codedEvent = (event: NewEvent): CodedEvent => ({
  event,
  digest: digestOfId(event.id),
  body: encodeBody(event),
});

/** An entry by which a log is recognised; `seq` 0 stands for none. */
export interface Witness {
  readonly seq: number;
  readonly seal: string;
}

const nothing: Witness = { seq: 0, seal: '' };

export class LogCommands {
  private readonly connection: RedisConnection;
  private readonly keys: EngineKeys;
  private readonly idsKept: number;

  constructor(connection: RedisConnection, keys: EngineKeys, idsKept: number = limits.executionIds) {
    this.connection = connection;
    this.keys = keys;
    this.idsKept = idsKept;
  }

  /** The answer of the script as it is, for a log that still has `witness`, with at most that many of the events behind `knows`. */
  append(events: readonly CodedEvent[], { seq, seal }: Witness, knows = 0, most = 0): Promise<unknown> {
    const args: (string | number)[] = [this.idsKept, knows, most, seq, seal];
    for (const { event, digest, body } of events) {
      const { contentHash, aggregate, expectedVersion, link } = event;
      args.push(digest, contentHash, fieldOf(aggregate), expectedVersion ?? '', body);
      args.push(link === undefined ? '' : fieldOf(link.aggregate), link?.version ?? '');
    }
    const { log, ids, versions } = this.keys;
    return this.call((client) => append.run(client, [log, ids, versions], args));
  }

  /** From that number on, as XRANGE has them. */
  range(fromSeq: number, count: number): Promise<[string, string[]][]> {
    return this.call((client) => client.xrange(this.keys.log, `${fromSeq}-0`, '+', 'COUNT', count));
  }

  /** The last one there is, unchecked. */
  async newest(): Promise<Witness> {
    const [newest] = await this.call((client) => client.xrevrange(this.keys.log, '+', '-', 'COUNT', 1));
    return newest === undefined ? nothing : { seq: Number.parseInt(newest[0], 10), seal: newest[1][5] ?? '' };
  }

  private async call<T>(work: (client: RedisConnection['client']) => Promise<T>): Promise<T> {
    const refusal = this.connection.refusal();
    if (refusal !== null) throw refusal;
    try {
      return await work(this.connection.client);
    } catch (thrown) {
      throw this.connection.errorOf(thrown);
    }
  }
}
