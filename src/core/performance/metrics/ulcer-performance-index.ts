import { cagr } from './cagr';
import type { Metric } from './metric';
import { ulcerIndex } from './ulcer-index';

/** Also called the Martin ratio: growth for the depth and length of drawdowns. */
export const ulcerPerformanceIndex: Metric = {
  name: 'ulcerPerformanceIndex',
  unit: 'ratio',
  need: 'days',
  describe: '(CAGR − rf) / ulcer index',
  isSlow: true,
  value: (figures) => {
    const ulcer = ulcerIndex.value(figures);
    if (typeof ulcer === 'string') return ulcer;
    const annual = cagr.value(figures);
    if (typeof annual === 'string') return annual;
    return ulcer === 0 ? 'no_losses' : (annual - figures.riskFreeAnnual) / ulcer;
  },
};
