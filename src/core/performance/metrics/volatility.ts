import type { Metric } from './metric';

/** How much returns vary in a year, gains as well as losses. */
export const volatility: Metric = {
  name: 'volatility',
  unit: 'fraction',
  need: 'days',
  describe: 'std₁ of the period returns · √A',
  value: ({ basis, days, periodsPerYear }) => {
    if (basis === 'money') return 'no_capital_base';
    return days.n < 2 ? 'too_few' : days.deviation * Math.sqrt(periodsPerYear);
  },
};
