import { annualOf, betaOf, pairsOf, rounding } from '../pairs';
import type { Metric } from './metric';

/**
 * J. L. Treynor, "How to Rate Management of Investment Funds", Harvard Business Review (1965). Annualised
 * geometrically.
 */
export const treynorRatio: Metric = {
  name: 'treynorRatio',
  unit: 'ratio',
  need: 'benchmark',
  describe: '(annualised return − rf) / β',
  isSlow: true,
  value: (figures) => {
    const pairs = pairsOf(figures);
    if (typeof pairs === 'string') return pairs;
    const beta = betaOf(pairs);
    if (beta === null || Math.abs(beta) <= rounding) return 'zero_variance';
    const annual = annualOf(pairs.own, figures.periodsPerYear);
    return annual === null ? 'ruin' : (annual - figures.riskFreeAnnual) / beta;
  },
};
