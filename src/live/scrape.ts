/**
 * Fills the metrics when they are asked for: the engine keeps its own totals anyway, so a tick pays nothing, and a
 * scrape adds what came since the last one.
 */
import { decisionCodes } from '../core/domain/decision';
import { outcomeTotals } from '../core/engine';
import type { CoreState } from '../core/state';
import { settle } from '../core/strategies/evaluate';
import type { Health } from './health';
import type { Intake } from './intake';
import type { MetricCounter, Metrics, Tape } from './ports';

/** Totals of a run that nothing else keeps. */
export interface RunCounters {
  readonly gaps: Map<string, number>;
  rejected: number;
  readonly requests: Map<string, number>;
}

export function createRunCounters(): RunCounters {
  return { gaps: new Map(), rejected: 0, requests: new Map() };
}

export function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export interface ScrapeDeps {
  readonly core: CoreState;
  readonly health: Health;
  readonly intake: Intake;
  readonly tape: Tape;
  readonly metrics: Metrics;
  readonly counters: RunCounters;
  readonly executions: () => number;
  readonly isLeader: () => boolean;
}

export function createScrape(deps: ScrapeDeps): () => Promise<string> {
  const { core, health, intake, tape, metrics, counters } = deps;
  const told = new Map<string, number>();

  function total(counter: MetricCounter, label: string, value: number): void {
    const key = `${counter} ${label}`;
    const before = told.get(key) ?? 0;
    if (value > before) metrics.count(counter, label, value - before);
    told.set(key, Math.max(before, value));
  }

  return () => {
    for (const [outcome, count] of outcomeTotals(core)) if (outcome !== 'held') total('ticks', outcome, count);
    for (const [code, count] of decisionTotals(core)) total('decisions', code, count);
    for (const [source, count] of counters.gaps) total('gaps', source, count);
    for (const [status, count] of counters.requests) total('requests', status, count);
    total('signals', '', core.signalsTotal);
    total('executions', 'counted', deps.executions());
    total('shed', 'conflated', intake.conflatedTicks());
    total('shed', 'tape', tape.health().shed);
    total('shed', 'rejected', counters.rejected);
    for (const alert of health.counts()) total('alerts', alert[0], alert[1]);
    for (const [name, component] of health.components()) metrics.component(name, component.health);
    metrics.gauge('strategies', core.strategies.size);
    metrics.gauge('symbols', core.symbols.size);
    metrics.gauge('intake_ticks', intake.waiting());
    metrics.gauge('log_seq', core.logSeq);
    metrics.gauge('tape_bytes', tape.health().bytes);
    metrics.gauge('leader', deps.isLeader() ? 1 : 0);
    return metrics.text();
  };
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
