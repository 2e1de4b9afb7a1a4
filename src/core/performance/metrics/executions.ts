import type { Metric } from './metric';

/** How many executions were tracked, duplicates not counted again. */
export const executions: Metric = {
  name: 'executions',
  unit: 'count',
  need: 'counts',
  describe: 'executions tracked, filled or not',
  value: ({ trades }) => trades.executions,
};
