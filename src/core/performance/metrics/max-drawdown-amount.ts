import type { Metric } from './metric';

/** As `maxDrawdown`, in money; the two deepest falls may be two different spells. */
export const maxDrawdownAmount: Metric = {
  name: 'maxDrawdownAmount',
  unit: 'money',
  need: 'drawdown',
  describe: 'deepest fall of equity from a peak in money, from the start on; realised',
  value: ({ equity, days }) => (days.n === 0 ? 'no_trades' : equity.drawdownAmount),
};
