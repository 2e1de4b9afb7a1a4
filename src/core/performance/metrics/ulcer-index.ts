import type { Figures } from '../figures';
import type { Metric } from './metric';

/** P. G. Martin and B. McCann, "The Investor's Guide to Fidelity Funds" (1989). */
export const ulcerIndex: Metric = {
  name: 'ulcerIndex',
  unit: 'fraction',
  need: 'days',
  describe: '√ mean of squared drawdowns of daily equity, as a fraction; realised',
  isSlow: true,
  value: (figures) => {
    if (figures.basis === 'money') return 'no_capital_base';
    if (figures.days.n === 0) return 'no_trades';
    return ulcerOf(figures) ?? 'ruin';
  },
};

/** `null` when equity falls to 0. */
function ulcerOf({ compounds, days }: Figures): number | null {
  let equity = 1;
  let peak = 1;
  let squares = 0;
  for (const value of days.values()) {
    equity = compounds ? equity * (1 + value) : equity + value;
    if (equity <= 0) return null;
    peak = Math.max(peak, equity);
    squares += (1 - equity / peak) ** 2;
  }
  return Math.sqrt(squares / days.n);
}
