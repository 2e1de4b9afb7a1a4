/** Performance as asked of a living engine: the ledger's, with the day rule and the capital that apply. */
import type { PerformanceQuery, PerformanceResult, TrackResult } from '../core/domain/bodies';
import { limits } from '../core/domain/limits';
import { currentVersion } from '../core/domain/strategy';
import type { AssetType } from '../core/domain/tick';
import { dailyReturns } from '../core/market/daily-returns';
import { dayRuleOf } from '../core/performance/day-rule';
import { ledgerView } from '../core/performance/ledger';
import { newMetricsOf, type PerformanceOptions, performanceOf } from '../core/performance/performance';
import type { CoreState } from '../core/state';
import type { Clock } from './ports';
import { requireRecord } from './strategy-commands';

export interface PerformanceQueries {
  performance(strategyId: string | null, query?: PerformanceQuery): PerformanceResult;
  /** What one tracked execution is answered with. */
  metricsOf(strategyId: string): Pick<TrackResult, 'newMetrics' | 'reasons'>;
}

interface Answered {
  readonly ledger: CoreState['ledger'];
  readonly logSeq: number;
  readonly asOfMs: number;
  readonly answer: Pick<TrackResult, 'newMetrics' | 'reasons'>;
}

/** Metrics that depend on the time do not change within it. */
const sameMomentMs = 50;

export function createPerformance(core: CoreState, clock: Clock): PerformanceQueries {
  /** Callers whose executions were written together are answered after all of them are folded: with one computation. */
  const answered = new Map<string, Answered>();

  function options(strategyId: string | null): PerformanceOptions {
    const asOfMs = clock.nowMs();
    if (strategyId === null) {
      const all = [...core.strategies.keys()].flatMap(assetTypesOf);
      return { dayRule: dayRuleOf(all), capital: core.settings.capital, asOfMs };
    }
    const record = requireRecord(core, strategyId);
    const capital = record.capital ?? core.settings.capital;
    return { dayRule: dayRuleOf(assetTypesOf(strategyId)), capital, registeredMs: record.registeredMs, asOfMs };
  }

  /** What it says it trades, else what it was fed. */
  function assetTypesOf(strategyId: string): AssetType[] {
    const record = core.records.byId.get(strategyId);
    if (record === undefined) return [];
    const { assetTypes, symbols } = currentVersion(record);
    if (assetTypes.length > 0) return [...assetTypes];
    const fed = symbols.length > 0 ? symbols : [...core.symbols.keys()].slice(0, 100);
    return fed.flatMap((symbol) => core.symbols.get(symbol)?.assetType ?? []);
  }

  /** Empty for a symbol that was never heard of: then there is nothing to compare, which the reasons say. */
  function returnsOf(symbol: string, { dayRule }: PerformanceOptions): ReadonlyMap<number, number> {
    const market = core.symbols.get(symbol.toUpperCase())?.market;
    return market === undefined ? new Map() : dailyReturns(market, dayRule);
  }

  return {
    performance(strategyId, query = {}) {
      const forStrategy = options(strategyId);
      const benchmark = query.benchmark === undefined ? {} : { benchmark: returnsOf(query.benchmark, forStrategy) };
      return performanceOf(ledgerView(core.ledger, strategyId), query, { ...forStrategy, ...benchmark });
    },
    metricsOf(strategyId) {
      const known = answered.get(strategyId);
      const asOfMs = clock.nowMs();
      const { ledger, logSeq } = core;
      if (known?.logSeq === logSeq && known.ledger === ledger && asOfMs - known.asOfMs < sameMomentMs)
        return known.answer;
      const { metrics, reasons } = newMetricsOf(ledgerView(ledger, strategyId), options(strategyId));
      const answer = { newMetrics: metrics, reasons };
      if (answered.size >= limits.strategies) answered.clear();
      answered.set(strategyId, { ledger, logSeq, asOfMs, answer });
      return answer;
    },
  };
}
