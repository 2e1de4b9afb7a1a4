/** The event log in Redis: shared by every process of an engine, group-committed by one script. */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent, NewEvent } from '../../core/domain/log-event';
import type { AppendOutcome, Clock, Durability, EventLog, FeedState } from '../../live/ports';
import { storedEvent } from '../append-plan';
import { createGroupCommit, type GroupCommit } from '../group-commit';
import { type CodedEvent, codedEvent, type LogCommands } from './log-commands';
import { decodeEntry, eventOf, type LogEntry, sealOf } from './log-entry';
import { putBack } from './put-back';
import { RecentEvents } from './recent-events';

export interface RedisLogOptions {
  readonly commands: LogCommands;
  readonly clock: Clock;
  readonly durability: () => Durability;
  /** Tells how the connection is, and again whenever that changes. */
  readonly onState: (listener: (state: FeedState, message: string) => void) => void;
  /** Told once, when events are gone that this process has seen and cannot put back. */
  readonly onLost?: (message: string) => void;
  /** Told how many events were put back that Redis had acknowledged and lost. */
  readonly onPutBack?: (events: number) => void;
  /** Why nothing may be added now; `null` when it may. */
  readonly refusal?: () => EngineError | null;
  /** Keeps what is seen of the log, in order, before anybody is answered; each call is one write. */
  readonly keep?: (entries: readonly LogEntry[]) => void;
}

export interface RedisLog extends EventLog {
  /** Begins to remember with the last events that there are, as many as can be put back. */
  recallLast(): Promise<void>;
  /**
   * Writes again what this process knows and Redis came back without, as far as it follows on what is there. Answers the end
   * of the log on which nothing else follows, `null` when all is there or given up.
   */
  putBackLost(): Promise<number | null>;
  /** The rest will not be put back: nothing is added to this log any more, and `onLost` is told, once. */
  giveUp(): void;
}

class RedisEventLog implements RedisLog {
  readonly isShared = true;
  readonly durability: () => Durability;
  readonly onState: RedisLogOptions['onState'];
  private readonly commands: LogCommands;
  private readonly group: GroupCommit;
  /** Up to here everything was handed out, so only what comes after is of interest in an answer. */
  private knownSeq = Number.POSITIVE_INFINITY;
  /** Events of others that came with an answer; they are asked for next. */
  private readonly ahead = new Map<number, LogEvent>();
  private readonly recent = new RecentEvents();
  /** Seen, and not kept yet. */
  private unkept: LogEntry[] = [];
  private lost: EngineError | null = null;
  private puttingBack: Promise<void> | null = null;
  private readonly onLost: (message: string) => void;
  private readonly onPutBack: (events: number) => void;
  private readonly refusal: () => EngineError | null;
  private readonly keep: (entries: readonly LogEntry[]) => void;
  private closed = false;

  constructor(options: RedisLogOptions) {
    this.commands = options.commands;
    this.durability = options.durability;
    this.onState = options.onState;
    this.onLost = options.onLost ?? (() => {});
    this.onPutBack = options.onPutBack ?? (() => {});
    this.refusal = options.refusal ?? (() => null);
    this.keep = options.keep ?? (() => {});
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
    this.keepSeen();
    this.knownSeq = afterSeq + events.length;
    return events;
  }

  async lastSeq(): Promise<number> {
    this.assertOpen();
    return (await this.commands.newest()).seq;
  }

  async recallLast(): Promise<void> {
    const last = (await this.commands.newest()).seq;
    let next = Math.max(1, last - limits.eventsRecalled + 1);
    while (next <= last) {
      const entries = await this.commands.range(next, limits.eventsPerPage);
      if (entries.length === 0) return;
      for (const given of entries) {
        next = Number.parseInt(given[0], 10) + 1;
        const entry = wholeEntry(given, next - 1);
        if (entry !== null) this.remember(entry);
      }
      this.keepSeen();
    }
  }

  async putBackLost(): Promise<number | null> {
    if (this.lost !== null) return null;
    const { log, events, end } = await putBack(this.commands, this.recent);
    if (events > 0) this.onPutBack(events);
    if (log === 'short') return end;
    if (log === 'other') this.giveUp();
    return null;
  }

