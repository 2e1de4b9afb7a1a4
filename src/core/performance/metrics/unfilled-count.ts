import type { Metric } from './metric';

export const unfilledCount: Metric = {
  name: 'unfilledCount',
  unit: 'count',
  need: 'counts',
  describe: 'orders rejected, cancelled or expired with a P&L of 0',
  value: ({ trades }) => trades.unfilled,
};
