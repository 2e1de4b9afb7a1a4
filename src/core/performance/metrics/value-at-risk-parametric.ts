import { normalQuantile } from '../normal';
import type { Metric } from './metric';

/** As if days were normal, which they are not: too mild for fat tails. */
export const valueAtRiskParametric: Metric = {
  name: 'valueAtRiskParametric',
  unit: 'money_or_fraction',
  need: 'days',
  describe: 'mean + Φ⁻¹(0.05) · std₁ of the daily values (negative is a loss)',
  value: ({ days }) => {
    if (days.n < 2) return days.n === 0 ? 'no_trades' : 'too_few';
    return days.mean + normalQuantile(0.05) * days.deviation;
  },
};
