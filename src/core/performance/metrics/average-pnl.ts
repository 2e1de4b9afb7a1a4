import type { Metric } from './metric';

export const averagePnl: Metric = {
  name: 'averagePnl',
  unit: 'money',
  need: 'money',
  describe: 'Σ P / trades',
  value: ({ trades }) => (trades.trades === 0 ? 'no_trades' : trades.total / trades.trades),
};
