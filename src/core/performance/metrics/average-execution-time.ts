import type { Metric } from './metric';

/** How long executions take. */
export const averageExecutionTimeMs: Metric = {
  name: 'averageExecutionTimeMs',
  unit: 'ms',
  need: 'counts',
  describe: 'mean execution time over executions, filled or not',
  value: ({ trades }) => (trades.executions === 0 ? 'no_trades' : trades.timeMs / trades.executions),
};
