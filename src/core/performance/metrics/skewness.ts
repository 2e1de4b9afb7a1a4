import { isFlat } from '../figures';
import { shapeOf } from '../shape';
import type { Metric } from './metric';

/** Below 0: rare large losses. Of the days, in which many trades may stand. */
export const skewness: Metric = {
  name: 'skewness',
  unit: 'ratio',
  need: 'days',
  describe: 'sample skewness G₁ of the daily values',
  isSlow: true,
  value: ({ days }) => {
    if (days.n < 3) return days.n === 0 ? 'no_trades' : 'too_few';
    if (isFlat(days.deviation, days.mean)) return 'zero_variance';
    const { n } = days;
    return (Math.sqrt(n * (n - 1)) / (n - 2)) * shapeOf(days.values()).skewness;
  },
};
