/** The state of a relative strength index; warm when `n >= warmup`. `value` is 0–100. */
export type RsiState = {
  n: number;
  warmup: number;
  period: number;
  previous: number;
  gain: number;
  loss: number;
  value: number;
};

/**
 * Relative strength index, Wilder 1978: smoothed gains against smoothed losses, seeded with the simple mean of the
 * first `period` changes. A series that has not moved at all has no strength either way: 50 (TA-Lib answers 0).
 */
export function createRsi(period: number): RsiState {
  return { n: 0, warmup: period + 1, period, previous: 0, gain: 0, loss: 0, value: 50 };
}

export function addRsi(state: RsiState, value: number): void {
  const { n, period } = state;
  const change = value - state.previous;
  state.previous = value;
  state.n = n + 1;
  if (n === 0) return;
  const up = Math.max(change, 0);
  const down = Math.max(-change, 0);
  if (n <= period) {
    state.gain += up / period;
    state.loss += down / period;
    if (n < period) return;
  } else {
    state.gain += (up - state.gain) / period;
    state.loss += (down - state.loss) / period;
  }
  const both = state.gain + state.loss;
  state.value = both > 0 ? (100 * state.gain) / both : 50;
}
