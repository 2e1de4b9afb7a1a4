import type { Metric } from './metric';

/** How many times a win is a loss; break-even needs a win rate of 1 / (1 + payoff). */
export const payoffRatio: Metric = {
  name: 'payoffRatio',
  unit: 'ratio',
  need: 'money',
  describe: 'average win / |average loss|',
  value: ({ trades }) => {
    if (trades.trades === 0) return 'no_trades';
    if (trades.losses === 0) return 'no_losses';
    if (trades.wins === 0) return 'no_wins';
    return trades.sumWins / trades.wins / (-trades.sumLosses / trades.losses);
  },
};
