/** The state of an exponential moving average; warm when `n >= warmup`. */
export type EmaState = { n: number; warmup: number; period: number; weight: number; sum: number; value: number };

/**
 * Exponential moving average with weight 2 / (period + 1), seeded with the simple mean of the first `period` values as
 * TA-Lib and Skender do (pandas seeds with the first value and differs early on).
 */
export function createEma(period: number): EmaState {
  return { n: 0, warmup: period, period, weight: 2 / (period + 1), sum: 0, value: 0 };
}

export function addEma(state: EmaState, value: number): void {
  const n = state.n + 1;
  state.n = n;
  const before = state.value;
  if (n > state.period) {
    state.value = before + state.weight * (value - before);
    return;
  }
  state.sum += value;
  if (n === state.period) state.value = state.sum / n;
}
