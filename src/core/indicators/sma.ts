/** The state of a simple moving average. Warm when `n >= warmup`, as every indicator here; `value` is 0 before. */
export type SmaState = {
  n: number;
  warmup: number;
  period: number;
  at: number;
  sum: number;
  /** What `sum` lost to rounding (Neumaier 1974): without it a million adds at 1e7 drift, and one spike stays for ever. */
  rest: number;
  value: number;
  window: Float64Array;
};

/** Mean of the last `period` values. */
export function createSma(period: number): SmaState {
  return { n: 0, warmup: period, period, at: 0, sum: 0, rest: 0, value: 0, window: new Float64Array(period) };
}

export function addSma(state: SmaState, value: number): void {
  const { window, at, period } = state;
  const old = window[at] as number;
  window[at] = value;
  state.at = at + 1 === period ? 0 : at + 1;
  state.n++;
  addCompensated(state, value);
  if (state.n > period) addCompensated(state, -old);
  if (state.n >= period) state.value = (state.sum + state.rest) / period;
}

function addCompensated(state: SmaState, value: number): void {
  const { sum } = state;
  const next = sum + value;
  state.rest += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
  state.sum = next;
}
