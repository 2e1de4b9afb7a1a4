import type { Metric } from './metric';

/** How often an execution did what it should; another thing than winning. */
export const successRate: Metric = {
  name: 'successRate',
  unit: 'fraction',
  need: 'counts',
  describe: 'executions with success: true / executions',
  value: ({ trades }) => (trades.executions === 0 ? 'no_trades' : trades.successes / trades.executions),
};
