import type { Metric } from './metric';

/** Sum of net P&L, exact to 1e-8 whatever the order. Says nothing of the risk it took. */
export const totalPnl: Metric = {
  name: 'totalPnl',
  unit: 'money',
  need: 'money',
  describe: 'Σ P, net as sent',
  value: ({ equity }) => equity.total,
};
