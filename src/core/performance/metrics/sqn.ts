import type { Metric } from './metric';

/** V. K. Tharp, "Definitive Guide to Position Sizing" (2008): the t statistic of P&L per trade. Grows with n. */
export const sqn: Metric = {
  name: 'sqn',
  unit: 'ratio',
  need: 'money',
  describe: '√n · mean P / std₁ P per trade; not capped at n = 100',
  value: ({ trades }) => {
    if (trades.trades === 0) return 'no_trades';
    if (trades.trades < 2) return 'too_few';
    if (trades.deviation === 0) return 'zero_variance';
    return (Math.sqrt(trades.trades) * trades.total) / trades.trades / trades.deviation;
  },
};
