import { riskFreePerPeriod } from '../figures';
import type { Metric } from './metric';

/** F. A. Sortino and R. van der Meer, "Downside Risk", Journal of Portfolio Management (1991). */
export const sortinoRatio: Metric = {
  name: 'sortinoRatio',
  unit: 'ratio',
  need: 'days',
  describe: 'mean(r − rf) · √A / √(Σ min(r − rf, 0)² / n), all n in the denominator',
  value: (figures) => {
    const { days, periodsPerYear } = figures;
    if (days.n < 2) return days.n === 0 ? 'no_trades' : 'too_few';
    const riskFree = riskFreePerPeriod(figures);
    const downside = riskFree === 0 ? days.downside : downsideOf(days.values(), riskFree);
    return downside === 0 ? 'no_losses' : ((days.mean - riskFree) * Math.sqrt(periodsPerYear)) / downside;
  },
};

function downsideOf(values: Float64Array, target: number): number {
  let sum = 0;
  for (const value of values) sum += Math.min(value - target, 0) ** 2;
  return Math.sqrt(sum / values.length);
}
