import type { Metric } from './metric';

/** 0 at a new peak. */
export const currentDrawdownAmount: Metric = {
  name: 'currentDrawdownAmount',
  unit: 'money',
  need: 'drawdown',
  describe: 'how far equity is below its peak now, in money; realised',
  value: ({ equity, days }) => (days.n === 0 ? 'no_trades' : equity.currentDrawdownAmount),
};
