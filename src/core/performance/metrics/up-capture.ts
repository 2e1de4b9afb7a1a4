import { captureOf, pairsOf } from '../pairs';
import type { Metric } from './metric';

/** Above 1: gains more than the benchmark when it rises. */
export const upCapture: Metric = {
  name: 'upCapture',
  unit: 'ratio',
  need: 'benchmark',
  describe: 'annualised return on periods when the benchmark rose / that of the benchmark',
  isSlow: true,
  value: (figures) => {
    const pairs = pairsOf(figures);
    if (typeof pairs === 'string') return pairs;
    return captureOf(pairs, figures.periodsPerYear, (value) => value > 0);
  },
};
