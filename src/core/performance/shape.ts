import type { DayFigures } from './figures';
import type { SharpeSample } from './sharpe-inference';

/** Population skewness and raw kurtosis (3 = normal) of values that are not all the same. */
export function shapeOf(values: Float64Array): { readonly skewness: number; readonly kurtosis: number } {
  const n = values.length;
  let mean = 0;
  for (const value of values) mean += value / n;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (const value of values) {
    const distance = value - mean;
    second += distance ** 2;
    third += distance ** 3;
    fourth += distance ** 4;
  }
  return { skewness: third / n / (second / n) ** 1.5, kurtosis: fourth / n / (second / n) ** 2 };
}

/** The Sharpe ratio per period (risk-free rate 0) with what its distribution depends on. */
export function sampleOf(days: DayFigures): SharpeSample {
  return { sharpe: days.mean / days.deviation, n: days.n, ...shapeOf(days.values()) };
}
