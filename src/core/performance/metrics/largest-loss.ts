import type { Metric } from './metric';

/** The worst trade so far; the next may be worse. */
export const largestLoss: Metric = {
  name: 'largestLoss',
  unit: 'money',
  need: 'money',
  describe: 'least P < 0 (negative)',
  value: ({ trades }) => {
    if (trades.trades === 0) return 'no_trades';
    return trades.losses === 0 ? 'no_losses' : trades.largestLoss;
  },
};
