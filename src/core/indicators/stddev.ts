/** The state of a rolling mean and population standard deviation; warm when `n >= warmup`. */
export type StddevState = {
  n: number;
  warmup: number;
  period: number;
  at: number;
  /** Sums are of differences to this level: squares of prices would cancel to nothing at 1e7. */
  base: number;
  sum: number;
  square: number;
  peak: number;
  mean: number;
  value: number;
  window: Float64Array;
};

/** When the variance falls below this share of the largest square sum since the last fresh start, digits are lost. */
const freshStart = 1e-3;

/** Population standard deviation (and mean) of the last `period` values; exactly 0 for a constant window. */
export function createStddev(period: number): StddevState {
  const counts = { n: 0, warmup: period, period, at: 0 };
  const sums = { base: 0, sum: 0, square: 0, peak: 0, mean: 0, value: 0 };
  return { ...counts, ...sums, window: new Float64Array(period) };
}

export function addStddev(state: StddevState, value: number): void {
  const { window, at, period, base } = state;
  const old = (window[at] as number) - base;
  window[at] = value;
  state.n++;
  state.at = at + 1 === period ? 0 : at + 1;
  if (state.n < period) return;
  if (state.at === 0 || state.n === period) {
    startAfresh(state);
    return;
  }
  const difference = value - base;
  state.sum += difference - old;
  state.square += difference * difference - old * old;
  if (state.square > state.peak) state.peak = state.square;
  conclude(state);
}

/** Sums over the window itself, around its own mean; once per turn of the window, so still O(1) a value. */
function startAfresh(state: StddevState): void {
  const { window, period } = state;
  const first = window[0] as number;
  let sum = 0;
  for (let i = 0; i < period; i++) sum += (window[i] as number) - first;
  const base = first + sum / period;
  state.base = base;
  state.sum = 0;
  state.square = 0;
  for (let i = 0; i < period; i++) {
    const difference = (window[i] as number) - base;
    state.sum += difference;
    state.square += difference * difference;
  }
  state.peak = state.square;
  settle(state, state.square - (state.sum * state.sum) / period);
}

function conclude(state: StddevState): void {
  const squares = state.square - (state.sum * state.sum) / state.period;
  if (squares < state.peak * freshStart) startAfresh(state);
  else settle(state, squares);
}

function settle(state: StddevState, squares: number): void {
  state.mean = state.base + state.sum / state.period;
  state.value = squares > 0 ? Math.sqrt(squares / state.period) : 0;
}
