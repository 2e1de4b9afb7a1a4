import { riskFreePerPeriod } from '../figures';
import { betaOf, meanOf, pairsOf } from '../pairs';
import type { Metric } from './metric';

/** M. C. Jensen, "The Performance of Mutual Funds in the Period 1945–1964", Journal of Finance (1968). */
export const alpha: Metric = {
  name: 'alpha',
  unit: 'fraction',
  need: 'benchmark',
  describe: '(1 + mean(r − rf) − β · mean(b − rf))^A − 1 (Jensen, annualised geometrically)',
  isSlow: true,
  value: (figures) => {
    const pairs = pairsOf(figures);
    if (typeof pairs === 'string') return pairs;
    const beta = betaOf(pairs);
    if (beta === null) return 'zero_variance';
    const riskFree = riskFreePerPeriod(figures);
    const excess = meanOf(pairs.own) - riskFree - beta * (meanOf(pairs.its) - riskFree);
    return excess <= -1 ? 'ruin' : (1 + excess) ** figures.periodsPerYear - 1;
  },
};
