/**
 * What a Sharpe ratio is worth: its probability given the sample, deflated for the number of trials, and how long a
 * record must be. After Bailey and López de Prado, "The Sharpe Ratio Efficient Frontier" (2012) and "The Deflated Sharpe
 * Ratio" (2014). Sharpe ratios are **per period** (an annual one saturates), kurtosis is raw (3 = normal), moments are
 * of the population.
 */
import { normalCdf, normalQuantile } from './normal';

export interface SharpeSample {
  /** Per period. */
  readonly sharpe: number;
  readonly n: number;
  readonly skewness: number;
  /** Raw: 3 for a normal sample. */
  readonly kurtosis: number;
}

/** 1 − γ₃·SR + (γ₄ − 1)/4·SR²: the variance of √(n−1)·SR. Not positive: no inference. */
export function sharpeVariance({ sharpe, skewness, kurtosis }: SharpeSample): number {
  return 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe;
}

/** P(true Sharpe > `benchmark`); `null` below two observations or where the variance is not positive. */
export function probabilisticSharpe(sample: SharpeSample, benchmark = 0): number | null {
  const variance = sharpeVariance(sample);
  if (sample.n < 2 || variance <= 0) return null;
  return normalCdf(((sample.sharpe - benchmark) * Math.sqrt(sample.n - 1)) / Math.sqrt(variance));
}

const eulerGamma = 0.5772156649015329;

/** Sharpe to be expected of the best of `trials` without any skill, given their standard deviation; 0 for one trial. */
export function expectedMaxSharpe(trialDeviation: number, trials: number): number {
  if (trials <= 1) return 0;
  const low = normalQuantile(1 - 1 / trials);
  const high = normalQuantile(1 - 1 / (trials * Math.E));
  return trialDeviation * ((1 - eulerGamma) * low + eulerGamma * high);
}

/** Probability that the Sharpe is above what the best of so many trials shows by luck. */
export function deflatedSharpe(sample: SharpeSample, trialDeviation: number, trials: number): number | null {
  return probabilisticSharpe(sample, expectedMaxSharpe(trialDeviation, trials));
}

/** Observations needed to say with confidence 1 − `alpha` that the Sharpe is above `benchmark`; `null` if it is not. */
export function minimumTrackRecord(sample: SharpeSample, benchmark = 0, alpha = 0.05): number | null {
  if (sample.sharpe <= benchmark) return null;
  return 1 + sharpeVariance(sample) * (normalQuantile(1 - alpha) / (sample.sharpe - benchmark)) ** 2;
}
