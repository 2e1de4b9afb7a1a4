/**
 * Starting is recovering; there is no other start-up code. The newest whole snapshot, then the tape behind it, with the
 * log's events applied where the tape says they were, then what the log has beyond the tape.
 */
import { limits } from '../core/domain/limits';
import type { LogEvent } from '../core/domain/log-event';
import type { SignalDraft } from '../core/domain/signal';
import { advance, onBatch } from '../core/engine';
import { apply } from '../core/fold';
import { foldVersion, restore } from '../core/snapshot';
import type { CoreState, Effects } from '../core/state';
import type { EventLog, Logger, Snapshots, Tape, TapeRecord } from './ports';

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
  /** What the snapshot held, in tape and log positions. */
  readonly fromTape: number;
}

const eventsPerRead = 1_000;

/** @param fresh makes an empty core; called again when a snapshot turns out to be unreadable. */
export async function recover(
  fresh: () => CoreState,
  log: EventLog,
  snapshots: Snapshots,
  tape: Tape,
  logger: Logger,
): Promise<Recovery> {
  const { core, fromTape, refused } = await fromSnapshot(fresh, snapshots, logger);
  const events = await eventsAfter(log, Math.min(core.logSeq, core.ledgerSeq));
  const replayed = replay(core, tape, fromTape, events);
  return { core, ...replayed, refusedSnapshots: refused, fromTape };
}

async function fromSnapshot(
  fresh: () => CoreState,
  snapshots: Snapshots,
  logger: Logger,
): Promise<{ core: CoreState; fromTape: number; refused: number }> {
  const { snapshot, refused } = await snapshots.load();
  if (snapshot === null) return { core: fresh(), fromTape: 0, refused };
  if (snapshot.meta.foldVersion !== foldVersion) {
    logger.warn('the snapshot is of another version; refolding from log and tape', {
      snapshot: snapshot.meta.foldVersion,
      current: foldVersion,
    });
    return { core: fresh(), fromTape: 0, refused };
  }
  const core = fresh();
  try {
    restore(core, snapshot.chunks);
  } catch (error) {
    logger.error('the snapshot could not be read; refolding from log and tape', { error: String(error) });
    return { core: fresh(), fromTape: 0, refused: refused + 1 };
  }
  return { core, fromTape: snapshot.meta.tapePosition, refused };
}

async function eventsAfter(log: EventLog, afterSeq: number): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  let after = afterSeq;
  for (;;) {
    const page = await log.read(after, eventsPerRead);
    events.push(...page);
    if (page.length < eventsPerRead) return events;
    after = (page[page.length - 1] as LogEvent).seq;
  }
}

function replay(core: CoreState, tape: Tape, fromTape: number, events: readonly LogEvent[]) {
  const signals: Recovered[] = [];
  let unheard: Recovered[] = [];
  const recent: Recovered[][] = [];
  let next = 0;
  let replayedRecords = 0;
  const upTo = (seq: number) => {
    while (next < events.length && (events[next] as LogEvent).seq <= seq) apply(core, events[next++] as LogEvent);
  };
  for (const { record } of tape.read(fromTape)) {
    replayedRecords++;
    unheard = [];
    if (record.kind === 'log') {
      upTo(record.logSeq);
      continue;
    }
    const madeMs = madeAt(record);
    unheard = again(core, record).signals.map((draft) => ({ draft, madeMs }));
    signals.push(...unheard);
    recent.push(unheard);
    if (recent.length > limits.retoldRecords) recent.shift();
  }
  upTo(Number.POSITIVE_INFINITY);
  return { signals, unheard, recent: recent.flat(), replayedRecords };
}

type MarketRecord = Exclude<TapeRecord, { readonly kind: 'log' }>;

function again(core: CoreState, record: MarketRecord): Effects {
  return record.kind === 'batch' ? onBatch(core, record.batch) : advance(core, record.timestampMs, record.scope);
}

function madeAt(record: MarketRecord): number | null {
  if (record.kind === 'advance') return record.scope === 'live' ? record.timestampMs : null;
  return record.batch.door === 'live' ? record.batch.evaluatedMs : null;
}

/** Whether it may still be acted on: catching up never sends old orders. */
export function isFresh({ draft, madeMs }: Recovered, nowMs: number): boolean {
  if (madeMs === null || draft.validUntilMs === null) return true;
  return nowMs - madeMs <= draft.validUntilMs - draft.timestampMs;
}
