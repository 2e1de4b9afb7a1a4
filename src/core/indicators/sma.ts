/** The state of a simple moving average. Warm when `n >= warmup`, as every indicator here; `value` is 0 before. */
export type SmaState = {
  n: number;
  warmup: number;
  period: number;
  at: number;
  sum: number;
  /** What `sum` lost to rounding: without it a million adds at 1e7 drift, and one spike stays for ever. */
  rest: number;
  value: number;
  window: Float64Array;
};

/** Mean of the last `period` values. */
export function createSma(period: number): SmaState {
  return { n: 0, warmup: period, period, at: 0, sum: 0, rest: 0, value: 0, window: new Float64Array(period) };
}

export function addSma(state: SmaState, value: number): void {
  const { window, at, period, sum } = state;
  const n = state.n + 1;
  // 0 while the window fills, so there is one way through and no branch.
  const old = window[at] as number;
  const change = value - old;
  const grown = sum + change;
  const rest = state.rest + lost(value, -old, change) + lost(sum, change, grown);
  window[at] = value;
  state.at = at + 1 === period ? 0 : at + 1;
  state.n = n;
  state.sum = grown;
  state.rest = rest;
  if (n >= period) state.value = (grown + rest) / period;
}

/** What `a + b = sum` lost to rounding, exactly (Knuth, TAOCP 2, 4.2.2, theorem B). */
function lost(a: number, b: number, sum: number): number {
  const part = sum - a;
  return a - (sum - part) + (b - part);
}
