import type { Metric } from './metric';

export const maxDrawdownDurationMs: Metric = {
  name: 'maxDrawdownDurationMs',
  unit: 'ms',
  need: 'drawdown',
  describe: 'longest time from a peak to its recovery; a spell still open counts until now',
  value: ({ equity, days }) => equity.drawdownDurationMs ?? (days.n === 0 ? 'no_trades' : 'no_timestamps'),
};
