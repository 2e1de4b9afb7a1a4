import type { Metric } from './metric';

export const maxConsecutiveLosses: Metric = {
  name: 'maxConsecutiveLosses',
  unit: 'count',
  need: 'order',
  describe: 'longest run of P < 0; a P of 0 ends it',
  value: ({ trades }) => trades.maxLossesInRow,
};
