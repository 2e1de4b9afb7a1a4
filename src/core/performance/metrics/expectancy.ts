import type { Metric } from './metric';

/** The same number as `averagePnl`, under the name traders look for. */
export const expectancy: Metric = {
  name: 'expectancy',
  unit: 'money',
  need: 'money',
  describe: 'W·average win − L·average loss = mean P, zeros counted',
  value: ({ trades }) => (trades.trades === 0 ? 'no_trades' : trades.total / trades.trades),
};
