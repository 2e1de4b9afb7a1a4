import type { Metric } from './metric';

export const successRate: Metric = {
  name: 'successRate',
  unit: 'fraction',
  need: 'counts',
  describe: 'executions with success: true / executions',
  value: ({ trades }) => (trades.executions === 0 ? 'no_trades' : trades.successes / trades.executions),
};
