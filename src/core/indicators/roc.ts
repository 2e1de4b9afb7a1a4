/** The state of a rate of change; warm when `n >= warmup`. `value` is in percent. */
export type RocState = { n: number; warmup: number; period: number; at: number; value: number; window: Float64Array };

/** 100 · (value / value `period` ago − 1); 0 where the older value is 0. */
export function createRoc(period: number): RocState {
  return { n: 0, warmup: period + 1, period, at: 0, value: 0, window: new Float64Array(period) };
}

export function addRoc(state: RocState, value: number): void {
  const { window, at, period } = state;
  const old = window[at] as number;
  window[at] = value;
  state.at = at + 1 === period ? 0 : at + 1;
  state.n++;
  if (state.n > period) state.value = old === 0 ? 0 : 100 * (value / old - 1);
}
