import type { Metric } from './metric';

/** What the nerves of whoever trades it must bear. */
export const maxConsecutiveLosses: Metric = {
  name: 'maxConsecutiveLosses',
  unit: 'count',
  need: 'order',
  describe: 'longest run of P < 0; a P of 0 ends it',
  value: ({ trades }) => trades.maxLossesInRow,
};
