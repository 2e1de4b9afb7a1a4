/** The event log in Redis: shared by every process of an engine, group-committed by one script. */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent, NewEvent } from '../../core/domain/log-event';
import type { AppendOutcome, Clock, Durability, EventLog, FeedState } from '../../live/ports';
import { createGroupCommit, type GroupCommit } from '../group-commit';
import { appendScript } from './append-script';
import type { RedisConnection } from './connection';
import type { EngineKeys } from './keys';
import { decodeEntry, digestOfId, encodeBody, fieldOf, sealOf, storedEvent } from './log-entry';
import { RecentEvents } from './recent-events';
import { createScript } from './script';

export interface RedisLogOptions {
  readonly connection: RedisConnection;
  readonly keys: EngineKeys;
  readonly clock: Clock;
  readonly durability: () => Durability;
  /** Tells how the connection is, and again whenever that changes. */
  readonly onState: (listener: (state: FeedState, message: string) => void) => void;
  /** Told once, when events are gone that this process has seen and cannot put back. */
  readonly onLost?: (message: string) => void;
  /** Told how many events were put back that Redis had acknowledged and lost. */
  readonly onPutBack?: (events: number) => void;
  /** Ids remembered; default `limits.executionIds`. */
  readonly executionIds?: number;
}

const append = createScript(appendScript);

class RedisEventLog implements EventLog {
  readonly isShared = true;
  readonly durability: () => Durability;
  readonly onState: RedisLogOptions['onState'];
  private readonly connection: RedisConnection;
  private readonly keys: EngineKeys;
  private readonly idsKept: number;
  private readonly group: GroupCommit;
  /** Up to here everything was handed out, so only what comes after is of interest in an answer. */
  private knownSeq = Number.POSITIVE_INFINITY;
  /** Events of others that came with an answer; they are asked for next. */
  private readonly ahead = new Map<number, LogEvent>();
  private readonly recent = new RecentEvents();
  private lost: EngineError | null = null;
  private puttingBack: Promise<void> | null = null;
  private readonly onLost: (message: string) => void;
  private readonly onPutBack: (events: number) => void;
  private closed = false;

  constructor(options: RedisLogOptions) {
    this.connection = options.connection;
    this.keys = options.keys;
    this.durability = options.durability;
    this.onState = options.onState;
    this.onLost = options.onLost ?? (() => {});
    this.onPutBack = options.onPutBack ?? (() => {});
    this.idsKept = options.executionIds ?? limits.executionIds;
    this.group = createGroupCommit({ clock: options.clock, commit: (events) => this.commit(events) });
  }

  async append(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    return this.group.append(events);
  }

  async read(afterSeq: number, limit: number): Promise<readonly LogEvent[]> {
    this.assertOpen();
    const events = this.takeAhead(afterSeq, limit);
    if (events.length === 0)
      for (const entry of await this.entriesAfter(afterSeq, limit)) {
        events.push(this.seen(entry, afterSeq + events.length + 1));
      }
    this.knownSeq = afterSeq + events.length;
    return events;
  }

  async lastSeq(): Promise<number> {
    this.assertOpen();
    const [newest] = await this.call((client) => client.xrevrange(this.keys.log, '+', '-', 'COUNT', 1));
    return newest === undefined ? 0 : Number.parseInt(newest[0], 10);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.group.close();
  }

  /** With the event before them where it is known, so that a log that went back is not taken for one that stands still. */
  private async entriesAfter(afterSeq: number, limit: number): Promise<readonly unknown[]> {
    const { seq, seal } = this.recent.newest;
    const isFirst = seq === 0 && afterSeq > 0;
    const isWitnessed = seq > 0 && seq === afterSeq;
    const from = isWitnessed || isFirst ? afterSeq : afterSeq + 1;
    const count = limit + afterSeq + 1 - from;
    const entries = await this.call((client) => client.xrange(this.keys.log, `${from}-0`, '+', 'COUNT', count));
    const [first] = entries;
    if (isFirst && first !== undefined && first[0] === `${afterSeq}-0`) {
      // A snapshot goes up to it: it is where the events that are remembered begin.
      this.seen(first, afterSeq);
      return entries.slice(1);
    }
    if (!isWitnessed) return entries.slice(0, limit);
    if (first !== undefined && first[0] === `${seq}-0` && first[1][5] === seal) return entries.slice(1);
    await this.putBack();
    return this.entriesAfter(afterSeq, limit);
  }

  private seen(entry: unknown, seq: number): LogEvent {
    const event = decodeEntry(entry, seq);
    const [, flat] = entry as [string, string[]];
    this.recent.add(event, String(flat[5]));
    return event;
  }

  /** Writes again what Redis had acknowledged and came back without, with the numbers and versions that it had. */
  private putBack(): Promise<void> {
    this.puttingBack ??= this.writeAgain().finally(() => {
      this.puttingBack = null;
    });
    return this.puttingBack;
  }

