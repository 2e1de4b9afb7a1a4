/** The commands of one stream and its group. Each rejects as the client does; what blocks goes to its own connection. */
import { limits } from '../../core/domain/limits';
import type { StreamEntry, StreamRefusal } from '../../live/ports';
import type { RedisConnection } from './connection';
import { letterFields, refuseScript } from './dead-letter';
import { entriesOf, type GroupInfo, groupInfoOf, readEntriesOf, type StreamInfo, streamInfoOf } from './stream-replies';

export interface StreamNames {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  readonly rejectedStream: string;
}

/**
 * Drops the oldest entries, unless somebody else has dropped some meanwhile: then the ranks it was reckoned from are old.
 * KEYS stream · ARGV entries gone when it was reckoned, entries to drop.
 */
const trimScript = `
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local is = {}
for i = 1, #info, 2 do is[info[i]] = info[i + 1] end
if is['entries-added'] - is['length'] ~= tonumber(ARGV[1]) then return 0 end
return redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', is['length'] - tonumber(ARGV[2]))`;

const isError = (thrown: unknown, start: string): boolean =>
  thrown instanceof Error && thrown.message.startsWith(start);

export class StreamCommands {
  private readonly names: StreamNames;
  private readonly source: string;
  private readonly commands: RedisConnection;
  private readonly reader: RedisConnection;
  private readonly after: (delayMs: number, callback: () => void) => () => void;
  private cut: (reason: Error) => void = () => {};

  constructor(
    names: StreamNames,
    source: string,
    connections: { readonly commands: RedisConnection; readonly reader: RedisConnection },
    after: (delayMs: number, callback: () => void) => () => void,
  ) {
    this.names = names;
    this.source = source;
    this.commands = connections.commands;
    this.reader = connections.reader;
    this.after = after;
  }

  private call(name: string, ...args: (string | number)[]): Promise<unknown> {
    return this.commands.client.call(name, ...args);
  }

  /**
   * A read that waits for new entries. A connection that is cut leaves its calls without an answer for ever, so this one
   * is ended by `cutRead` and by time.
   */
  private read(name: string, ...args: (string | number)[]): Promise<StreamEntry[]> {
    return new Promise<StreamEntry[]>((resolve, reject) => {
      const cancel = this.after(limits.streamBlockMs + limits.redisReaderSilenceMs, () => {
        reject(new Error('the read was not answered'));
        this.reader.client.stream?.destroy();
      });
      this.cut = (reason) => {
        cancel();
        reject(reason);
      };
      this.reader.client.call(name, ...args).then(
        (reply) => {
          cancel();
          resolve(readEntriesOf(reply));
        },
        (thrown: unknown) => this.cut(thrown instanceof Error ? thrown : new Error(String(thrown))),
      );
    });
  }

  /** The reader's connection is gone. */
  cutRead(reason: string): void {
    this.cut(new Error(reason));
  }

  /** What no consumer of the group was handed yet. */
  readNew(count: number): Promise<StreamEntry[]> {
    const { stream, group, consumer } = this.names;
    const how = ['COUNT', count, 'BLOCK', limits.streamBlockMs, 'STREAMS', stream, '>'];
    return this.read('XREADGROUP', 'GROUP', group, consumer, ...how);
  }

  /** What comes after `after`, without the group. */
  readOn(after: string, count: number): Promise<StreamEntry[]> {
    const from = after === '' ? '0-0' : after;
    return this.read('XREAD', 'COUNT', count, 'BLOCK', limits.streamBlockMs, 'STREAMS', this.names.stream, from);
  }

  /** Entries after `after` and up to `to`, `+` being the last there is; `(` before it leaves it out. */
  async range(after: string, to: string, count: number): Promise<StreamEntry[]> {
    const from = after === '' ? '-' : `(${after}`;
    return entriesOf(await this.call('XRANGE', this.names.stream, from, to, 'COUNT', count));
  }

  /** Makes the group, and the stream, when they are missing; the group then begins with the first entry there is. */
  async createGroup(): Promise<void> {
    try {
      await this.call('XGROUP', 'CREATE', this.names.stream, this.names.group, '0', 'MKSTREAM');
    } catch (thrown) {
      if (!isError(thrown, 'BUSYGROUP')) throw thrown;
    }
  }

  /** Corrects the rank of the group's last entry, which the server miscounts across what was trimmed away. */
  async setRank(deliveredId: string, rank: number): Promise<void> {
    try {
      await this.call('XGROUP', 'SETID', this.names.stream, this.names.group, deliveredId, 'ENTRIESREAD', rank);
    } catch (thrown) {
      // Before Redis 7 there is no such rank.
      if (!isError(thrown, 'ERR')) throw thrown;
    }
  }

  /** `null` when there is no such stream. */
  async streamInfo(): Promise<StreamInfo | null> {
    try {
      return streamInfoOf(await this.call('XINFO', 'STREAM', this.names.stream));
    } catch (thrown) {
      if (isError(thrown, 'ERR no such key')) return null;
      throw thrown;
    }
  }

  /** `null` when there is no such stream or group. */
  async groupInfo(): Promise<GroupInfo | null> {
    try {
      return groupInfoOf(await this.call('XINFO', 'GROUPS', this.names.stream), this.names.group);
    } catch (thrown) {
      if (isError(thrown, 'ERR no such key')) return null;
      throw thrown;
    }
  }

  /** What was handed to any consumer and not acknowledged, from `start` on; now it is ours. */
  async claim(start: string, count: number): Promise<{ readonly next: string; readonly entries: StreamEntry[] }> {
    const { stream, group, consumer } = this.names;
    const reply = await this.call('XAUTOCLAIM', stream, group, consumer, 0, start, 'COUNT', count);
    const [next, entries] = Array.isArray(reply) ? reply : [];
    return { next: typeof next === 'string' ? next : '0-0', entries: entriesOf(entries) };
  }

  async acknowledge(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.call('XACK', this.names.stream, this.names.group, ...ids);
  }

  /** Acknowledges a refused entry and keeps it as a dead letter, once. */
  async keepRefused({ entry, text, reason, attempts }: StreamRefusal, atMs: number): Promise<void> {
    const { stream, group, rejectedStream } = this.names;
    const fields = letterFields({ text, reason, atMs, source: this.source, attempts });
    const kept = String(limits.rejectedStreamEntries);
    await this.commands.client.eval(refuseScript, 2, stream, rejectedStream, group, entry, kept, ...fields);
  }

  /** Drops `drop` of the oldest entries, when `gone` are gone already. */
  async trim(gone: number, drop: number): Promise<void> {
    await this.commands.client.eval(trimScript, 1, this.names.stream, String(gone), String(drop));
  }

  /** The server's clock, ms. */
  async timeMs(): Promise<number> {
    const reply = await this.call('TIME');
    const [seconds, micros] = Array.isArray(reply) ? reply.map(Number) : [];
    return (seconds ?? 0) * 1_000 + Math.floor((micros ?? 0) / 1_000);
  }
}