  giveUp(): void {
    if (this.lost !== null) return;
    const { seq } = this.recent.newest;
    const message = `Redis has lost events that it had acknowledged (event ${seq} is gone): restart this engine to go on with what Redis has kept`;
    this.lost = new EngineError('ConnectionError', message, { retryAfterS: 60 });
    this.onLost(message);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.group.close();
  }

  /** With the event before them where it is known, so that a log that went back is not taken for one that stands still. */
  private async entriesAfter(afterSeq: number, limit: number): Promise<readonly unknown[]> {
    const { seq, seal } = this.recent.newest;
    if (seq === 0 || seq !== afterSeq) return this.commands.range(afterSeq + 1, limit);
    const entries = await this.commands.range(afterSeq, limit + 1);
    const [first] = entries;
    if (first !== undefined && first[0] === `${seq}-0` && first[1][5] === seal) return entries.slice(1);
    await this.putBack();
    return this.entriesAfter(afterSeq, limit);
  }

  private seen(given: unknown, seq: number): LogEvent {
    const entry = decodeEntry(given, seq);
    this.remember(entry);
    return eventOf(entry);
  }

  private remember(entry: LogEntry): void {
    this.recent.add(entry);
    this.unkept.push(entry);
  }

  private keepSeen(): void {
    if (this.unkept.length === 0) return;
    this.keep(this.unkept);
    this.unkept = [];
  }

  private putBack(): Promise<void> {
    this.puttingBack ??= this.writeAgain().finally(() => {
      this.puttingBack = null;
    });
    return this.puttingBack;
  }

  /** Rejects unless it is whole again. What others are waited for with is not lost yet. */
  private async writeAgain(): Promise<void> {
    if ((await this.putBackLost()) !== null) {
      const waiting = this.refusal();
      if (waiting !== null) throw waiting;
      this.giveUp();
    }
    if (this.lost !== null) throw this.lost;
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
    const refusal = this.lost ?? this.refusal();
    if (refusal !== null) throw refusal;
    const knows = this.knownSeq;
    const most = Number.isFinite(knows) ? limits.eventsAhead : 0;
    const coded = events.map(codedEvent);
    const answer = await this.commands.append(coded, this.recent.newest, most === 0 ? 0 : knows, most);
    if (Array.isArray(answer) && answer[0] === 'lost') {
      await this.putBack();
      return this.commit(events);
    }
    const outcomes = this.outcomes(coded, answer, knows);
    this.keepSeen();
    return outcomes;
  }

  private outcomes(events: readonly CodedEvent[], answer: unknown, knows: number): AppendOutcome[] {
    if (!Array.isArray(answer) || answer.length !== 2 + 3 * events.length || !Array.isArray(answer[1]))
      throw new EngineError('InternalError', 'the script of the log answered something else');
    const [before, others] = answer as [number, unknown[], ...unknown[]];
    others.forEach((entry, i) => {
      if (this.ahead.size < limits.eventsAhead) this.ahead.set(knows + 1 + i, this.seen(entry, knows + 1 + i));
    });
    let last = before;
    const outcomes = events.map(({ event, digest, body }, i): AppendOutcome => {
      const [kind, a, b] = answer.slice(2 + 3 * i, 5 + 3 * i) as [string, number, number];
      if (kind === 'd') return { kind: 'duplicate', seq: a, sameContent: b === 1 };
      if (kind === 'c') {
        const aggregate = b === 1 && event.link !== undefined ? event.link.aggregate : event.aggregate;
        return { kind: 'conflict', aggregate, aggregateVersion: a };
      }
      last = a;
      this.remember({ seq: a, version: b, seal: sealOf(a, b, digest, body), body });
      return { kind: 'applied', event: storedEvent(event, a, b) };
    });
    // All of the others' came along, so what comes with the next answer begins behind ours.
    if (Number.isFinite(knows) && before <= knows + others.length) this.knownSeq = last;
    return outcomes;
  }

  private assertOpen(): void {
    if (this.lost !== null) throw this.lost;
    if (this.closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }
}

/** `null` for a damaged one: whoever reads it is told, here it only ends what can be put back. */
function wholeEntry(given: unknown, seq: number): LogEntry | null {
  try {
    return decodeEntry(given, seq);
  } catch {
    return null;
  }
}

/** The event log of one engine in Redis. */
export function createRedisLog(options: RedisLogOptions): RedisLog {
  return new RedisEventLog(options);
}
