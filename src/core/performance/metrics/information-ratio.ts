import { deviationOf, differencesOf, meanOf, pairsOf, rounding } from '../pairs';
import type { Metric } from './metric';

/** The Sharpe ratio of the difference to the benchmark. */
export const informationRatio: Metric = {
  name: 'informationRatio',
  unit: 'ratio',
  need: 'benchmark',
  describe: 'mean(r − b) / std₁(r − b) · √A',
  isSlow: true,
  value: (figures) => {
    const pairs = pairsOf(figures);
    if (typeof pairs === 'string') return pairs;
    const differences = differencesOf(pairs);
    const mean = meanOf(differences);
    const deviation = deviationOf(differences);
    if (deviation <= rounding) return 'zero_variance';
    return (mean / deviation) * Math.sqrt(figures.periodsPerYear);
  },
};
