import { captureOf, pairsOf } from '../pairs';
import type { Metric } from './metric';

/** Below 1: loses less than the benchmark when it falls. */
export const downCapture: Metric = {
  name: 'downCapture',
  unit: 'ratio',
  need: 'benchmark',
  describe: 'annualised return on periods when the benchmark fell / that of the benchmark',
  isSlow: true,
  value: (figures) => {
    const pairs = pairsOf(figures);
    if (typeof pairs === 'string') return pairs;
    return captureOf(pairs, figures.periodsPerYear, (value) => value < 0);
  },
};
