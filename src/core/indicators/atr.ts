import { trueRangeOf } from './true-range';

/** The state of an average true range, in units of the price; warm when `n >= warmup`. */
export type AtrState = {
  n: number;
  warmup: number;
  period: number;
  previousClose: number;
  sum: number;
  trueRange: number;
  value: number;
};

/**
 * Average true range, Wilder 1978: the first bar's range does not count, the seed is the mean of the next `period`, so
 * the first value stands on bar `period + 1` (TA-Lib, Skender).
 */
export function createAtr(period: number): AtrState {
  return { n: 0, warmup: period + 1, period, previousClose: 0, sum: 0, trueRange: 0, value: 0 };
}

export function addAtr(state: AtrState, high: number, low: number, close: number): void {
  const { n, period, previousClose } = state;
  state.previousClose = close;
  state.n = n + 1;
  if (n === 0) return;
  const range = trueRangeOf(high, low, previousClose);
  state.trueRange = range;
  if (n > period) {
    state.value += (range - state.value) / period;
    return;
  }
  state.sum += range;
  if (n === period) state.value = state.sum / period;
}
