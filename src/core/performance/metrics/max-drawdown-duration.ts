import type { Metric } from './metric';

export const maxDrawdownDurationMs: Metric = {
  name: 'maxDrawdownDurationMs',
  unit: 'ms',
  need: 'drawdown',
  describe: 'longest time from a peak to its recovery; a spell still open counts until now',
  value: ({ equity }) => equity.drawdownDurationMs ?? 'no_trades',
};
