/** The event log in Redis: shared by every process of an engine, group-committed by one script. */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent, NewEvent } from '../../core/domain/log-event';
import type { AppendOutcome, Clock, Durability, EventLog, FeedState, LogReader } from '../../live/ports';
import { storedEvent } from '../append-plan';
import { createGroupCommit, type GroupCommit } from '../group-commit';
import type { Fork } from './fork';
import { type CodedEvent, codedEvent, type LogCommands } from './log-commands';
import { decodeEntry, eventOf, sealOf } from './log-entry';
import type { SeenEvents } from './seen-events';

export interface RedisLogOptions {
  readonly commands: LogCommands;
  readonly seen: SeenEvents;
  readonly fork: Fork;
  readonly clock: Clock;
  readonly durability: () => Durability;
  /** Tells how the connection is, and again whenever that changes. */
  readonly onState: (listener: (state: FeedState, message: string) => void) => void;
  /** Why nothing may be added now; `null` when it may. */
  readonly refusal: () => EngineError | null;
}

export interface RedisLog extends EventLog {
  /**
   * Writes again what this process knows and Redis came back without, as far as it follows on what is there. Answers the end
   * of the log on which nothing else follows, `null` when all is there or given up.
   */
  putBackLost(): Promise<number | null>;
}

class RedisEventLog implements RedisLog {
  readonly isShared = true;
  readonly durability: () => Durability;
  readonly onState: RedisLogOptions['onState'];
  private readonly options: RedisLogOptions;
  private readonly group: GroupCommit;
  /** Up to here everything was handed out, so only what comes after is of interest in an answer. */
  private knownSeq = Number.POSITIVE_INFINITY;
  /** Events of others that came with an answer; they are asked for next. */
  private readonly ahead = new Map<number, LogEvent>();
  private puttingBack: Promise<void> | null = null;
  private closed = false;

  constructor(options: RedisLogOptions) {
    this.options = options;
    this.durability = options.durability;
    this.onState = options.onState;
    this.group = createGroupCommit({ clock: options.clock, commit: (events) => this.commit(events) });
  }

  async append(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    this.assertOpen();
    return this.group.append(events);
  }

  async read(afterSeq: number, limit: number): Promise<readonly LogEvent[]> {
    this.assertOpen();
    return this.readOn(afterSeq, limit);
  }

  async lastSeq(): Promise<number> {
    this.assertOpen();
    return this.endSeq();
  }

  onForked(makeAnew: (log: LogReader) => Promise<void>): void {
    const reader: LogReader = {
      read: (afterSeq, limit) => this.readOn(afterSeq, limit),
      lastSeq: () => this.endSeq(),
    };
    this.options.fork.use(async () => {
      this.ahead.clear();
      this.knownSeq = Number.POSITIVE_INFINITY;
      await makeAnew(reader);
    });
  }

  async putBackLost(): Promise<number | null> {
    const { seen, fork } = this.options;
    if (fork.refusal !== null) return null;
    const { forks } = fork;
    const { log, end } = await seen.putBack();
    // One that has happened meanwhile is of what was seen before.
    if (forks !== fork.forks) return null;
    if (log === 'short') return end;
    if (log === 'other') fork.happened();
    return null;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.options.fork.close();
    await this.group.close();
  }

  private async readOn(afterSeq: number, limit: number): Promise<readonly LogEvent[]> {
    const events = this.takeAhead(afterSeq, limit);
    if (events.length === 0)
      for (const entry of await this.entriesAfter(afterSeq, limit)) {
        events.push(this.seen(entry, afterSeq + events.length + 1));
      }
    this.options.seen.keep();
    this.knownSeq = afterSeq + events.length;
    return events;
  }

  private async endSeq(): Promise<number> {
    return (await this.options.commands.newest()).seq;
  }

  /** With the event before them where it is known, so that one that went back, or another one, is not taken for this log. */
  private async entriesAfter(afterSeq: number, limit: number): Promise<readonly unknown[]> {
    const { commands, seen } = this.options;
    const seal = seen.sealAt(afterSeq);
    const witnesses = seal === undefined ? 0 : 1;
    const entries = await commands.range(afterSeq + 1 - witnesses, limit + witnesses);
    const isOther = ([id, fields]: [string, string[]]) => seen.isOther(Number.parseInt(id, 10), fields[5]);
    const isThere = seal === undefined || entries[0]?.[0] === `${afterSeq}-0`;
    if (isThere && !entries.some(isOther)) return entries.slice(witnesses);
    await this.putBack();
    return this.entriesAfter(afterSeq, limit);
  }

  private seen(given: unknown, seq: number): LogEvent {
    const entry = decodeEntry(given, seq);
    this.options.seen.add(entry);
    return eventOf(entry);
  }

  private putBack(): Promise<void> {
    this.puttingBack ??= this.writeAgain().finally(() => {
      this.puttingBack = null;
    });
    return this.puttingBack;
  }

  /** Rejects unless it is whole again. What others are waited for with is not lost yet. */
  private async writeAgain(): Promise<void> {
    const { fork, refusal } = this.options;
    if ((await this.putBackLost()) !== null) {
      const waiting = refusal();
      if (waiting !== null) throw waiting;
      fork.happened();
    }
    // Asked again after this: a log that is closed or another one would be put back without an end.
    this.assertOpen();
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
    const { commands, seen, fork, refusal } = this.options;
    const why = fork.refusal ?? refusal();
    if (why !== null) throw why;
    const knows = this.knownSeq;
    const most = Number.isFinite(knows) ? limits.eventsAhead : 0;
    const coded = events.map(codedEvent);
    const answer = await commands.append(coded, seen.newest, most === 0 ? 0 : knows, most);
    if (Array.isArray(answer) && answer[0] === 'lost') {
      await this.putBack();
      return this.commit(events);
    }
    const outcomes = this.outcomes(coded, answer, knows);
    seen.keep();
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
      this.options.seen.add({ seq: a, version: b, seal: sealOf(a, b, digest, body), body });
      return { kind: 'applied', event: storedEvent(event, a, b) };
    });
    // All of the others' came along, so what comes with the next answer begins behind ours.
    if (Number.isFinite(knows) && before <= knows + others.length) this.knownSeq = last;
    return outcomes;
  }

  private assertOpen(): void {
    if (this.options.fork.refusal !== null) throw this.options.fork.refusal;
    if (this.closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }
}

/** The event log of one engine in Redis. */
export function createRedisLog(options: RedisLogOptions): RedisLog {
  return new RedisEventLog(options);
}
