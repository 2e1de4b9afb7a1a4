import type { Metric } from './metric';

/** What was lost from the best moment on; of closed trades only, so what is open is not in it. */
export const maxDrawdown: Metric = {
  name: 'maxDrawdown',
  unit: 'fraction',
  need: 'drawdown',
  describe: 'deepest fall of equity as a positive fraction of its peak, from the start on; realised',
  value: ({ equity, isFractionKnown }) => {
    if (!isFractionKnown) return 'not_retained';
    return equity.drawdown ?? 'no_capital_base';
  },
};
