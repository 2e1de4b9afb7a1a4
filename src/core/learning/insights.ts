/**
 * Insights: what the data says, with its numbers, and "undecided" said as such.
 *
 * - **market_regime**: of the symbol asked for; without one, the label most warm symbols share, ties going to the one
 *   with more bars behind it; `unknown` when none is warm.
 * - **optimal_strategies**: among strategies with at least 30 trades, ranked by mean net P&L per trade over its
 *   deviation. Listed are those whose 95 % interval lies above 0, and only if the first is the best, doing nothing
 *   included, with a probability above 0.6; else nothing is listed and the evidence says why.
 * - **performance_trends**: Welch's test of P&L per trade, newer against older half, at 5 %; `unknown` under 60 trades.
 * - **adaptation_recommendations**: sentences, each from a test that came out, with its numbers; none is made up.
 *
 * Trades are those retained one by one, of one mode (real before simulated). Serial dependence is not modelled, and says
 * so among the caveats.
 */
import type { Insights } from '../domain/bodies';
import type { MarketRegime, Regime } from '../domain/regime';
import type { LedgerRow } from '../performance/row';
import type { AuditTrail } from './audit';
import type { Candidate, InsightStrategy, InsightsInput } from './candidate';
import { recommend } from './recommend';
import { bestProbabilities, edgeOf, sampleOf, sampleTrades, tradesIn, trendOf } from './trade-sample';

/** The first must be the best with more than this probability. */
const decidedAbove = 0.6;
const z95 = 1.959963984540054;

export type { InsightStrategy, InsightsInput } from './candidate';

/** Everything at once; pure, so the same state gives the same answer. */
export function insightsOf(input: InsightsInput): Insights {
  const regime = regimeOf(input);
  const candidates = input.strategies.map((strategy) => candidateOf(strategy, input.symbol));
  const ranking = rank(candidates);
  const rows = (input.together.book?.rows ?? []).filter(concerns(input.symbol));
  const values = tradesIn(rows);
  const trend = values === null ? null : trendOf(values);
  const verdict = trend?.verdict ?? 'unknown';
  return {
    marketRegime: regime.label,
    optimalStrategies: ranking.optimal,
    performanceTrends: verdict,
    adaptationRecommendations: recommend(input, regime.label, candidates, trend),
    evidence: {
      regime: regime.evidence,
      optimalStrategies: ranking.evidence,
      performanceTrends: { verdict, test: "Welch's t, newer half against older, two-sided 5 %", ...trend },
      adaptations: auditEvidence(input.audit),
      caveats: caveatsOf(input, candidates, values === null),
      asOf: new Date(input.asOfMs).toISOString(),
    },
  };
}

function concerns(symbol: string | undefined): (row: LedgerRow) => boolean {
  return symbol === undefined ? () => true : (row) => row.symbol === symbol;
}

interface RegimeFinding {
  readonly label: MarketRegime;
  readonly evidence: Readonly<Record<string, unknown>>;
}

function regimeOf({ symbol, regimes }: InsightsInput): RegimeFinding {
  if (symbol !== undefined) {
    const regime = regimes.get(symbol);
    const label = regime?.label ?? 'unknown';
    return { label, evidence: { symbol, ...(regime === undefined ? { followed: false } : told(regime)) } };
  }
  const bars = new Map<MarketRegime, { symbols: number; bars: number }>();
  let shown: readonly [string, Regime] | null = null;
  for (const regime of regimes.values()) {
    if (regime.label === 'unknown') continue;
    const votes = bars.get(regime.label) ?? { symbols: 0, bars: 0 };
    votes.symbols++;
    votes.bars += regime.bars;
    bars.set(regime.label, votes);
  }
  const [first] = [...bars].sort(([, a], [, b]) => b.symbols - a.symbols || b.bars - a.bars);
  const label = first?.[0] ?? 'unknown';
  for (const [name, regime] of regimes) {
    if (regime.label === label && (shown === null || regime.bars > shown[1].bars)) shown = [name, regime];
  }
  const counts = [...bars].map(([of, votes]) => ({ label: of, ...votes }));
  return {
    label,
    evidence: {
      chosenBy: 'most warm symbols',
      symbols: regimes.size,
      labels: counts,
      ...(shown === null ? {} : { symbol: shown[0], ...told(shown[1]) }),
    },
  };
}

