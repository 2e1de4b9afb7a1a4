/**
 * Starting is recovering; there is no other start-up code. The newest whole snapshot, then the tape behind it, with the
 * log's events applied where the tape says they were, then what the log has beyond the tape.
 */
import { limits } from '../core/domain/limits';
import type { LogEvent } from '../core/domain/log-event';
import type { SignalDraft } from '../core/domain/signal';
import { advance, isAged, onBatch } from '../core/engine';
import { apply } from '../core/fold';
import { foldVersion, restore } from '../core/snapshot';
import type { CoreState, Effects } from '../core/state';
import { nextTurn } from './next-turn';
import type { Logger, LogReader, Snapshots, Tape, TapeRecord } from './ports';

/** A signal made again, and when it was made at a live door; `null` where order, not time, says what is old. */
export interface Recovered {
  readonly draft: SignalDraft;
  readonly madeMs: number | null;
}

export interface Recovery {
  readonly core: CoreState;
  /** Signals of the replayed stretch. Their ids are known to an output that has them already. */
  readonly signals: readonly Recovered[];
  /** Of these, the ones of the tape's last record: whoever listens in this process may not have had them. */
  readonly unheard: readonly Recovered[];
  /** Of these, the ones of the last few records: whoever hands them on later than it hears them may still have held them. */
  readonly recent: readonly Recovered[];
  readonly replayedRecords: number;
  readonly refusedSnapshots: number;
  /** Position on this tape up to which the snapshot holds the market. */
  readonly fromTape: number;
  /** When the snapshot was taken by a process with another tape; `null` when this tape goes on from it. */
  readonly foreignMs: number | null;
}

const eventsPerRead = 1_000;

/** What recovery reads. */
export interface RecoverDeps {
  /** Makes an empty core; called again when a snapshot turns out to be unreadable. */
  readonly fresh: () => CoreState;
  readonly log: LogReader;
  readonly snapshots: Snapshots;
  readonly tape: Tape;
  readonly tapeId: string;
  readonly logger: Logger;
}

export async function recover(deps: RecoverDeps): Promise<Recovery> {
  return folded(deps, await found(deps));
}

/**
 * The same for an engine that lives: its core becomes what is stored. Signals of the replayed stretch are not told again.
 * @param became told what it was, in the same step of the loop.
 */
export async function makeAnew(
  core: CoreState,
  deps: RecoverDeps,
  became: (before: CoreState) => void,
): Promise<Recovery> {
  const kept = await found(deps);
  const replay = new Replay(kept.core, kept.events);
  const at = await replayed(replay, deps.tape, kept.fromTape);
  // In one step with the end of the tape, so that no market data falls between.
  const recovery = folded(deps, kept, replay, at);
  const before = { ...core };
  Object.assign(core, recovery.core);
  became(before);
  return recovery;
}

/** Nearly up to the end of the tape, leaving the loop its turns. Answers the last position. */
async function replayed(replay: Replay, tape: Tape, fromTape: number): Promise<number> {
  let at = fromTape;
  for (let before = -1; at !== before && tape.lastPosition() - at > limits.recordsPerTurn; ) {
    before = at;
    let taken = 0;
    for (const { position, record } of tape.read(at)) {
      replay.take(record);
      at = position;
      if (++taken % limits.recordsPerTurn === 0) await nextTurn();
    }
  }
  return at;
}

interface Found extends Restored {
  readonly events: readonly LogEvent[];
}

async function found(deps: RecoverDeps): Promise<Found> {
  const restored = await fromSnapshot(deps);
  const { core } = restored;
  return { ...restored, events: await eventsAfter(deps.log, Math.min(core.logSeq, core.ledgerSeq)) };
}

function folded({ tape }: RecoverDeps, kept: Found, replay = new Replay(kept.core, kept.events), at = kept.fromTape) {
  for (const { record } of tape.read(at)) replay.take(record);
  const { core, fromTape, refused, foreignMs } = kept;
  return { core, ...replay.end(), refusedSnapshots: refused, fromTape, foreignMs };
}

