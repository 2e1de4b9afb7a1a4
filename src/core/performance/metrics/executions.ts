import type { Metric } from './metric';

export const executions: Metric = {
  name: 'executions',
  unit: 'count',
  need: 'counts',
  describe: 'executions tracked, filled or not',
  value: ({ trades }) => trades.executions,
};
