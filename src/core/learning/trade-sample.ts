/** P&L per trade as a sample: what learning concludes from, with how sure it can be. */
import { moneyToNumber } from '../domain/money';
import type { LedgerView } from '../performance/ledger';
import { normalCdf } from '../performance/normal';
import type { LedgerRow } from '../performance/row';
import { shapeOf } from '../performance/shape';
import { sharpeVariance } from '../performance/sharpe-inference';
import type { RecentPerformance } from './adapt';

/** Fewer trades are no sample. */
export const sampleTrades = 30;

export interface TradeSample {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation. */
  readonly deviation: number;
  /** Of the mean. */
  readonly standardError: number;
}

/** P&L in currency units of the trades among rows, in their order; `null` when they are of several currencies. */
export function tradesIn(rows: Iterable<LedgerRow>): Float64Array | null {
  const values: number[] = [];
  let currency: string | null = null;
  for (const row of rows) {
    if (!row.isTrade) continue;
    if (currency !== null && row.currency !== currency) return null;
    currency = row.currency;
    values.push(moneyToNumber(row.pnl));
  }
  return Float64Array.from(values);
}

export function sampleOf(values: Float64Array): TradeSample {
  const n = values.length;
  if (n === 0) return { n, mean: 0, deviation: 0, standardError: 0 };
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / n;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = n < 2 ? 0 : Math.sqrt(squares / (n - 1));
  return { n, mean, deviation, standardError: deviation / Math.sqrt(n) };
}

/** The last `count` trades of a strategy, for the rule of `force_adaptation`; `null` without any. */
export function recentPerformanceOf({ book }: LedgerView, count = 100): RecentPerformance | null {
  const rows = (book?.rows ?? []).filter((row) => row.isTrade).slice(-count);
  const values = tradesIn(rows);
  if (values === null || values.length === 0) return null;
  const { n, mean, standardError } = sampleOf(values);
  return { trades: n, meanPnl: mean, standardError };
}

/** Mean P&L over its deviation per trade, with the standard error of that ratio. */
export interface Edge {
  readonly estimate: number;
  readonly standardError: number;
}

/**
 * Sizes differ between strategies and the ratio cancels them. Its standard error allows for skewness and kurtosis
 * (Mertens 2002). A deviation below a tenth of the mean is taken as that tenth: equal results do not prove that there
 * is no risk.
 */
export function edgeOf(values: Float64Array): Edge {
  const { n, mean, deviation } = sampleOf(values);
  const least = Math.abs(mean) / 10;
  if (deviation <= least) {
    const estimate = Math.sign(mean) * 10;
    return { estimate, standardError: mean === 0 ? 1 / Math.sqrt(n) : Math.sqrt((1 + estimate ** 2 / 2) / (n - 1)) };
  }
  const sharpe = mean / deviation;
  const variance = sharpeVariance({ sharpe, n, ...shapeOf(values) });
  return { estimate: sharpe, standardError: Math.sqrt(Math.max(variance, 0.01) / (n - 1)) };
}

const gridSteps = 800;

/**
 * Probability of each that its true edge is the best of all and above 0 (doing nothing), the edges taken as independent
 * normal variables: ∫ φᵢ(x) Π_{j≠i} Φⱼ(x) dx over x > 0, by Simpson's rule. They do not add up to 1: the rest is nothing.
 */
export function bestProbabilities(edges: readonly Edge[]): readonly number[] {
  const high = Math.max(...edges.map((edge) => edge.estimate + 8 * edge.standardError), 0);
  const best = edges.map(() => 0);
  if (high === 0) return best;
  // A narrow peak needs its own grid: each edge is integrated where its own density is.
  return edges.map((edge, i) => {
    const from = Math.max(0, edge.estimate - 8 * edge.standardError);
    const to = edge.estimate + 8 * edge.standardError;
    if (to <= 0) return 0;
    const width = (to - from) / gridSteps;
    let sum = 0;
    for (let step = 0; step <= gridSteps; step++) {
      const x = from + step * width;
      const weight = step === 0 || step === gridSteps ? 1 : step % 2 === 1 ? 4 : 2;
      sum += weight * density(x, edge) * othersBelow(x, edges, i);
    }
    return (sum * width) / 3;
  });
}

function density(x: number, { estimate, standardError }: Edge): number {
  return Math.exp(-(((x - estimate) / standardError) ** 2) / 2) / (standardError * Math.sqrt(2 * Math.PI));
}

function othersBelow(x: number, edges: readonly Edge[], i: number): number {
  let product = 1;
  for (let j = 0; j < edges.length && product > 1e-12; j++) {
    const other = edges[j] as Edge;
    if (j !== i) product *= normalCdf((x - other.estimate) / other.standardError);
  }
  return product;
}

export type Trend = 'improving' | 'stable' | 'declining' | 'unknown';

/** Welch's t of the newer half against the older one; two-sided 5 %. */
export interface TrendTest {
  readonly verdict: Trend;
  readonly older: TradeSample;
  readonly newer: TradeSample;
  /** `null` when unknown or when both halves have no variance. */
  readonly t: number | null;
}

const tLimit = 1.96;

/** Whether P&L per trade changed from the older to the newer half; unknown under two samples of `sampleTrades`. */
export function trendOf(values: Float64Array): TrendTest {
  const middle = Math.floor(values.length / 2);
  return compare(values.subarray(0, middle), values.subarray(middle));
}

/** Whether the second sample's mean differs from the first's. */
export function compare(before: Float64Array, after: Float64Array): TrendTest {
  const older = sampleOf(before);
  const newer = sampleOf(after);
  if (older.n < sampleTrades || newer.n < sampleTrades) return { verdict: 'unknown', older, newer, t: null };
  const error = Math.hypot(older.standardError, newer.standardError);
  const change = newer.mean - older.mean;
  const t = error === 0 ? null : change / error;
  const size = t === null ? Math.sign(change) * Number.POSITIVE_INFINITY : t;
  const verdict = size > tLimit ? 'improving' : size < -tLimit ? 'declining' : 'stable';
  return { verdict, older, newer, t };
}
