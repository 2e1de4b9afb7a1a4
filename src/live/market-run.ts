/**
 * Market data through a living engine: on the tape first, then evaluated, then told. Everything between two awaits is
 * one step, so batches never mix.
 */
import type { MarketDataInput, MarketDataResult, Rejection } from '../core/domain/bodies';
import type { Decision } from '../core/domain/decision';
import { limits } from '../core/domain/limits';
import type { Signal, SignalDraft } from '../core/domain/signal';
import { type EntryPosition, isLaterEntry, type MarketBatch } from '../core/domain/tick';
import { advance, onBatch } from '../core/engine';
import type { Outcome } from '../core/market/market';
import type { CoreState, Effects } from '../core/state';
import { tierBits } from '../core/strategies/evaluate';
import type { Running } from '../core/strategies/running';
import type { EntryOrder } from './entry-order';
import type { Latency, Tier } from './latency';
import type { Listeners } from './listeners';
import { nextTurn } from './next-turn';
import type { Clock, Gap, Metrics, Tape, TapeRecord } from './ports';
import type { Rates } from './rates';
import type { Speaker } from './speaker';

export interface MarketRunDeps {
  readonly core: CoreState;
  readonly tape: Tape;
  readonly clock: Clock;
  readonly listeners: Listeners;
  readonly latency: Latency;
  readonly rates: Rates;
  readonly metrics: Metrics;
  readonly speaker: Speaker;
  readonly gap: (gap: Gap) => void;
  readonly tapeFailed: () => void;
  readonly order: EntryOrder;
  /** Told how many items of a message the border had refused. */
  readonly refused: (count: number) => void;
  /** Told how many ticks went by, for the snapshot that is due. */
  readonly moved: (ticks: number) => void;
}

export interface MarketRun {
  process(input: MarketDataInput): Promise<MarketDataResult>;
  /** One drained batch of the intake. */
  evaluate(batch: Omit<MarketBatch, 'evaluatedMs'>, arrivedAt: number): readonly Signal[];
  advance(timestampMs: number, scope: 'all' | 'live'): MarketDataResult;
  /** Writes what the log applied since the last record, so that a replay applies it at the same place. */
  markLog(): void;
}

/** Why an item of a valid message was not used, for the person who sent it. */
const refusals: Readonly<Partial<Record<Outcome, string>>> = {
  late: 'is older than the watermark of its symbol and source (late)',
  duplicate: 'was seen before (duplicate)',
  off_market: 'is far off the market and nothing confirmed it (off-market)',
  symbol_limit: `is one symbol too many: an engine follows ${limits.symbols}`,
  forming_bar: 'is a bar that is not closed yet',
};

const tierNames: readonly (readonly [number, Tier])[] = [
  [tierBits.fast, 'fast'],
  [tierBits.tactical, 'tactical'],
  [tierBits.strategic, 'strategic'],
];

export function createMarketRun(deps: MarketRunDeps): MarketRun {
  return new TapedRun(deps);
}

class TapedRun implements MarketRun {
  private readonly deps: MarketRunDeps;
  /** What the last life appended after its last record stands nowhere on the tape: the first record says it again. */
  private markedSeq = 0;

  constructor(deps: MarketRunDeps) {
    this.deps = deps;
  }

  async process(input: MarketDataInput): Promise<MarketDataResult> {
    const { clock, core } = this.deps;
    const startedAt = clock.monotonicMs();
    const rejected: Rejection[] = [...input.rejected];
    this.deps.refused(rejected.length);
    const signals: Signal[] = [];
    const decisions: Decision[] = [];
    const applied = new Set<string>();
    let accepted = 0;
    let at = 0;
    for (const batch of partsOf(input, clock.nowMs())) {
      if (at > 0) await nextTurn();
      const { effects, told } = this.run(batch, startedAt);
      signals.push(...told);
      decisions.push(...effects.decisions);
      accepted += effects.accepted;
      for (const { index, outcome } of effects.dropped) rejected.push(refusal(input, at + index, outcome));
      at += batch.items.length;
      for (const symbol of effects.touched) subscribed(core, symbol.market.symbol, applied);
    }
    rejected.sort((a, b) => a.index - b.index);
    return {
      strategiesApplied: applied.size,
      signalsGenerated: signals.length,
      signals,
      decisions,
      ticksAccepted: accepted,
      ticksRejected: rejected.length,
      rejected,
      executionTimeMs: clock.monotonicMs() - startedAt,
    };
  }

  evaluate(batch: Omit<MarketBatch, 'evaluatedMs'>, arrivedAt: number): readonly Signal[] {
    return this.run({ ...batch, evaluatedMs: this.deps.clock.nowMs() }, arrivedAt).told;
  }

  advance(timestampMs: number, scope: 'all' | 'live'): MarketDataResult {
    const { clock, core } = this.deps;
    const startedAt = clock.monotonicMs();
    this.tape({ kind: 'advance', timestampMs, scope });
    const effects = taken(advance(core, timestampMs, scope));
    const signals = this.tell(effects, 0, startedAt);
    const none = { strategiesApplied: 0, ticksAccepted: 0, ticksRejected: 0, rejected: [] };
    const executionTimeMs = clock.monotonicMs() - startedAt;
    return { ...none, signalsGenerated: signals.length, signals, decisions: effects.decisions, executionTimeMs };
  }

