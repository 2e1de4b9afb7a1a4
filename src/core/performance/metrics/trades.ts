import type { Metric } from './metric';

/** The denominator of win rate and averages. */
export const trades: Metric = {
  name: 'trades',
  unit: 'count',
  need: 'counts',
  describe: 'executions that count toward P&L: all but orders that came to nothing',
  value: ({ trades }) => trades.trades,
};
