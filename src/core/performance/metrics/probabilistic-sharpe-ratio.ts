import { isFlat } from '../figures';
import { sampleOf } from '../shape';
import { probabilisticSharpe } from '../sharpe-inference';
import type { Metric } from './metric';

/**
 * D. H. Bailey and M. López de Prado, "The Sharpe Ratio Efficient Frontier" (2012). For one strategy, not the
 * best of many.
 */
export const probabilisticSharpeRatio: Metric = {
  name: 'probabilisticSharpeRatio',
  unit: 'fraction',
  need: 'days',
  describe: 'probability that the true Sharpe ratio is above 0, given length, skewness and kurtosis',
  isSlow: true,
  value: ({ days }) => {
    if (days.n < 3) return days.n === 0 ? 'no_trades' : 'too_few';
    if (isFlat(days.deviation, days.mean)) return 'zero_variance';
    return probabilisticSharpe(sampleOf(days)) ?? 'too_few';
  },
};
