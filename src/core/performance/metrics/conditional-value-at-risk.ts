import { meanOfTail } from '../quantile';
import type { Metric } from './metric';

/** What the worst day in twenty brings on average. */
export const conditionalValueAtRisk: Metric = {
  name: 'conditionalValueAtRisk',
  unit: 'money_or_fraction',
  need: 'days',
  describe: 'mean of the daily values up to the 5 % quantile, inclusive; undefined under 20 observations',
  isSlow: true,
  value: ({ days }) => {
    if (days.n * 0.05 < 1) return days.n === 0 ? 'no_trades' : 'too_few';
    return meanOfTail(days.values().sort(), 0.05);
  },
};
