import { riskFreePerPeriod } from '../figures';
import type { Metric } from './metric';

/** C. Keating and W. F. Shadwick, "A Universal Performance Measure" (2002). At rf 0 the profit factor of days. */
export const omegaRatio: Metric = {
  name: 'omegaRatio',
  unit: 'ratio',
  need: 'days',
  describe: 'Σ(r − rf)⁺ / Σ(rf − r)⁺',
  isSlow: true,
  value: (figures) => {
    if (figures.days.n < 2) return figures.days.n === 0 ? 'no_trades' : 'too_few';
    const riskFree = riskFreePerPeriod(figures);
    let gains = 0;
    let losses = 0;
    for (const value of figures.days.values()) {
      gains += Math.max(value - riskFree, 0);
      losses += Math.max(riskFree - value, 0);
    }
    return losses === 0 ? 'no_losses' : gains / losses;
  },
};
