/** Statistics of a series beside its benchmark, on the periods both have. */
import type { Benchmark, Figures, Reason } from './figures';

/** Differences between doubles below this are rounding. */
export const rounding = 1e-15;

/** The two series, or why there is nothing to compare. */
export function pairsOf({ benchmark, basis, hasMoney }: Figures): Benchmark | Reason {
  if (benchmark === null) return 'no_benchmark';
  // Amounts of money beside returns of a price compare nothing.
  if (hasMoney && basis === 'money') return 'no_capital_base';
  return benchmark.own.length < 2 ? 'too_few' : benchmark;
}

export function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Sample standard deviation. */
export function deviationOf(values: Float64Array): number {
  const mean = meanOf(values);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

export function differencesOf({ own, its }: Benchmark): Float64Array {
  return own.map((value, i) => value - (its[i] as number));
}

function covarianceOf({ own, its }: Benchmark): number {
  const ownMean = meanOf(own);
  const itsMean = meanOf(its);
  let sum = 0;
  own.forEach((value, i) => {
    sum += (value - ownMean) * ((its[i] as number) - itsMean);
  });
  return sum / (own.length - 1);
}

/** `null` when the benchmark does not move. */
export function betaOf(pairs: Benchmark): number | null {
  const deviation = deviationOf(pairs.its);
  return deviation <= rounding ? null : covarianceOf(pairs) / deviation ** 2;
}

/** `null` when either does not move. */
export function correlationOf(pairs: Benchmark): number | null {
  const own = deviationOf(pairs.own);
  const its = deviationOf(pairs.its);
  if (own <= rounding || its <= rounding) return null;
  return Math.max(-1, Math.min(1, covarianceOf(pairs) / own / its));
}

/** Compounded return per year, by the number of periods; `null` after ruin. */
export function annualOf(values: Float64Array, periodsPerYear: number): number | null {
  let growth = 1;
  for (const value of values) growth *= 1 + value;
  return growth <= 0 ? null : growth ** (periodsPerYear / values.length) - 1;
}

/** Annualised return on the periods where the benchmark is as asked, over that of the benchmark. */
export function captureOf(pairs: Benchmark, periodsPerYear: number, keep: (its: number) => boolean): number | Reason {
  const own = pairs.own.filter((_, i) => keep(pairs.its[i] as number));
  const its = pairs.its.filter(keep);
  if (its.length === 0) return 'too_few';
  const above = annualOf(own, periodsPerYear);
  const below = annualOf(its, periodsPerYear);
  if (above === null || below === null) return 'ruin';
  return below === 0 ? 'zero_variance' : above / below;
}
