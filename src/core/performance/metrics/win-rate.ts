import type { Metric } from './metric';

/** Share of trades that earned. High with a low payoff ratio is the picture of a strategy that loses. */
export const winRate: Metric = {
  name: 'winRate',
  unit: 'fraction',
  need: 'counts',
  describe: 'trades with P > 0 / trades; a P of 0 is in the denominator',
  value: ({ trades }) => (trades.trades === 0 ? 'no_trades' : trades.wins / trades.trades),
};
