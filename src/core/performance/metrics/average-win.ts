import type { Metric } from './metric';

/** What a winning trade brings. */
export const averageWin: Metric = {
  name: 'averageWin',
  unit: 'money',
  need: 'money',
  describe: 'mean of P > 0',
  value: ({ trades }) => {
    if (trades.trades === 0) return 'no_trades';
    return trades.wins === 0 ? 'no_wins' : trades.sumWins / trades.wins;
  },
};