  markLog(): void {
    const { core, tape, tapeFailed } = this.deps;
    if (core.logSeq === this.markedSeq) return;
    // A mark that was shed is owed to the next record that is not.
    if (tape.append({ kind: 'log', logSeq: core.logSeq }) === null) tapeFailed();
    else this.markedSeq = core.logSeq;
  }

  /** False when it was shed. */
  private tape(record: TapeRecord): boolean {
    this.markLog();
    const isTaken = this.deps.tape.append(record) !== null;
    if (!isTaken) this.deps.tapeFailed();
    return isTaken;
  }

  private run(batch: MarketBatch, arrivedAt: number): { effects: Effects; told: Signal[] } {
    const { position } = batch;
    if (position !== null && 'entry' in position) this.tapeEntry(batch, position);
    else this.tape({ kind: 'batch', batch });
    const effects = taken(onBatch(this.deps.core, batch));
    return { effects, told: this.tell(effects, batch.items.length, arrivedAt) };
  }

  private tapeEntry(batch: MarketBatch, position: EntryPosition): void {
    const { core, order } = this.deps;
    const { feed, entry } = position;
    const cursor = core.entries.get(feed) ?? '';
    // One that was taken is answered, and leaves no trace.
    if (!isLaterEntry(entry, cursor)) return;
    order.admit(position, cursor);
    const isTaken = this.tape({ kind: 'batch', batch: { ...batch, position: { feed, entry } } });
    if (!isTaken) throw order.refused(position, cursor);
    order.taken(feed);
  }

  /** After the core has spoken: latency, listeners, outputs. */
  private tell(effects: Effects, ticks: number, arrivedAt: number): Signal[] {
    const { clock, listeners, latency, rates, metrics } = this.deps;
    const latencyMs = clock.monotonicMs() - arrivedAt;
    const signals = effects.signals.map((draft) => withLatency(draft, latencyMs));
    for (const [bit, tier] of tierNames) {
      if ((effects.tiers & bit) === 0) continue;
      latency.record(tier, latencyMs);
      metrics.latency(tier, latencyMs);
    }
    rates.ticks(ticks);
    const isTold = this.deps.speaker.say(signals);
    if (isTold && listeners.count('decision') > 0) {
      for (const one of effects.decisions) listeners.emit('decision', one);
    }
    if (isTold) for (const fill of effects.fills) listeners.emit('fill', fill);
    for (const gap of effects.gaps) this.deps.gap({ ...gap, reason: 'sequence numbers are missing' });
    this.deps.moved(ticks);
    return isTold ? signals : [];
  }
}

/** The core reuses its lists, and a listener may feed the engine again before we have read them. */
function taken(effects: Effects): Effects {
  const { signals, decisions, fills, gaps, dropped, touched } = effects;
  return {
    ...effects,
    signals: signals.slice(),
    decisions: decisions.slice(),
    fills: fills.slice(),
    gaps: gaps.slice(),
    dropped: dropped.slice(),
    touched: new Set(touched),
  };
}

/** The parts of a message, each at most one batch long. */
function* partsOf(input: MarketDataInput, nowMs: number): Generator<MarketBatch> {
  const { items, arrivalMs, door, position = null } = input;
  if (position !== null && 'entry' in position) {
    // Whole: an entry is taken or not. One without a valid tick is taken all the same.
    yield { items, arrivalMs, evaluatedMs: Math.max(arrivalMs, nowMs), door, position };
    return;
  }
  const isWhole = items.length <= limits.ticksPerBatch;
  for (let at = 0; at < items.length; at += limits.ticksPerBatch) {
    yield {
      items: isWhole ? items : items.slice(at, at + limits.ticksPerBatch),
      arrivalMs,
      evaluatedMs: arrivalMs,
      door,
      position: position && { ...position, row: position.row + at },
    };
  }
}

/** A draft with its latency, in whole microseconds. */
export function withLatency(draft: SignalDraft, latencyMs: number): Signal {
  return { ...draft, latencyMs: Math.round(latencyMs * 1_000) / 1_000 };
}

function refusal(input: MarketDataInput, item: number, outcome: Outcome): Rejection {
  const index = input.indexes[item] ?? item;
  return { index, path: `market_data[${index}]`, message: refusals[outcome] ?? outcome };
}

function subscribed(core: CoreState, name: string, applied: Set<string>): void {
  const symbol = core.symbols.get(name);
  if (symbol === undefined) return;
  const add = (instances: readonly Running[]) => {
    for (const { strategy } of instances)
      if (strategy.version.state === 'active') applied.add(strategy.record.strategyId);
  };
  for (const group of symbol.tickGroups) add(group.instances);
  for (const group of symbol.bars.values()) add(group.instances);
}
