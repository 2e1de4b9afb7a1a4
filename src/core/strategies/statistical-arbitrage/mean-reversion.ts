/**
 * Reversion to the mean of one price. Three forms of the setup, one at a time (`method`):
 * - `zscore`: enters against a close of at least `entryZ` population standard deviations from its mean, leaves within
 *   `exitZ` of it (Chan, "Algorithmic Trading", 2013, ch. 2–3);
 * - `bollinger`: enters when the close returns inside the bands of `entryZ` deviations after one outside, leaves at the
 *   middle band (Bollinger 2001);
 * - `rsi`: enters at an RSI of at most `rsiEntry` (short: at least 100 − `rsiEntry`), leaves at 50 (Wilder 1978).
 *
 * Entries are off (`REGIME`) in a strong trend, |t| of the series at least `maxTrendT`, and where an AR(1) fit shows no
 * pull back within `maxHalfLife` bars. A trade that has not reverted after `timeStopHalfLives` half-lives, as they were
 * at its entry, is left, and not entered again before the exit condition has been met. Stop in average true ranges;
 * target: the mean at entry (not for `rsi`). A running trade is not left because a trend appears: its stop is for that.
 *
 * Score: side · min(1, |z| / 4), with z of the close outside for `bollinger`; for `rsi` side · |RSI − 50| / 50.
 */
import { z } from 'zod';
import type { Bar } from '../../domain/bar';
import { type Ar1State, addAr1, createAr1, halfLifeOf } from '../../indicators/ar1';
import { type AtrState, addAtr, createAtr } from '../../indicators/atr';
import { addRsi, createRsi, type RsiState } from '../../indicators/rsi';
import { addZscore, createZscore, type ZscoreState } from '../../indicators/zscore';
import { amount, bars, commonParameters } from '../common-parameters';
import { because, confidenceOf, enter, leave, ratioTo, say, stopAt, wish, wishFlat } from '../standing';
import { type BarStrategyDefinition, type IntentSlot, type StepCode, type StepContext, stepCode } from '../strategy';

const parameters = z
  .object({
    ...commonParameters(),
    method: z
      .enum(['zscore', 'bollinger', 'rsi'])
      .default('zscore')
      .describe('Setup: far from the mean (zscore), back inside the bands (bollinger), or oversold/overbought (rsi).'),
    lookback: bars(3, 900, 20, 'Bars of the mean and the deviation; higher = slower and rarer.'),
    entryZ: amount(0.5, 6, 2, 'Deviations from the mean for an entry, and width of the bands; higher = rarer.'),
    exitZ: amount(0, 3, 0.5, 'Deviations from the mean at which zscore leaves; lower = longer. Below entry_z.'),
    rsiPeriod: bars(2, 200, 14, 'Bars of the RSI.'),
    rsiEntry: amount(1, 49, 30, 'RSI at or below which rsi buys (sells at 100 minus it); lower = rarer.'),
    halfLifeWindow: bars(20, 900, 100, 'Bars of the AR(1) fit behind the half-life.'),
    maxHalfLife: amount(
      0,
      1_000,
      30,
      'Longest half-life in bars for an entry; lower = quicker reversion only, 0 = any.',
    ),
    maxTrendT: amount(0, 20, 2.2, 'Trend t statistic from which on entries are off; lower = stricter, 0 = never off.'),
    timeStopHalfLives: amount(0, 50, 3, 'Half-lives after which a trade is left unreverted; 0 = no limit.'),
    atrPeriod: bars(2, 200, 14, 'Bars of the average true range behind the stop.'),
    stopAtr: amount(0, 20, 3, 'Distance of the stop in average true ranges; higher = wider and smaller, 0 = no stop.'),
  })
  .refine((p) => p.exitZ < p.entryZ, { path: ['exitZ'], message: 'must be less than entry_z' });

type Parameters = z.output<typeof parameters>;

type State = {
  n: number;
  desired: number;
  confidence: number;
  waiting: number;
  /** Bars after which the trade is left; 0 = no limit. */
  holdBars: number;
  /** Side whose trade ran out of time: not entered again before the exit condition. */
  spent: number;
  previousZ: number;
  zscore: ZscoreState;
  rsi: RsiState;
  ar1: Ar1State;
  atr: AtrState;
};

