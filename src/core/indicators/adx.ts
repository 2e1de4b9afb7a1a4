import { trueRangeOf } from './true-range';

/** The state of the directional movement system; `adx` is warm when `n >= warmup`, the DIs when `n > period`. */
export type AdxState = {
  n: number;
  warmup: number;
  period: number;
  previousHigh: number;
  previousLow: number;
  previousClose: number;
  trueRange: number;
  plusMove: number;
  minusMove: number;
  plusDi: number;
  minusDi: number;
  dx: number;
  adx: number;
};

/**
 * Average directional index with +DI and -DI, each 0–100, Wilder 1978. Seeded as Skender: sums of the first `period`
 * movements, then the mean of the first `period` DX (TA-Lib sums one movement less and converges to the same). Bars
 * without any range leave +DI, -DI and DX at 0 rather than undefined.
 */
export function createAdx(period: number): AdxState {
  return {
    n: 0,
    warmup: 2 * period,
    period,
    previousHigh: 0,
    previousLow: 0,
    previousClose: 0,
    trueRange: 0,
    plusMove: 0,
    minusMove: 0,
    plusDi: 0,
    minusDi: 0,
    dx: 0,
    adx: 0,
  };
}

export function addAdx(state: AdxState, high: number, low: number, close: number): void {
  const { n, period } = state;
  const up = high - state.previousHigh;
  const down = state.previousLow - low;
  const range = trueRangeOf(high, low, state.previousClose);
  state.previousHigh = high;
  state.previousLow = low;
  state.previousClose = close;
  state.n = n + 1;
  if (n === 0) return;
  const kept = n > period ? 1 - 1 / period : 1;
  state.trueRange = state.trueRange * kept + range;
  state.plusMove = state.plusMove * kept + (up > down && up > 0 ? up : 0);
  state.minusMove = state.minusMove * kept + (down > up && down > 0 ? down : 0);
  if (n >= period) addIndex(state, n, period);
}

function addIndex(state: AdxState, n: number, period: number): void {
  const { trueRange } = state;
  state.plusDi = trueRange > 0 ? (100 * state.plusMove) / trueRange : 0;
  state.minusDi = trueRange > 0 ? (100 * state.minusMove) / trueRange : 0;
  const both = state.plusDi + state.minusDi;
  state.dx = both > 0 ? (100 * Math.abs(state.plusDi - state.minusDi)) / both : 0;
  if (n < 2 * period) state.adx += state.dx / period;
  else state.adx += (state.dx - state.adx) / period;
}
