import type { Metric } from './metric';

/** What a losing trade costs, as a negative amount. */
export const averageLoss: Metric = {
  name: 'averageLoss',
  unit: 'money',
  need: 'money',
  describe: 'mean of P < 0 (negative)',
  value: ({ trades }) => {
    if (trades.trades === 0) return 'no_trades';
    return trades.losses === 0 ? 'no_losses' : trades.sumLosses / trades.losses;
  },
};
