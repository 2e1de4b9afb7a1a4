import type { Metric } from './metric';

/** How long one would have waited to see the old peak again. */
export const maxDrawdownDurationMs: Metric = {
  name: 'maxDrawdownDurationMs',
  unit: 'ms',
  need: 'drawdown',
  describe: 'longest time from a peak to its recovery; a spell still open counts until now',
  value: ({ equity, days }) => equity.drawdownDurationMs ?? (days.n === 0 ? 'no_trades' : 'no_timestamps'),
};
