import { deviationOf, differencesOf, pairsOf } from '../pairs';
import type { Metric } from './metric';

/** How far from the benchmark the series strays in a year. */
export const trackingError: Metric = {
  name: 'trackingError',
  unit: 'fraction',
  need: 'benchmark',
  describe: 'std₁(r − b) · √A',
  isSlow: true,
  value: (figures) => {
    const pairs = pairsOf(figures);
    if (typeof pairs === 'string') return pairs;
    return deviationOf(differencesOf(pairs)) * Math.sqrt(figures.periodsPerYear);
  },
};