function told(regime: Regime): Readonly<Record<string, unknown>> {
  return {
    volatility: { label: regime.volatility, ratio: regime.volatilityRatio },
    trendStrength: { label: regime.trendStrength, t: regime.trendT },
    since: regime.sinceMs === 0 ? null : new Date(regime.sinceMs).toISOString(),
    bars: regime.bars,
    warmupBars: regime.warmupBars,
    warm: regime.bars >= regime.warmupBars,
  };
}

function candidateOf(strategy: InsightStrategy, symbol: string | undefined): Candidate {
  const rows = (strategy.view.book?.rows ?? []).filter(concerns(symbol));
  const values = tradesIn(rows);
  const status = values === null ? 'mixed_currencies' : values.length < sampleTrades ? 'too_few' : 'ranked';
  const sample = sampleOf(values ?? new Float64Array(0));
  return { strategy, rows, sample, status, edge: status === 'ranked' && values !== null ? edgeOf(values) : null };
}

function rank(candidates: readonly Candidate[]) {
  const ranked = candidates
    .flatMap((candidate) => (candidate.edge === null ? [] : [{ candidate, edge: candidate.edge }]))
    .sort((a, b) => b.edge.estimate - a.edge.estimate);
  const probabilities = bestProbabilities(ranked.map(({ edge }) => edge));
  const first = probabilities[0] ?? 0;
  const optimal = first > decidedAbove ? ranked.filter(({ edge }) => lowOf(edge) > 0) : [];
  const rest = candidates.filter((candidate) => candidate.edge === null);
  return {
    optimal: optimal.map(({ candidate }) => candidate.strategy.strategyId),
    evidence: {
      decided: optimal.length > 0,
      why: whyOf(ranked.length, first, optimal.length),
      criterion: 'mean net P&L per trade over its deviation, at least 30 trades, 95 % interval above 0, P(best) > 0.6',
      ranking: [
        ...ranked.map(({ candidate, edge }, i) => ({
          ...aboutOf(candidate),
          pBest: probabilities[i] ?? 0,
          edge: { est: edge.estimate, ci95: [lowOf(edge), edge.estimate + z95 * edge.standardError] },
        })),
        ...rest.map((candidate) => ({ ...aboutOf(candidate), pBest: null, edge: null })),
      ],
    },
  };
}

function lowOf({ estimate, standardError }: { readonly estimate: number; readonly standardError: number }): number {
  return estimate - z95 * standardError;
}

function whyOf(ranked: number, first: number, optimal: number): string {
  if (ranked === 0) return `undecided: no strategy has ${sampleTrades} trades in one currency yet`;
  const chance = `the first is the best with probability ${first.toFixed(2)}`;
  if (first <= decidedAbove) return `undecided: ${chance}, which is not above ${decidedAbove}`;
  return optimal === 0 ? `undecided: ${chance}, but no interval lies above 0` : chance;
}

function aboutOf({ strategy, sample, status }: Candidate) {
  const { strategyId, strategyType } = strategy;
  return { strategyId, strategyType, n: sample.n, meanPnl: sample.n === 0 ? null : sample.mean, status };
}

function auditEvidence(audit: AuditTrail) {
  const all = [...audit.entries.values()];
  const applied = all.filter((entry) => entry.data.stage === 'applied');
  const last = all.at(-1);
  return {
    total: audit.total,
    inForce: applied.filter((entry) => entry.revertedBy === null).length,
    reverted: applied.filter((entry) => entry.revertedBy !== null).length,
    last: last === undefined ? null : last.data.adaptationId,
    frozen: audit.frozen,
  };
}

function caveatsOf(input: InsightsInput, candidates: readonly Candidate[], isMixed: boolean): readonly string[] {
  const few = candidates.filter((candidate) => candidate.status === 'too_few').length;
  const modes = new Set(candidates.filter((one) => one.sample.n > 0).map((one) => one.strategy.view.mode));
  const gone = input.strategies.some(({ view }) => view.book !== null && view.book.baseEnd !== null);
  return [
    'trades are taken as independent of each other',
    ...(few > 0 ? [`${few} of ${candidates.length} strategies have fewer than ${sampleTrades} trades`] : []),
    ...(modes.size > 1 ? ['strategies of different modes (live, paper, shadow) are compared'] : []),
    ...(isMixed ? ['P&L is in several currencies: no trend over all strategies is told'] : []),
    ...(gone ? ['the oldest executions are no longer kept one by one and are not in these tests'] : []),
  ];
}
