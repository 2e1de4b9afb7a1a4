import { quantile } from '../quantile';
import type { Metric } from './metric';

/** Above 1: good days are further out than bad ones. */
export const tailRatio: Metric = {
  name: 'tailRatio',
  unit: 'ratio',
  need: 'days',
  describe: '|95 % quantile| / |5 % quantile| of the daily values',
  isSlow: true,
  value: ({ days }) => {
    if (days.n < 2) return days.n === 0 ? 'no_trades' : 'too_few';
    const values = days.values().sort();
    const low = quantile(values, 0.05);
    return low === 0 ? 'no_losses' : Math.abs(quantile(values, 0.95) / low);
  },
};
