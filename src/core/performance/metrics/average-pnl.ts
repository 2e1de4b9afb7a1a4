import type { Metric } from './metric';

/** What a trade brings on average. */
export const averagePnl: Metric = {
  name: 'averagePnl',
  unit: 'money',
  need: 'money',
  describe: 'Σ P / trades',
  value: ({ trades }) => (trades.trades === 0 ? 'no_trades' : trades.total / trades.trades),
};
