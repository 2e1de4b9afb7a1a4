import { quantile } from '../quantile';
import type { Metric } from './metric';

/** One day in twenty is worse than this. Says nothing of how much worse. */
export const valueAtRisk: Metric = {
  name: 'valueAtRisk',
  unit: 'money_or_fraction',
  need: 'days',
  describe: '5 % quantile of the daily values, linearly interpolated (negative is a loss)',
  isSlow: true,
  value: ({ days }) => {
    if (days.n < 2) return days.n === 0 ? 'no_trades' : 'too_few';
    return quantile(days.values().sort(), 0.05);
  },
};
