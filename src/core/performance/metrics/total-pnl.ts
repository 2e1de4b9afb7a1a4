import type { Metric } from './metric';

export const totalPnl: Metric = {
  name: 'totalPnl',
  unit: 'money',
  need: 'money',
  describe: 'Σ P, net as sent',
  value: ({ equity }) => equity.total,
};
