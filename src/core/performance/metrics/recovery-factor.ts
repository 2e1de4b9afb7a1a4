import type { Metric } from './metric';

/** How often the worst fall was earned back. Signed: a loser is below 0. */
export const recoveryFactor: Metric = {
  name: 'recoveryFactor',
  unit: 'ratio',
  need: 'drawdown',
  describe: 'Σ P / deepest drawdown, money over money, signed',
  value: ({ equity, days }) => {
    if (days.n === 0) return 'no_trades';
    return equity.drawdownAmount === 0 ? 'no_losses' : equity.total / equity.drawdownAmount;
  },
};