const reason = { FAR: 0, RETURNED: 1, RSI: 2, REVERTED: 3, RSI_REVERTED: 4, TIME: 5, TREND: 6, SLOW: 7 } as const;

function warmup(p: Parameters): number {
  return Math.max(p.lookback, p.rsiPeriod + 1, p.halfLifeWindow + 1, p.atrPeriod + 1);
}

function create(p: Parameters): State {
  return {
    n: 0,
    desired: 0,
    confidence: 0,
    waiting: 0,
    holdBars: 0,
    spent: 0,
    previousZ: 0,
    zscore: createZscore(p.lookback),
    rsi: createRsi(p.rsiPeriod),
    ar1: createAr1(p.halfLifeWindow),
    atr: createAtr(p.atrPeriod),
  };
}

function step(state: State, bar: Bar, p: Parameters, context: StepContext, intent: IntentSlot): StepCode {
  const previousZ = state.previousZ;
  state.n++;
  addZscore(state.zscore, bar.close);
  addRsi(state.rsi, bar.close);
  addAr1(state.ar1, bar.close);
  addAtr(state.atr, bar.high, bar.low, bar.close);
  const z = state.zscore.value;
  state.previousZ = z;
  if (state.n < warmup(p)) return stepCode.WARMING;
  if (state.spent !== 0 && hasReverted(state, p, state.spent)) state.spent = 0;
  const side = setupOf(state, p, previousZ);
  if (side !== 0 && side !== state.desired && side !== state.spent) {
    const code = tryEntry(state, bar, p, context, intent, side, p.method === 'bollinger' ? previousZ : z);
    if (code !== stepCode.REGIME || state.desired === 0) return code;
  }
  return state.desired === 0 ? stepCode.HOLD : manage(state, bar, p, context, intent);
}

/** Side of a setup on this bar: against the deviation; 0 for none. */
function setupOf(state: State, p: Parameters, previousZ: number): number {
  const z = state.zscore.value;
  if (p.method === 'rsi') {
    if (state.rsi.value <= p.rsiEntry) return 1;
    return state.rsi.value >= 100 - p.rsiEntry ? -1 : 0;
  }
  if (p.method === 'zscore') return Math.abs(z) >= p.entryZ ? -Math.sign(z) : 0;
  const wasOutside = Math.abs(previousZ) >= p.entryZ;
  return wasOutside && Math.abs(z) < p.entryZ && z * previousZ > 0 ? -Math.sign(previousZ) : 0;
}

function scoreOf(state: State, p: Parameters, z: number): number {
  return p.method === 'rsi' ? Math.abs(state.rsi.value - 50) / 50 : Math.min(1, Math.abs(z) / 4);
}

function tryEntry(
  state: State,
  bar: Bar,
  p: Parameters,
  context: StepContext,
  intent: IntentSlot,
  side: number,
  z: number,
): StepCode {
  const why = filterOf(state, p, context);
  if (why !== 0) {
    intent.reason = why;
    const isTrend = why === reason.TREND;
    because(intent, z, isTrend ? context.trendT : halfLife(state), isTrend ? p.maxTrendT : p.maxHalfLife, side);
    return stepCode.REGIME;
  }
  const score = scoreOf(state, p, z);
  if (!wish(state, side, score, p, context)) return stepCode.HOLD;
  propose(state, bar, p, intent, side, score, z);
  return stepCode.PROPOSE;
}

/** Reason why entries are off, 0 when they are not. */
function filterOf(state: State, p: Parameters, context: StepContext): number {
  if (p.maxTrendT > 0 && Math.abs(context.trendT) >= p.maxTrendT) return reason.TREND;
  return p.maxHalfLife > 0 && halfLifeOf(state.ar1.phi) > p.maxHalfLife ? reason.SLOW : 0;
}

/** In bars, -1 when the fit shows no pull back: intents hold finite numbers. */
function halfLife(state: State): number {
  const found = halfLifeOf(state.ar1.phi);
  return Number.isFinite(found) ? found : -1;
}

/** A half-life below one bar is one bar: nothing can be seen to revert faster than bars come. */
function holdBarsOf(state: State, p: Parameters): number {
  const limit = Math.ceil(p.timeStopHalfLives * Math.max(1, halfLifeOf(state.ar1.phi)));
  return Number.isFinite(limit) ? limit : 0;
}

