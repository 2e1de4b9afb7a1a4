import type { Reason } from '../figures';
import type { Metric } from './metric';

/** 1 = a straight line up or down. High for a steady loser too. */
export const stability: Metric = {
  name: 'stability',
  unit: 'ratio',
  need: 'days',
  describe: 'R² of cumulative log returns regressed on time',
  isSlow: true,
  value: ({ basis, days }) => {
    if (basis === 'money') return 'no_capital_base';
    if (days.n < 2) return days.n === 0 ? 'no_trades' : 'too_few';
    return fitOf(days.values());
  },
};

function fitOf(values: Float64Array): number | Reason {
  const n = values.length;
  const middle = (n - 1) / 2;
  let log = 0;
  const path = Float64Array.from(values, (value) => {
    log += Math.log1p(value);
    return log;
  });
  if (!Number.isFinite(log)) return 'ruin';
  const mean = path.reduce((sum, value) => sum + value, 0) / n;
  let both = 0;
  let time = 0;
  let spread = 0;
  for (let i = 0; i < n; i++) {
    const fall = (path[i] as number) - mean;
    both += (i - middle) * fall;
    time += (i - middle) ** 2;
    spread += fall * fall;
  }
  return spread === 0 ? 'zero_variance' : (both * both) / (time * spread);
}
