import { addStddev, createStddev, type StddevState } from './stddev';

/** The state of Bollinger bands; warm when `n >= warmup`. */
export type BollingerState = {
  n: number;
  warmup: number;
  multiplier: number;
  upper: number;
  middle: number;
  lower: number;
  /** Where the last value stands: 0 at the lower band, 1 at the upper; 0.5 when the bands meet. */
  percentB: number;
  /** Distance of the bands over the middle; 0 where the middle is 0. */
  width: number;
  stddev: StddevState;
};

/** Bollinger 2001: the mean of `period` values ± `multiplier` population standard deviations. */
export function createBollinger(period: number, multiplier: number): BollingerState {
  const bands = { upper: 0, middle: 0, lower: 0, percentB: 0.5, width: 0 };
  return { n: 0, warmup: period, multiplier, ...bands, stddev: createStddev(period) };
}

export function addBollinger(state: BollingerState, value: number): void {
  const { stddev } = state;
  addStddev(stddev, value);
  state.n++;
  if (state.n < state.warmup) return;
  const half = state.multiplier * stddev.value;
  state.middle = stddev.mean;
  state.upper = stddev.mean + half;
  state.lower = stddev.mean - half;
  state.percentB = half > 0 ? (value - state.lower) / (2 * half) : 0.5;
  state.width = stddev.mean === 0 ? 0 : (2 * half) / stddev.mean;
}