function propose(
  state: State,
  bar: Bar,
  p: Parameters,
  intent: IntentSlot,
  side: number,
  score: number,
  z: number,
): void {
  const { close } = bar;
  const mean = state.zscore.stddev.mean;
  const why = { zscore: reason.FAR, bollinger: reason.RETURNED, rsi: reason.RSI }[p.method];
  state.holdBars = holdBarsOf(state, p);
  state.spent = 0;
  enter(intent, side, score, ratioTo(close, state.atr.value), why);
  intent.stopLoss = stopAt(close, side, p.stopAtr * state.atr.value);
  if (p.method !== 'rsi' && side * (mean - close) > 0) intent.takeProfit = mean;
  because(intent, p.method === 'rsi' ? state.rsi.value : z, close, mean, halfLife(state));
}

/** Whether the exit condition of a trade on `side` is met. */
function hasReverted(state: State, p: Parameters, side: number): boolean {
  if (p.method === 'rsi') return side * (state.rsi.value - 50) >= 0;
  return side * state.zscore.value >= (p.method === 'zscore' ? -p.exitZ : 0);
}

function manage(state: State, bar: Bar, p: Parameters, context: StepContext, intent: IntentSlot): StepCode {
  const { desired: side, holdBars } = state;
  const volatility = ratioTo(bar.close, state.atr.value);
  const value = p.method === 'rsi' ? state.rsi.value : state.zscore.value;
  if (hasReverted(state, p, side)) {
    if (!wishFlat(state, context)) return stepCode.HOLD;
    leave(intent, volatility, p.method === 'rsi' ? reason.RSI_REVERTED : reason.REVERTED);
    because(intent, value, bar.close, state.zscore.stddev.mean, 0);
    return stepCode.PROPOSE;
  }
  if (holdBars > 0 && context.exposure * side > 0 && context.age >= holdBars && wishFlat(state, context)) {
    state.spent = side;
    leave(intent, volatility, reason.TIME);
    because(intent, value, bar.close, context.age, holdBars);
    return stepCode.PROPOSE;
  }
  return standing(state, bar, p, context, intent);
}

/** The setup stands: it grows or fades with the deviation, and is asked for once it has become strong enough. */
function standing(state: State, bar: Bar, p: Parameters, context: StepContext, intent: IntentSlot): StepCode {
  const { desired: side } = state;
  const z = state.zscore.value;
  const score = scoreOf(state, p, z);
  if (filterOf(state, p, context) !== 0) {
    state.confidence = confidenceOf(score);
    return stepCode.HOLD;
  }
  if (!wish(state, side, score, p, context)) return stepCode.HOLD;
  propose(state, bar, p, intent, side, score, z);
  return stepCode.PROPOSE;
}

const speed = (halfLife: number) => (halfLife >= 0 ? `half-life ${say(halfLife)} bars` : 'no half-life');

/** `mean_reversion`. */
export const meanReversion: BarStrategyDefinition<Parameters, State> = {
  type: 'mean_reversion',
  family: 'statistical_arbitrage',
  description:
    'Trades against a price that stands far from its mean and leaves when it has come back; off in strong trends and where the price shows no pull back.',
  parameters,
  tier: 'tactical',
  data: 'bars',
  warmup,
  create,
  step,
  reasons: [
    (z, close, mean, halfLife) =>
      `close ${say(close)} is ${say(z)} deviations from its mean ${say(mean)}, ${speed(halfLife)}`,
    (z, close, mean, halfLife) =>
      `close ${say(close)} is back inside the bands after ${say(z)} deviations, mean ${say(mean)}, ${speed(halfLife)}`,
    (rsi, close, _, halfLife) => `RSI ${say(rsi)} at close ${say(close)}, ${speed(halfLife)}`,
    (z, close, mean) => `close ${say(close)} is back at ${say(z)} deviations from its mean ${say(mean)}`,
    (rsi, close) => `RSI back at ${say(rsi)} at close ${say(close)}`,
    (_, close, age, holdBars) => `not reverted after ${age} bars (limit ${holdBars}) at close ${say(close)}`,
    (z, t, limit) => `${say(z)} deviations, but the trend is strong: t ${say(t)}, limit ${say(limit)}`,
    (z, halfLife, limit) => `${say(z)} deviations, but ${speed(halfLife)}, limit ${say(limit)}`,
  ],
};
