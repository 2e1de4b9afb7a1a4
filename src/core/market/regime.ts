/**
 * The regime of one series, concluded on bar close from its features. A label changes only after its candidate has been
 * the same for `dwellBars` bars, and the way out of a label has a lower threshold than the way in.
 *
 * - volatility: fast over slow volatility; high from 1.40 (until below 1.25), low from 0.72 (until above 0.80).
 * - trend: |t| of the mean log return over 60 bars; moderate from 1.65, strong from 2.2. On a driftless walk t exceeds
 *   them in 10.4 % and 3.2 % of bars (Student's t, 59 degrees of freedom); with confirmation and hysteresis 6 % of the
 *   bars are called moderate and 4 % strong, also with heavy tails.
 * - stress, a first approximation of "P(high volatility) > 0.95 and return z < -4": a bar that fell by more than 4 slow
 *   volatilities while the ratio is at its high threshold. It needs no confirmation, and holds for at least `dwellBars`
 *   bars and then until the ratio is below the way out of high.
 *
 * `unknown` until `warmupBars` bars. Whether a feed is stale is known outside; this knows only bars.
 */
import type { MarketRegime, Regime, TrendLabel, VolatilityLabel } from '../domain/regime';
import type { Features } from './features';

/** Bars before any label but `unknown`. */
export const warmupBars = 200;
/** Bars a candidate must hold before it becomes the label. */
export const dwellBars = 5;
/** Thresholds of fast over slow volatility. */
export const volatilityThresholds = { highIn: 1.4, highOut: 1.25, lowIn: 0.72, lowOut: 0.8 } as const;
/** Thresholds of |t|; the way out is a tenth lower. */
export const trendThresholds = { moderate: 1.65, strong: 2.2, outShare: 0.9 } as const;
const stressZ = -4;

const volatilities: readonly VolatilityLabel[] = ['low', 'normal', 'high'];
const trends: readonly TrendLabel[] = ['weak', 'moderate', 'strong'];

/** Confirmed labels as indexes, their candidates and for how many bars these have stood. */
export type RegimeState = {
  volatility: number;
  volatilityCandidate: number;
  volatilityBars: number;
  trend: number;
  trendCandidate: number;
  trendBars: number;
  /** 1 or -1 while there is a confirmed trend. */
  direction: number;
  /** Bars since stress began; 0 when there is none. */
  stressBars: number;
};

/** Normal, weak, nothing pending. */
export function createRegimeState(): RegimeState {
  return {
    volatility: 1,
    volatilityCandidate: 1,
    volatilityBars: 0,
    trend: 0,
    trendCandidate: 0,
    trendBars: 0,
    direction: 0,
    stressBars: 0,
  };
}

/** The regime before the first bar. */
export const unknownRegime: Regime = {
  label: 'unknown',
  volatility: null,
  trendStrength: null,
  volatilityRatio: null,
  trendT: null,
  sinceMs: 0,
  bars: 0,
  warmupBars,
};

function volatilityNow(ratio: number, held: number): number {
  const t = volatilityThresholds;
  if (ratio >= (held === 2 ? t.highOut : t.highIn)) return 2;
  return ratio <= (held === 0 ? t.lowOut : t.lowIn) ? 0 : 1;
}

function trendNow(absT: number, held: number): number {
  const t = trendThresholds;
  if (absT >= (held === 2 ? t.strong * t.outShare : t.strong)) return 2;
  return absT >= (held >= 1 ? t.moderate * t.outShare : t.moderate) ? 1 : 0;
}

function confirmVolatility(state: RegimeState, ratio: number): void {
  const now = volatilityNow(ratio, state.volatility);
  state.volatilityBars = now === state.volatilityCandidate ? state.volatilityBars + 1 : 1;
  state.volatilityCandidate = now;
  if (state.volatilityBars >= dwellBars) state.volatility = now;
}

function confirmTrend(state: RegimeState, trendT: number): void {
  const now = trendNow(Math.abs(trendT), state.trend);
  state.trendBars = now === state.trendCandidate ? state.trendBars + 1 : 1;
  state.trendCandidate = now;
  if (state.trendBars >= dwellBars) state.trend = now;
  if (trendT !== 0) state.direction = trendT > 0 ? 1 : -1;
}

function followStress(state: RegimeState, features: Features): void {
  const begins = features.returnZ < stressZ && features.volatilityRatio >= volatilityThresholds.highIn;
  if (begins) state.stressBars = 1;
  else if (state.stressBars > 0) {
    const isOver = state.stressBars >= dwellBars && features.volatilityRatio < volatilityThresholds.highOut;
    state.stressBars = isOver ? 0 : state.stressBars + 1;
  }
}

/** The first that matches, in the contract's order. */
function labelOf(state: RegimeState): MarketRegime {
  const up = state.direction > 0;
  if (state.stressBars > 0) return 'stress';
  if (state.volatility === 2 && state.trend === 2) return up ? 'volatile_trending_up' : 'volatile_trending_down';
  if (state.volatility === 2 && state.trend === 0) return 'volatile_ranging';
  if (state.trend >= 1) return up ? 'trending_up' : 'trending_down';
  return 'ranging';
}

/** The regime after a bar that ended at `endMs` and whose features are already in. `before` is the regime until then. */
export function classify(state: RegimeState, features: Features, endMs: number, before: Regime): Regime {
  confirmVolatility(state, features.volatilityRatio);
  confirmTrend(state, features.trendT);
  followStress(state, features);
  const isWarm = features.bars >= warmupBars;
  const label = isWarm ? labelOf(state) : 'unknown';
  return {
    label,
    volatility: isWarm ? (volatilities[state.volatility] ?? null) : null,
    trendStrength: isWarm ? (trends[state.trend] ?? null) : null,
    volatilityRatio: isWarm ? features.volatilityRatio : null,
    trendT: isWarm ? features.trendT : null,
    sinceMs: label === before.label && before.bars > 0 ? before.sinceMs : endMs,
    bars: features.bars,
    warmupBars,
  };
}
