import type { Metric } from './metric';

export const maxConsecutiveWins: Metric = {
  name: 'maxConsecutiveWins',
  unit: 'count',
  need: 'order',
  describe: 'longest run of P > 0; a P of 0 ends it',
  value: ({ trades }) => trades.maxWinsInRow,
};
