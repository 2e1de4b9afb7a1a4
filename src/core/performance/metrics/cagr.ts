import { yearsOf } from '../figures';
import type { Metric } from './metric';

/** Growth per year, compounded. */
export const cagr: Metric = {
  name: 'cagr',
  unit: 'fraction',
  need: 'money',
  describe: '(equity at the end / at the start)^(1 / years) − 1 in calendar years of 365.25 days',
  value: (figures) => {
    const { totalReturn } = figures.equity;
    if (totalReturn === null) return 'no_capital_base';
    const years = yearsOf(figures);
    if (years === null) return 'too_short';
    return totalReturn <= -1 ? 'ruin' : (1 + totalReturn) ** (1 / years) - 1;
  },
};
