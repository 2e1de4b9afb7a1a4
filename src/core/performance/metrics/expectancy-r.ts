import type { Metric } from './metric';

/** Above 0 earns; 0.2 = a fifth of an average loss per trade. LEAN calls this expectancy. */
export const expectancyR: Metric = {
  name: 'expectancyR',
  unit: 'ratio',
  need: 'money',
  describe: 'mean P / |average loss|: expectancy in units of what a losing trade costs',
  value: ({ trades }) => {
    if (trades.trades === 0) return 'no_trades';
    if (trades.losses === 0) return 'no_losses';
    return trades.total / trades.trades / (-trades.sumLosses / trades.losses);
  },
};
