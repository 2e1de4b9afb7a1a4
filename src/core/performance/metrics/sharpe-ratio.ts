import { isFlat, riskFreePerPeriod } from '../figures';
import type { Metric } from './metric';

/**
 * W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management (1994). Of daily money P&L without capital: a
 * fixed base cancels.
 */
export const sharpeRatio: Metric = {
  name: 'sharpeRatio',
  unit: 'ratio',
  need: 'days',
  describe: 'mean(r − rf) / std₁(r − rf) · √A',
  value: (figures) => {
    const { days, periodsPerYear } = figures;
    if (days.n < 2) return days.n === 0 ? 'no_trades' : 'too_few';
    if (isFlat(days.deviation, days.mean)) return 'zero_variance';
    return ((days.mean - riskFreePerPeriod(figures)) / days.deviation) * Math.sqrt(periodsPerYear);
  },
};
