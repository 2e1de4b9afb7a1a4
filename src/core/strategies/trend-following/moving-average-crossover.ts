/**
 * Crossing of a fast and a slow moving average, filtered by the strength of the trend: the classical rule of Appel 1979
 * and Brock, Lakonishok & LeBaron 1992 (variable-length moving averages), with Wilder's ADX (1978) against sideways
 * markets and a stop in multiples of his ATR.
 *
 * Enters when the averages have crossed and ADX is at least `adxThreshold`: at the crossing, or later while it still
 * holds. Before the first crossing it sees it has no opinion. Leaves at the opposite crossing, and turns round there
 * when ADX allows it. Score: side · min(1, ADX / 50), so 0.4 is an ADX of 20. Crossing without enough ADX: `REGIME`.
 */
import { z } from 'zod';
import type { Bar } from '../../domain/bar';
import { type AdxState, addAdx, createAdx } from '../../indicators/adx';
import { type AtrState, addAtr, createAtr } from '../../indicators/atr';
import { addEma, createEma, type EmaState } from '../../indicators/ema';
import { addSma, createSma, type SmaState } from '../../indicators/sma';
import { amount, bars, commonParameters } from '../common-parameters';
import { because, enter, leave, ratioTo, say, stopAt, wish, wishFlat } from '../standing';
import { type BarStrategyDefinition, type IntentSlot, type StepCode, type StepContext, stepCode } from '../strategy';

const parameters = z
  .object({
    ...commonParameters(),
    fastPeriod: bars(2, 500, 12, 'Bars of the fast average; lower = earlier crossings and more false ones.'),
    slowPeriod: bars(3, 1_000, 26, 'Bars of the slow average; higher = longer trends only. Above fast_period.'),
    averageType: z.enum(['ema', 'sma']).default('ema').describe('Exponential (ema, quicker) or simple (sma) averages.'),
    adxPeriod: bars(2, 200, 14, 'Bars of the ADX filter; higher = steadier and later.'),
    adxThreshold: amount(0, 100, 20, 'Least ADX (0–100) for an entry; higher = stronger trends only, 0 = no filter.'),
    atrPeriod: bars(2, 200, 14, 'Bars of the average true range behind the stop.'),
    stopAtr: amount(0, 20, 2, 'Distance of the stop in average true ranges; higher = wider and smaller, 0 = no stop.'),
  })
  .refine((p) => p.fastPeriod < p.slowPeriod, {
    path: ['fastPeriod'],
    message: 'must be less than slow_period',
  });

type Parameters = z.output<typeof parameters>;

type State = {
  n: number;
  /** Side of the averages' difference at the last bar, 0 before they are warm. */
  above: number;
  /** Side of the last crossing seen, 0 before the first. */
  crossed: number;
  desired: number;
  confidence: number;
  waiting: number;
  /** Of the averages only the pair in use is fed. */
  fastEma: EmaState;
  slowEma: EmaState;
  fastSma: SmaState;
  slowSma: SmaState;
  adx: AdxState;
  atr: AtrState;
};

const reason = { CROSSED: 0, CONFIRMED: 1, CROSSED_BACK: 2, TOO_WEAK: 3 } as const;

const rounding = 1e-12;

function warmup(p: Parameters): number {
  return Math.max(p.slowPeriod + 1, 2 * p.adxPeriod, p.atrPeriod + 1);
}

function create(p: Parameters): State {
  const isSma = p.averageType === 'sma';
  return {
    n: 0,
    above: 0,
    crossed: 0,
    desired: 0,
    confidence: 0,
    waiting: 0,
    fastEma: createEma(p.fastPeriod),
    slowEma: createEma(p.slowPeriod),
    fastSma: createSma(isSma ? p.fastPeriod : 1),
    slowSma: createSma(isSma ? p.slowPeriod : 1),
    adx: createAdx(p.adxPeriod),
    atr: createAtr(p.atrPeriod),
  };
}

