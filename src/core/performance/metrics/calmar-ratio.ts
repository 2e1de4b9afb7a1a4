import { yearsOf } from '../figures';
import { cagr } from './cagr';
import type { Metric } from './metric';

/** T. W. Young, "Calmar Ratio: A Smoother Tool", Futures (1991). */
export const calmarRatio: Metric = {
  name: 'calmarRatio',
  unit: 'ratio',
  need: 'drawdown',
  describe: 'CAGR / max drawdown; without capital annual P&L / drawdown in money',
  value: (figures) => {
    const { equity, basis, days } = figures;
    if (days.n === 0) return 'no_trades';
    const years = yearsOf(figures);
    if (years === null) return 'too_short';
    if (basis === 'money') {
      return equity.drawdownAmount === 0 ? 'no_losses' : equity.total / years / equity.drawdownAmount;
    }
    if (!figures.isFractionKnown) return 'not_retained';
    if (!equity.drawdown) return 'no_losses';
    const annual = cagr.value(figures);
    return typeof annual === 'string' ? annual : annual / equity.drawdown;
  },
};
