import type { Metric } from './metric';

/** Orders that came to nothing: a sign of trouble with the broker, not of a bad strategy. */
export const unfilledCount: Metric = {
  name: 'unfilledCount',
  unit: 'count',
  need: 'counts',
  describe: 'orders rejected, cancelled or expired with a P&L of 0',
  value: ({ trades }) => trades.unfilled,
};