function feed(state: State, bar: Bar, isSma: boolean): void {
  state.n++;
  if (isSma) {
    addSma(state.fastSma, bar.close);
    addSma(state.slowSma, bar.close);
  } else {
    addEma(state.fastEma, bar.close);
    addEma(state.slowEma, bar.close);
  }
  addAdx(state.adx, bar.high, bar.low, bar.close);
  addAtr(state.atr, bar.high, bar.low, bar.close);
}

function step(state: State, bar: Bar, p: Parameters, context: StepContext, intent: IntentSlot): StepCode {
  const isSma = p.averageType === 'sma';
  feed(state, bar, isSma);
  if (state.n < p.slowPeriod) return stepCode.WARMING;
  const fast = isSma ? state.fastSma.value : state.fastEma.value;
  const slow = isSma ? state.slowSma.value : state.slowEma.value;
  // Equal averages are no side of their own: touching and turning back is not a crossing, and in a market that stands
  // still their last digits are rounding.
  const isTouch = Math.abs(fast - slow) <= rounding * Math.abs(slow);
  const above = isTouch ? state.above : Math.sign(fast - slow);
  const crosses = state.above !== 0 && above !== state.above;
  state.above = above;
  if (state.n < warmup(p)) return stepCode.WARMING;
  if (crosses) state.crossed = above;
  if (state.crossed === 0) return stepCode.HOLD;
  return decide(state, bar, p, context, intent, crosses, fast, slow);
}

function decide(
  state: State,
  bar: Bar,
  p: Parameters,
  context: StepContext,
  intent: IntentSlot,
  crosses: boolean,
  fast: number,
  slow: number,
): StepCode {
  const side = state.crossed;
  const adx = state.adx.adx;
  const volatility = ratioTo(bar.close, state.atr.value);
  const score = Math.min(1, adx / 50);
  if (adx >= p.adxThreshold || state.desired === side) {
    if (!wish(state, side, score, p, context)) return stepCode.HOLD;
    enter(intent, side, score, volatility, crosses ? reason.CROSSED : reason.CONFIRMED);
    intent.stopLoss = stopAt(bar.close, side, p.stopAtr * state.atr.value);
    because(intent, fast, slow, adx, side);
    return stepCode.PROPOSE;
  }
  if (state.desired !== 0 && wishFlat(state, context)) {
    leave(intent, volatility, reason.CROSSED_BACK);
    because(intent, fast, slow, adx, side);
    return stepCode.PROPOSE;
  }
  if (!crosses) return stepCode.HOLD;
  intent.reason = reason.TOO_WEAK;
  because(intent, fast, slow, adx, side);
  return stepCode.REGIME;
}

const where = (side: number) => (side > 0 ? 'above' : 'below');

/** `moving_average_crossover`. */
export const movingAverageCrossover: BarStrategyDefinition<Parameters, State> = {
  type: 'moving_average_crossover',
  family: 'trend_following',
  description:
    'Buys when a fast moving average crosses above a slow one while ADX shows a trend, sells at the opposite crossing; the stop lies a multiple of the average true range away.',
  parameters,
  tier: 'tactical',
  data: 'bars',
  warmup,
  create,
  step,
  reasons: [
    (fast, slow, adx, side) => `fast average ${say(fast)} crossed ${where(side)} slow ${say(slow)}, ADX ${say(adx)}`,
    (fast, slow, adx, side) =>
      `fast average ${say(fast)} ${where(side)} slow ${say(slow)} since its crossing, and now ADX ${say(adx)}`,
    (fast, slow, adx, side) =>
      `fast average ${say(fast)} crossed back ${where(side)} slow ${say(slow)}, ADX ${say(adx)} too low to turn round`,
    (fast, slow, adx, side) =>
      `fast average ${say(fast)} crossed ${where(side)} slow ${say(slow)}, but ADX ${say(adx)} is no trend`,
  ],
};
