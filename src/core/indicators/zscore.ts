import { addStddev, createStddev, type StddevState } from './stddev';

/** The state of a z-score; warm when `n >= warmup`. */
export type ZscoreState = { n: number; warmup: number; value: number; stddev: StddevState };

/** Deviations smaller than this share of the mean are rounding, not movement. */
const rounding = 1e-14;

/** (value − mean) / population standard deviation; 0 where nothing has moved. */
export function standardised(value: number, mean: number, deviation: number): number {
  return deviation > rounding * Math.abs(mean) ? (value - mean) / deviation : 0;
}

/** How many population standard deviations the last value stands from the mean of the last `period`, itself included. */
export function createZscore(period: number): ZscoreState {
  return { n: 0, warmup: period, value: 0, stddev: createStddev(period) };
}

export function addZscore(state: ZscoreState, value: number): void {
  addStddev(state.stddev, value);
  state.n++;
  if (state.n >= state.warmup) state.value = standardised(value, state.stddev.mean, state.stddev.value);
}