interface Restored {
  readonly core: CoreState;
  readonly fromTape: number;
  readonly refused: number;
  readonly foreignMs: number | null;
}

async function fromSnapshot(deps: RecoverDeps): Promise<Restored> {
  const { fresh, snapshots, logger } = deps;
  const { snapshot, refused } = await snapshots.load();
  const anew = { fromTape: 0, refused, foreignMs: null };
  if (snapshot === null) return { core: fresh(), ...anew };
  if (snapshot.meta.foldVersion !== foldVersion) {
    logger.warn('the snapshot is of another version; refolding from log and tape', {
      snapshot: snapshot.meta.foldVersion,
      current: foldVersion,
    });
    return { core: fresh(), ...anew };
  }
  const lastSeq = await deps.log.lastSeq();
  if (snapshot.meta.logSeq > lastSeq) {
    logger.error('the log has lost events that the snapshot holds; refolding from what the log has', {
      snapshot: snapshot.meta.logSeq,
      log: lastSeq,
    });
    return { core: fresh(), ...anew, refused: refused + 1 };
  }
  const core = fresh();
  try {
    restore(core, snapshot.chunks);
  } catch (error) {
    logger.error('the snapshot could not be read; refolding from log and tape', { error: String(error) });
    return { core: fresh(), ...anew, refused: refused + 1 };
  }
  const { tapePosition, tapeId, atMs } = snapshot.meta;
  if (tapeId === deps.tapeId) return { core, fromTape: tapePosition, refused, foreignMs: null };
  // Another process wrote it: what it saw since is not on this tape, and what this tape holds may be in it already.
  return { core, fromTape: deps.tape.lastPosition(), refused, foreignMs: atMs };
}

async function eventsAfter(log: LogReader, afterSeq: number): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  let after = afterSeq;
  for (;;) {
    const page = await log.read(after, eventsPerRead);
    events.push(...page);
    if (page.length < eventsPerRead) return events;
    after = (page[page.length - 1] as LogEvent).seq;
  }
}

/** The tape's records on a restored core, with the log's events applied where the tape says they were. */
class Replay {
  private readonly core: CoreState;
  private readonly events: readonly LogEvent[];
  private readonly signals: Recovered[] = [];
  private readonly recent: Recovered[][] = [];
  private unheard: Recovered[] = [];
  private next = 0;
  private records = 0;

  constructor(core: CoreState, events: readonly LogEvent[]) {
    this.core = core;
    this.events = events;
  }

  take(record: TapeRecord): void {
    this.records++;
    this.unheard = [];
    if (record.kind === 'log') {
      this.apply(record.logSeq);
      return;
    }
    const madeMs = madeAt(record);
    this.unheard = again(this.core, record).signals.map((draft) => ({ draft, madeMs }));
    this.signals.push(...this.unheard);
    this.recent.push(this.unheard);
    if (this.recent.length > limits.retoldRecords) this.recent.shift();
  }

  end() {
    this.apply(Number.POSITIVE_INFINITY);
    const { signals, unheard, records } = this;
    return { signals, unheard, recent: this.recent.flat(), replayedRecords: records };
  }

  private apply(upTo: number): void {
    const { core, events } = this;
    while (this.next < events.length && (events[this.next] as LogEvent).seq <= upTo) {
      apply(core, events[this.next++] as LogEvent);
    }
  }
}

type MarketRecord = Exclude<TapeRecord, { readonly kind: 'log' }>;

function again(core: CoreState, record: MarketRecord): Effects {
  return record.kind === 'batch' ? onBatch(core, record.batch) : advance(core, record.timestampMs, record.scope);
}

function madeAt(record: MarketRecord): number | null {
  if (record.kind === 'advance') return record.scope === 'live' ? record.timestampMs : null;
  return isAged(record.batch) ? record.batch.evaluatedMs : null;
}

/** Whether it may still be acted on: catching up never sends old orders. */
export function isFresh({ draft, madeMs }: Recovered, nowMs: number): boolean {
  if (madeMs === null || draft.validUntilMs === null) return true;
  return nowMs - madeMs <= draft.validUntilMs - draft.timestampMs;
}
