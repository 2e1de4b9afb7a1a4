import { betaOf, pairsOf } from '../pairs';
import type { Metric } from './metric';

/** How much the series moves with the benchmark: 1 = as much. */
export const beta: Metric = {
  name: 'beta',
  unit: 'ratio',
  need: 'benchmark',
  describe: 'covariance with the benchmark / variance of the benchmark',
  isSlow: true,
  value: (figures) => {
    const pairs = pairsOf(figures);
    if (typeof pairs === 'string') return pairs;
    return betaOf(pairs) ?? 'zero_variance';
  },
};
