import { correlationOf, pairsOf } from '../pairs';
import type { Metric } from './metric';

/** From −1 to 1; 0 says that the two move independently in a straight line, no more. */
export const correlation: Metric = {
  name: 'correlation',
  unit: 'ratio',
  need: 'benchmark',
  describe: 'covariance with the benchmark / both standard deviations',
  isSlow: true,
  value: (figures) => {
    const pairs = pairsOf(figures);
    if (typeof pairs === 'string') return pairs;
    return correlationOf(pairs) ?? 'zero_variance';
  },
};