  private async writeAgain(): Promise<void> {
    const [newest] = await this.call((client) => client.xrevrange(this.keys.log, '+', '-', 'COUNT', 1));
    let last = { seq: newest === undefined ? 0 : Number.parseInt(newest[0], 10), seal: newest?.[1][5] ?? '' };
    const gone = this.recent.behind(last.seq, last.seal);
    if (gone === null) throw this.wentBack();
    for (let at = 0; at < gone.length; at += limits.eventsPerAppend) {
      const events = gone.slice(at, at + limits.eventsPerAppend);
      const again = events.map((event) => ({ ...event, expectedVersion: event.aggregateVersion - 1 }));
      const answer = await this.run(again, last, 0, 0);
      // Another process may have put some of them back at the same time: those are known, under the same numbers.
      const isSame = (event: LogEvent, i: number) =>
        Array.isArray(answer) && answer[2 + 3 * i] !== 'c' && answer[3 + 3 * i] === event.seq;
      if (!events.every(isSame)) throw this.wentBack();
      const end = events.at(-1) as LogEvent;
      last = { seq: end.seq, seal: this.recent.sealOf(end.seq) };
    }
    if (gone.length > 0) this.onPutBack(gone.length);
  }

  /** For good: what was folded here is no longer what is stored, so nothing can be added to it and read back. */
  private wentBack(): EngineError {
    const { seq } = this.recent.newest;
    const message = `Redis has lost events that it had acknowledged (event ${seq} is gone): restart this engine to go on with what Redis has kept`;
    if (this.lost === null) {
      this.lost = new EngineError('ConnectionError', message, { retryAfterS: 60 });
      this.onLost(message);
    }
    return this.lost;
  }

  private takeAhead(afterSeq: number, limit: number): LogEvent[] {
    const events: LogEvent[] = [];
    for (let seq = afterSeq + 1; events.length < limit; seq++) {
      const event = this.ahead.get(seq);
      if (event === undefined) break;
      events.push(event);
    }
    for (const seq of this.ahead.keys()) if (seq <= afterSeq + events.length) this.ahead.delete(seq);
    return events;
  }

  private async commit(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    if (this.lost !== null) throw this.lost;
    const knows = this.knownSeq;
    const most = Number.isFinite(knows) ? limits.eventsAhead : 0;
    const answer = await this.run(events, this.recent.newest, most === 0 ? 0 : knows, most);
    if (!Array.isArray(answer) || answer[0] !== 'lost') return this.outcomes(events, answer, knows);
    await this.putBack();
    return this.commit(events);
  }

  /** The script, for a log that still has `witness`. */
  private run(
    events: readonly NewEvent[],
    { seq, seal }: { readonly seq: number; readonly seal: string },
    knows: number,
    most: number,
  ): Promise<unknown> {
    const args: (string | number)[] = [this.idsKept, knows, most, seq, seal];
    for (const event of events) {
      const { id, contentHash, aggregate, expectedVersion, link } = event;
      args.push(digestOfId(id), contentHash, fieldOf(aggregate), expectedVersion ?? '', encodeBody(event));
      args.push(link === undefined ? '' : fieldOf(link.aggregate), link?.version ?? '');
    }
    const { log, ids, versions } = this.keys;
    return this.call((client) => append.run(client, [log, ids, versions], args));
  }

  private outcomes(events: readonly NewEvent[], answer: unknown, knows: number): AppendOutcome[] {
    if (!Array.isArray(answer) || answer.length !== 2 + 3 * events.length || !Array.isArray(answer[1]))
      throw new EngineError('InternalError', 'the script of the log answered something else');
    const [before, others] = answer as [number, unknown[], ...unknown[]];
    others.forEach((entry, i) => {
      if (this.ahead.size < limits.eventsAhead) this.ahead.set(knows + 1 + i, this.seen(entry, knows + 1 + i));
    });
    let last = before;
    const outcomes = events.map((event, i): AppendOutcome => {
      const [kind, a, b] = answer.slice(2 + 3 * i, 5 + 3 * i) as [string, number, number];
      if (kind === 'd') return { kind: 'duplicate', seq: a, sameContent: b === 1 };
      if (kind === 'c') {
        const aggregate = b === 1 && event.link !== undefined ? event.link.aggregate : event.aggregate;
        return { kind: 'conflict', aggregate, aggregateVersion: a };
      }
      last = a;
      const stored = storedEvent(event, a, b);
      this.recent.add(stored, sealOf(a, b, digestOfId(event.id), encodeBody(event)));
      return { kind: 'applied', event: stored };
    });
    // All of the others' came along, so what comes with the next answer begins behind ours.
    if (Number.isFinite(knows) && before <= knows + others.length) this.knownSeq = last;
    return outcomes;
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

  private assertOpen(): void {
    if (this.lost !== null) throw this.lost;
    if (this.closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }
}

/** The event log of one engine in Redis. */
export function createRedisLog(options: RedisLogOptions): EventLog {
  return new RedisEventLog(options);
}
