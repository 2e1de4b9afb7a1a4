/**
 * Time-series momentum, Moskowitz, Ooi & Pedersen 2012 ("Time series momentum", JFE 104): the sign of the return over
 * the last `lookback` bars, positions scaled by ex-ante volatility. Theirs are 12 months, monthly rebalancing and a
 * 60-day centre of mass; here the sign is looked at on every bar and the size is set at entry, from the exponentially
 * weighted volatility that goes out with the proposal (without a stop the engine sizes inversely to it).
 *
 * Ours: an entry needs a return of at least `minMomentum` of its own standard deviations, so that a return around zero
 * does not trade (0 is the paper's rule), and volume confirmation: the mean volume of the last `volumePeriod` bars is at
 * least `minVolumeRatio` of that of the lookback. An instrument that reports no volume at all is not held to it. An entry
 * that lacks one of them is made later, when it has it. Leaves when the return's sign turns.
 *
 * Score: side · min(1, |z| / 2), z = log return over the lookback / (volatility · √lookback).
 */
import { z } from 'zod';
import type { Bar } from '../../domain/bar';
import { addEwmaVolatility, createEwmaVolatility, type EwmaVolatilityState } from '../../indicators/ewma-volatility';
import { addRoc, createRoc, type RocState } from '../../indicators/roc';
import { addSma, createSma, type SmaState } from '../../indicators/sma';
import { amount, bars, commonParameters } from '../common-parameters';
import { because, enter, leave, say, stopAt, wish, wishFlat } from '../standing';
import { type BarStrategyDefinition, type IntentSlot, type StepCode, type StepContext, stepCode } from '../strategy';

const parameters = z
  .object({
    ...commonParameters(),
    lookback: bars(
      2,
      900,
      60,
      'Bars of the return whose sign is followed; 252 daily bars are the 12 months of the paper.',
    ),
    minMomentum: amount(0, 5, 0.5, 'Least |return| over the lookback in standard deviations for an entry; 0 = any.'),
    volatilityHalfLife: amount(2, 500, 20, 'Half-life in bars of the volatility that scales return, size and stop.'),
    volumePeriod: bars(1, 500, 5, 'Bars of the recent mean volume that confirms an entry. Up to lookback.'),
    minVolumeRatio: amount(
      0,
      10,
      0.8,
      'Least recent over usual volume for an entry; higher = fewer, 0 = no confirmation.',
    ),
    stopVolatilities: amount(0, 50, 0, 'Distance of the stop in volatilities of one bar; 0 = none, as in the paper.'),
  })
  .refine((p) => p.volumePeriod <= p.lookback, { path: ['volumePeriod'], message: 'must be at most lookback' });

type Parameters = z.output<typeof parameters>;

type State = {
  n: number;
  desired: number;
  confidence: number;
  waiting: number;
  roc: RocState;
  volatility: EwmaVolatilityState;
  recentVolume: SmaState;
  usualVolume: SmaState;
};

const reason = { RIDES: 0, TURNED: 1 } as const;

function warmup(p: Parameters): number {
  return Math.max(p.lookback, Math.ceil(p.volatilityHalfLife)) + 1;
}

function create(p: Parameters): State {
  return {
    n: 0,
    desired: 0,
    confidence: 0,
    waiting: 0,
    roc: createRoc(p.lookback),
    volatility: createEwmaVolatility(p.volatilityHalfLife),
    recentVolume: createSma(p.volumePeriod),
    usualVolume: createSma(p.lookback),
  };
}

function step(state: State, bar: Bar, p: Parameters, context: StepContext, intent: IntentSlot): StepCode {
  state.n++;
  addRoc(state.roc, bar.close);
  addEwmaVolatility(state.volatility, bar.close);
  addSma(state.recentVolume, bar.volume);
  addSma(state.usualVolume, bar.volume);
  if (state.n < warmup(p)) return stepCode.WARMING;
  const momentum = momentumOf(state, p);
  const side = Math.sign(momentum);
  const score = Math.min(1, Math.abs(momentum) / 2);
  const usual = state.usualVolume.value;
  const volumeRatio = usual > 0 ? state.recentVolume.value / usual : 0;
  const isConfirmed = usual <= 0 || volumeRatio >= p.minVolumeRatio;
  const allowed = side !== 0 && Math.abs(momentum) >= p.minMomentum && isConfirmed;
  if (allowed || (side !== 0 && side === state.desired)) {
    if (!wish(state, side, score, p, context)) return stepCode.HOLD;
    propose(state, bar, p, intent, side, score);
    because(intent, state.roc.value, momentum, volumeRatio, p.lookback);
    return stepCode.PROPOSE;
  }
  if (side === state.desired || !wishFlat(state, context)) return stepCode.HOLD;
  leave(intent, state.volatility.value, reason.TURNED);
  because(intent, state.roc.value, momentum, volumeRatio, p.lookback);
  return stepCode.PROPOSE;
}

/** Return over the lookback in standard deviations; 0 where there is none or nothing moves. */
function momentumOf(state: State, p: Parameters): number {
  const growth = 1 + state.roc.value / 100;
  const deviation = state.volatility.value * Math.sqrt(p.lookback);
  return growth > 0 && deviation > 0 ? Math.log(growth) / deviation : 0;
}

function propose(state: State, bar: Bar, p: Parameters, intent: IntentSlot, side: number, score: number): void {
  const volatility = state.volatility.value;
  enter(intent, side, score, volatility, reason.RIDES);
  intent.stopLoss = stopAt(bar.close, side, p.stopVolatilities * volatility * Math.abs(bar.close));
}

const moved = (roc: number, momentum: number, lookback: number) =>
  `return ${say(roc)} % over ${lookback} bars, ${say(momentum)} standard deviations`;

/** `momentum_rider`. */
export const momentumRider: BarStrategyDefinition<Parameters, State> = {
  type: 'momentum_rider',
  family: 'trend_following',
  description:
    'Follows the sign of the return over a long lookback when volume confirms it, sized inversely to volatility, until the sign turns.',
  parameters,
  tier: 'tactical',
  data: 'bars',
  warmup,
  create,
  step,
  reasons: [
    (roc, momentum, volumeRatio, lookback) =>
      `${moved(roc, momentum, lookback)}${volumeRatio > 0 ? `, volume ${say(volumeRatio)} of usual` : ''}`,
    (roc, momentum, _, lookback) => `${moved(roc, momentum, lookback)}: the sign turned`,
  ],
};
