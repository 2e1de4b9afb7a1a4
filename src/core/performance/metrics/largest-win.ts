import type { Metric } from './metric';

/** One trade that makes most of the total is luck until shown otherwise. */
export const largestWin: Metric = {
  name: 'largestWin',
  unit: 'money',
  need: 'money',
  describe: 'greatest P > 0',
  value: ({ trades }) => {
    if (trades.trades === 0) return 'no_trades';
    return trades.wins === 0 ? 'no_wins' : trades.largestWin;
  },
};
