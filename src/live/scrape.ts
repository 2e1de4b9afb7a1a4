/**
 * Fills the metrics when they are asked for: the engine keeps its own totals anyway, so a tick pays nothing, and a
 * scrape adds what came since the last one.
 */
import { alertCodes } from '../core/domain/alerts';
import { decisionCodes } from '../core/domain/decision';
import { outcomeTotals } from '../core/engine';
import type { CoreState } from '../core/state';
import { settle } from '../core/strategies/evaluate';
import type { Health } from './health';
import type { Intake } from './intake';
import type { Clock, EventLog, FeedLag, LoopLag, MetricCounter, Metrics, Output, OutputCounters, Tape } from './ports';
import type { Rates } from './rates';
import type { Snapshotter } from './snapshotter';

/** Totals of a run that nothing else keeps. */
export interface RunCounters {
  readonly gaps: Map<string, number>;
  /** How long they were, in ms. */
  readonly gapMs: Map<string, number>;
  rejected: number;
  readonly requests: Map<string, number>;
  /** Of the inputs that are streams, by component. */
  readonly lags: Map<string, FeedLag>;
}

export function createRunCounters(): RunCounters {
  return { gaps: new Map(), gapMs: new Map(), rejected: 0, requests: new Map(), lags: new Map() };
}

export function increment(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** What an input says of how far it is behind, until it is forgotten. */
export function inputReports({ lags }: RunCounters, health: Pick<Health, 'forget'>) {
  return {
    reportLag: (component: string, lag: FeedLag): void => void lags.set(component, lag),
    forget(component: string): void {
      health.forget(component);
      lags.delete(component);
    },
  };
}

export interface ScrapeDeps {
  readonly core: CoreState;
  readonly health: Health;
  readonly intake: Intake;
  readonly tape: Tape;
  readonly log: Pick<EventLog, 'durability'>;
  readonly metrics: Metrics;
  readonly counters: RunCounters;
  readonly outputs: readonly Output[];
  readonly snapshotter: Pick<Snapshotter, 'ageMs'>;
  readonly rates: Pick<Rates, 'errorRate'>;
  readonly clock: Clock;
  readonly startedAt: number;
  readonly lag?: LoopLag;
  readonly executions: () => number;
  readonly isLeader: () => boolean;
}

const durableValue: Readonly<Record<string, number>> = { true: 1, false: 0 };
const healthValue = { excellent: 3, good: 2, degraded: 1, critical: 0 } as const;

type Total = (counter: MetricCounter, label: string, value: number) => void;

export function createScrape(deps: ScrapeDeps): () => Promise<string> {
  const { metrics } = deps;
  const told = new Map<string, number>();
  const shown = new Set<string>();

  const total: Total = (counter, label, value) => {
    const key = `${counter} ${label}`;
    const before = told.get(key);
    // From 0 on: what appears with its first event has no increase that could be seen.
    if (before === undefined || value > before) metrics.count(counter, label, value - (before ?? 0));
    told.set(key, Math.max(before ?? 0, value));
  };

  return () => {
    addTotals(deps, total);
    addOutputs(deps, total);
    addComponents(deps, shown);
    addLevels(deps);
    return metrics.text();
  };
}

function gaugeLags(metrics: Metrics, lags: readonly FeedLag[]): void {
  metrics.gauge(
    'input_lag_entries',
    lags.reduce((sum, lag) => sum + (lag.entries ?? 0), 0),
  );
  metrics.gauge(
    'input_pending_entries',
    lags.reduce((sum, lag) => sum + (lag.pending ?? 0), 0),
  );
  metrics.gauge('input_lag_seconds', Math.max(0, ...lags.map((lag) => lag.ageMs)) / 1_000);
}

function addTotals({ core, health, intake, tape, counters, executions }: ScrapeDeps, total: Total): void {
  for (const [outcome, count] of outcomeTotals(core)) if (outcome !== 'held') total('ticks', outcome, count);
  for (const [code, count] of decisionTotals(core)) total('decisions', code, count);
  for (const source of new Set([...sourcesOf(health), ...counters.gaps.keys()])) {
    total('gaps', source, counters.gaps.get(source) ?? 0);
    total('gap_seconds', source, (counters.gapMs.get(source) ?? 0) / 1_000);
  }
  for (const [status, count] of counters.requests) total('requests', status, count);
  total('signals', '', core.signalsTotal);
  total('executions', 'counted', executions());
  total('shed', 'conflated', intake.conflatedTicks());
  total('shed', 'tape', tape.health().shed);
  total('shed', 'rejected', counters.rejected);
  const alerts = health.counts();
  for (const code of new Set([...Object.keys(alertCodes), ...alerts.keys()]))
    total('alerts', code, alerts.get(code) ?? 0);
}

/** What gaps would be told of. */
function sourcesOf(health: Health): string[] {
  return [...health.components().keys()].filter((name) => name.startsWith('input:')).map((name) => name.slice(6));
}

const outcomes = ['published', 'duplicates', 'shed', 'stale', 'fenced', 'unencodable'] as const;

function addOutputs({ outputs, metrics }: ScrapeDeps, total: Total): void {
  const all = outputs.map((output) => output.counters?.()).filter((counted) => counted !== undefined);
  const sum = (name: keyof OutputCounters) => all.reduce((value, counted) => value + counted[name], 0);
  for (const outcome of outcomes) total('output_signals', outcome, sum(outcome));
  total('dead_letters', 'kept', sum('rejectsKept'));
  total('dead_letters', 'dropped', sum('rejectsDropped'));
  metrics.gauge('signals_waiting', sum('waiting'));
}

/** A door that closed must not go on saying how it was. */
function addComponents({ health, metrics }: ScrapeDeps, shown: Set<string>): void {
  const components = health.components();
  for (const name of shown) {
    if (components.has(name)) continue;
    shown.delete(name);
    metrics.forget(name);
  }
  for (const [name, component] of components) {
    shown.add(name);
    metrics.component(name, component.health);
  }
}

function addLevels(deps: ScrapeDeps): void {
  const { core, health, intake, tape, log, metrics, rates, clock, lag } = deps;
  metrics.gauge('health', healthValue[health.overall(rates.errorRate())]);
  metrics.gauge('uptime_seconds', (clock.monotonicMs() - deps.startedAt) / 1_000);
  metrics.gauge('strategies', core.strategies.size);
  metrics.gauge('symbols', core.symbols.size);
  metrics.gauge('intake_ticks', intake.waiting());
  metrics.gauge('log_seq', core.logSeq);
  metrics.gauge('tape_bytes', tape.health().bytes);
  metrics.gauge('snapshot_age_seconds', deps.snapshotter.ageMs() / 1_000);
  metrics.gauge('durable', durableValue[String(log.durability().survivesStoreKill)] ?? 0.5);
  gaugeLags(metrics, [...deps.counters.lags.values()]);
  metrics.gauge('leader', deps.isLeader() ? 1 : 0);
  if (lag === undefined) return;
  const { p99Ms, maxMs } = lag.take();
  metrics.gauge('event_loop_lag_p99_seconds', p99Ms / 1_000);
  metrics.gauge('event_loop_lag_max_seconds', maxMs / 1_000);
}

function decisionTotals(core: CoreState): Map<string, number> {
  for (const symbol of core.symbols.values()) settle(symbol);
  const sums = new Map<string, number>();
  for (const { log } of core.strategies.values()) {
    decisionCodes.forEach((code, i) => {
      const count = log.counts[i] as number;
      if (count > 0) sums.set(code, (sums.get(code) ?? 0) + count);
    });
  }
  return sums;
}
