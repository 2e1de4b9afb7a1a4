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
  const { window, at, period } = state;
  const n = state.n + 1;
  const before = state.sum;
  const grown = before + value;
  let rest = state.rest + lost(before, value, grown);
  let sum = grown;
  if (n > period) {
    const old = -(window[at] as number);
    sum = grown + old;
    rest += lost(grown, old, sum);
  }
  window[at] = value;
  state.at = at + 1 === period ? 0 : at + 1;
  state.n = n;
  state.sum = sum;
  state.rest = rest;
  if (n >= period) state.value = (sum + rest) / period;
}

/** What `a + b = sum` lost to rounding, exactly (Knuth, TAOCP 2, 4.2.2, theorem B). */
function lost(a: number, b: number, sum: number): number {
  const part = sum - a;
  return a - (sum - part) + (b - part);
}
