import type { Metric } from './metric';

export const profitFactor: Metric = {
  name: 'profitFactor',
  unit: 'ratio',
  need: 'money',
  describe: 'Σ P⁺ / |Σ P⁻|, in money',
  value: ({ trades }) => {
    if (trades.trades === 0) return 'no_trades';
    return trades.losses === 0 ? 'no_losses' : trades.sumWins / -trades.sumLosses;
  },
};
