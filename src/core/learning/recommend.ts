/** Recommendations: one sentence for each test that came out, with its numbers. No test, no sentence. */
import type { MarketRegime } from '../domain/regime';
import type { LedgerRow } from '../performance/row';
import type { Candidate, InsightsInput } from './candidate';
import { compare, sampleOf, sampleTrades, type TradeSample, type TrendTest, tradesIn } from './trade-sample';

const z95 = 1.959963984540054;
/** Sentences at the most: a person reads them. */
const mostSentences = 20;

export function recommend(
  input: InsightsInput,
  regime: MarketRegime,
  candidates: readonly Candidate[],
  trend: TrendTest | null,
): readonly string[] {
  const sentences = [...engineWide(input, regime, trend)];
  for (const candidate of candidates) sentences.push(...about(candidate, input, regime));
  return sentences.slice(0, mostSentences);
}

function* engineWide({ audit }: InsightsInput, regime: MarketRegime, trend: TrendTest | null): Iterable<string> {
  if (audit.frozen) {
    const why = audit.frozenReason === '' ? '' : ` (${audit.frozenReason})`;
    yield `Learning is frozen${why}: no parameter will be changed until it is released.`;
  }
  if (regime === 'stress') yield 'The market is in stress: forced adaptation is refused until it is over.';
  if (trend !== null && trend.verdict === 'declining') {
    yield `P&L per trade declined from ${told(trend.older)} to ${told(trend.newer)}: review what changed between the two halves.`;
  }
}

function* about(
  { strategy, rows, sample, edge }: Candidate,
  input: InsightsInput,
  regime: MarketRegime,
): Iterable<string> {
  const { strategyId } = strategy;
  if (edge === null) return;
  if (sample.mean + z95 * sample.standardError < 0) {
    yield `${strategyId} loses ${told(sample)} per trade, with 95 % confidence below 0: pause it, or force a step that lowers its risk.`;
  }
  const here = regime === 'unknown' ? null : sampleIn(rows, (row) => row.regime === regime);
  const elsewhere = sampleIn(rows, (row) => row.regime !== regime);
  if (
    here !== null &&
    here.n >= sampleTrades &&
    here.mean + z95 * here.standardError < 0 &&
    (elsewhere?.mean ?? -1) > 0
  ) {
    yield `${strategyId} loses ${told(here)} per trade in ${regime}, the regime now, and earns elsewhere: lower its risk while it lasts.`;
  }
  yield* aboutAdaptation(strategyId, rows, input);
}

/** Whether trades of the version that the last adaptation made are worse than those of the version before. */
function* aboutAdaptation(strategyId: string, rows: readonly LedgerRow[], { audit }: InsightsInput): Iterable<string> {
  const last = [...audit.entries.values()].findLast(
    ({ data, revertedBy }) => data.strategyId === strategyId && data.stage === 'applied' && revertedBy === null,
  );
  if (last === undefined) return;
  const { adaptationId, fromVersion } = last.data;
  const before = tradesIn(rows.filter((row) => row.version === fromVersion));
  const after = tradesIn(rows.filter((row) => row.version === fromVersion + 1));
  if (before === null || after === null) return;
  const test = compare(before, after);
  if (test.verdict !== 'declining') return;
  yield `Since ${adaptationId}, ${strategyId} makes ${told(test.newer)} per trade after ${told(test.older)}: revert it.`;
}

function sampleIn(rows: readonly LedgerRow[], keep: (row: LedgerRow) => boolean): TradeSample | null {
  const values = tradesIn(rows.filter(keep));
  return values === null ? null : sampleOf(values);
}

function told({ mean, standardError, n }: TradeSample): string {
  return `${mean.toPrecision(4)} ± ${(z95 * standardError).toPrecision(2)} (${n} trades)`;
}
