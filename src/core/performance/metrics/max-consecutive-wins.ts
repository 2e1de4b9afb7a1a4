import type { Metric } from './metric';

/** Runs happen by chance: of 100 fair coins the longest is about 6. */
export const maxConsecutiveWins: Metric = {
  name: 'maxConsecutiveWins',
  unit: 'count',
  need: 'order',
  describe: 'longest run of P > 0; a P of 0 ends it',
  value: ({ trades }) => trades.maxWinsInRow,
};
