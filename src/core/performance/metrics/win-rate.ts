import type { Metric } from './metric';

export const winRate: Metric = {
  name: 'winRate',
  unit: 'fraction',
  need: 'counts',
  describe: 'trades with P > 0 / trades; a P of 0 is in the denominator',
  value: ({ trades }) => (trades.trades === 0 ? 'no_trades' : trades.wins / trades.trades),
};
