/** The state of the true range; warm when `n >= warmup`. */
export type TrueRangeState = { n: number; warmup: number; previousClose: number; value: number };

/** Wilder 1978: the bar's range, extended to the close before it. */
export function trueRangeOf(high: number, low: number, previousClose: number): number {
  return Math.max(high, previousClose) - Math.min(low, previousClose);
}

/** True range; the first bar has none, since there is no close before it. */
export function createTrueRange(): TrueRangeState {
  return { n: 0, warmup: 2, previousClose: 0, value: 0 };
}

export function addTrueRange(state: TrueRangeState, high: number, low: number, close: number): void {
  if (state.n > 0) state.value = trueRangeOf(high, low, state.previousClose);
  state.previousClose = close;
  state.n++;
}
