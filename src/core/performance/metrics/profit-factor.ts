import type { Metric } from './metric';

/**
 * Earned per unit lost: above 1 earns. Of money, not of returns; undefined without losses, where others say 10 or
 * Infinity.
 */
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
