import { isFlat } from '../figures';
import { shapeOf } from '../shape';
import type { Metric } from './metric';

/** Above 0: more extreme days than a normal distribution has. */
export const kurtosis: Metric = {
  name: 'kurtosis',
  unit: 'ratio',
  need: 'days',
  describe: 'sample excess kurtosis G₂ of the daily values (0 = normal)',
  isSlow: true,
  value: ({ days }) => {
    if (days.n < 4) return days.n === 0 ? 'no_trades' : 'too_few';
    if (isFlat(days.deviation, days.mean)) return 'zero_variance';
    const { n } = days;
    return ((n - 1) / ((n - 2) * (n - 3))) * ((n + 1) * (shapeOf(days.values()).kurtosis - 3) + 6);
  },
};
