/** The state of a rolling AR(1) fit; warm when `n >= warmup`. */
export type Ar1State = {
  n: number;
  warmup: number;
  /** Pairs (previous, next) in the fit. */
  period: number;
  at: number;
  base: number;
  sumX: number;
  sumY: number;
  sumXx: number;
  sumXy: number;
  peak: number;
  /** Slope of next on previous: below 1 the series pulls back, 1 or more it does not. */
  phi: number;
  window: Float64Array;
};

const freshStart = 1e-3;

/**
 * Least squares of x[t] = c + φ·x[t−1] over the last `period` pairs (Hamilton 1994, ch. 3). φ of a short window is
 * biased downwards by about (1 + 3φ) / period (Kendall 1954), so half-lives read somewhat too short. A series that has
 * not moved has φ = 1: nothing speaks for a pull back.
 */
export function createAr1(period: number): Ar1State {
  const counts = { n: 0, warmup: period + 1, period, at: 0 };
  const sums = { base: 0, sumX: 0, sumY: 0, sumXx: 0, sumXy: 0, peak: 0, phi: 1 };
  return { ...counts, ...sums, window: new Float64Array(period + 1) };
}

/** Steps until half of a deviation is gone: −ln 2 / ln φ; 0 when φ ≤ 0 and Infinity when φ ≥ 1. */
export function halfLifeOf(phi: number): number {
  if (phi >= 1) return Number.POSITIVE_INFINITY;
  return phi <= 0 ? 0 : -Math.LN2 / Math.log(phi);
}

export function addAr1(state: Ar1State, value: number): void {
  const { window, at, base } = state;
  const size = window.length;
  const oldX = (window[at] as number) - base;
  const oldY = (window[at + 1 === size ? 0 : at + 1] as number) - base;
  const x = (window[at === 0 ? size - 1 : at - 1] as number) - base;
  const y = value - base;
  window[at] = value;
  state.at = at + 1 === size ? 0 : at + 1;
  state.n++;
  if (state.n < size) return;
  if (state.n === size || state.at === 0) {
    startAfresh(state);
    return;
  }
  state.sumX += x - oldX;
  state.sumY += y - oldY;
  state.sumXx += x * x - oldX * oldX;
  state.sumXy += x * y - oldX * oldY;
  if (state.sumXx > state.peak) state.peak = state.sumXx;
  const squares = state.sumXx - (state.sumX * state.sumX) / state.period;
  if (squares < state.peak * freshStart) startAfresh(state);
  else settle(state, squares);
}

/** Sums over the window itself, around its own mean; once per turn of the window. */
function startAfresh(state: Ar1State): void {
  const { window, at } = state;
  const size = window.length;
  const first = window[0] as number;
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (window[i] as number) - first;
  const base = first + sum / size;
  state.base = base;
  state.sumX = 0;
  state.sumY = 0;
  state.sumXx = 0;
  state.sumXy = 0;
  let x = (window[at] as number) - base;
  for (let i = 1; i < size; i++) {
    const y = (window[(at + i) % size] as number) - base;
    state.sumX += x;
    state.sumY += y;
    state.sumXx += x * x;
    state.sumXy += x * y;
    x = y;
  }
  state.peak = state.sumXx;
  settle(state, state.sumXx - (state.sumX * state.sumX) / state.period);
}

function settle(state: Ar1State, squares: number): void {
  state.phi = squares > 0 ? (state.sumXy - (state.sumX * state.sumY) / state.period) / squares : 1;
}
