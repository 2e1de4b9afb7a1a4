import type { Metric } from './metric';

export const trades: Metric = {
  name: 'trades',
  unit: 'count',
  need: 'counts',
  describe: 'executions that count toward P&L: all but orders that came to nothing',
  value: ({ trades }) => trades.trades,
};
