/**
 * The Turtle rules (Dennis & Eckhardt 1983, as published in Faith, "The Original Turtle Trading Rules", 2003), decided
 * on closes. N is Wilder's average true range over `atrPeriod` bars; channels exclude the current bar.
 *
 * System 1 enters on a close beyond the `entryPeriod`-bar channel and leaves on a close beyond the opposite
 * `exitPeriod`-bar one; it skips a breakout when the one before, taken or not, was a winner (`skipAfterWinner`). System 2
 * enters, always, on a close beyond the `failsafePeriod`-bar channel and leaves beyond the `failsafeExitPeriod`-bar one.
 * The stop lies `stopAtr`·N from the last unit; one unit more is asked for after every `pyramidAtr`·N of gain, at most
 * one a bar, up to `maxUnits`. N is that of the entry until the trade ends. A breakout is a loser when a bar reaches
 * `stopAtr`·N against it or it leaves by the exit channel without profit, else a winner.
 * Departure: the Turtles traded during the bar at the channel's price, here its close decides.
 *
 * Score: side · min(1, base + 0.4·min(1, excess/N)): excess is how far the close stands beyond the channel that was
 * broken, base is 0.4 for system 1 and 0.6 for system 2.
 * A refused entry is followed to its end on paper and not asked for again, except that system 2 asks when a refused
 * system 1 trade also breaks the longer channel. A refused unit is not asked for again at that price and moves no stop.
 */
import { z } from 'zod';
import type { Bar } from '../../domain/bar';
import { type AtrState, addAtr, createAtr } from '../../indicators/atr';
import { addDonchian, createDonchian, type DonchianState } from '../../indicators/donchian';
import { amount, bars, commonParameters } from '../common-parameters';
import { because, confidenceOf, enter, leave, ratioTo, say, stopAt } from '../standing';
import { type BarStrategyDefinition, type IntentSlot, type StepCode, type StepContext, stepCode } from '../strategy';

const parameters = z
  .object({
    ...commonParameters(),
    entryPeriod: bars(2, 500, 20, 'Bars of the system 1 entry channel; higher = rarer breakouts.'),
    exitPeriod: bars(1, 500, 10, 'Bars of the system 1 exit channel; lower = quicker out. Below entry_period.'),
    failsafePeriod: bars(3, 1_000, 55, 'Bars of the system 2 entry channel; higher = rarer. Above entry_period.'),
    failsafeExitPeriod: bars(1, 1_000, 20, 'Bars of the system 2 exit channel. Below failsafe_period.'),
    atrPeriod: bars(2, 200, 20, 'Bars of N, the average true range.'),
    stopAtr: amount(0.1, 20, 2, 'Distance of the stop from the last unit in N; higher = wider and smaller.'),
    pyramidAtr: amount(0.1, 20, 0.5, 'Gain in N after which one unit more is asked for; higher = fewer adds.'),
    maxUnits: bars(1, 10, 4, 'Most units of one trade; 1 = no adding.'),
    skipAfterWinner: z
      .boolean()
      .default(true)
      .describe('Whether system 1 skips a breakout when the one before was a winner; false = more trades.'),
  })
  .refine((p) => p.exitPeriod < p.entryPeriod, { path: ['exitPeriod'], message: 'must be less than entry_period' })
  .refine((p) => p.entryPeriod < p.failsafePeriod, {
    path: ['entryPeriod'],
    message: 'must be less than failsafe_period',
  })
  .refine((p) => p.failsafeExitPeriod < p.failsafePeriod, {
    path: ['failsafeExitPeriod'],
    message: 'must be less than failsafe_period',
  });

type Parameters = z.output<typeof parameters>;

type State = {
  n: number;
  desired: number;
  confidence: number;
  /** System of the trade as the rules see it, filled or not: 1, 2 or 0 for none. */
  system: number;
  /** 1 once the trade was seen to be held. */
  held: number;
  /** Units asked for, the close at the last of them, the channel broken, N at the entry, and the stop. */
  units: number;
  lastPrice: number;
  level: number;
  tradeN: number;
  stop: number;
  /** The stop that a unit asked for brings when it is filled, and the exposure before it; 0 = none asked. */
  askedStop: number;
  askedExposure: number;
  /** The last system 1 breakout, taken or skipped, while its outcome is open: 1, -1 or 0; 1 in `lastWon` when it won. */
  breakout: number;
  breakoutPrice: number;
  breakoutN: number;
  lastWon: number;
  atr: AtrState;
  entry: DonchianState;
  exit: DonchianState;
  failsafe: DonchianState;
  failsafeExit: DonchianState;
};

const reason = { BREAKOUT: 0, FAILSAFE: 1, ADD: 2, EXIT: 3, STOP: 4 } as const;
const outcome = { OPEN: 0, GONE: 1, EXIT: 2, STOP_PASSED: 3 } as const;

function warmup(p: Parameters): number {
  return Math.max(p.failsafePeriod, p.atrPeriod) + 1;
}

function create(p: Parameters): State {
  const trade = { system: 0, held: 0, units: 0, lastPrice: 0, level: 0, tradeN: 0, stop: 0 };
  const asked = { askedStop: 0, askedExposure: 0 };
  const followed = { breakout: 0, breakoutPrice: 0, breakoutN: 0, lastWon: 0 };
  return {
    ...{ n: 0, desired: 0, confidence: 0, ...trade, ...asked, ...followed },
    atr: createAtr(p.atrPeriod),
    entry: createDonchian(p.entryPeriod),
    exit: createDonchian(p.exitPeriod),
    failsafe: createDonchian(p.failsafePeriod),
    failsafeExit: createDonchian(p.failsafeExitPeriod),
  };
}

function step(state: State, bar: Bar, p: Parameters, context: StepContext, intent: IntentSlot): StepCode {
  const { high, low, close } = bar;
  state.n++;
  addAtr(state.atr, high, low, close);
  addDonchian(state.entry, high, low);
  addDonchian(state.exit, high, low);
  addDonchian(state.failsafe, high, low);
  addDonchian(state.failsafeExit, high, low);
  if (state.n < warmup(p)) return stepCode.WARMING;
  const taken = followBreakout(state, bar, p);
  const failsafe = beyond(state.failsafe, close);
  const ended = state.system === 0 ? outcome.OPEN : outcomeOf(state, bar, context);
  if (ended === outcome.STOP_PASSED) return proposeExit(state, bar, p, intent, reason.STOP);
  const isFree = state.system === 0 || ended !== outcome.OPEN;
  if (isFree && taken !== 0) return open(state, bar, p, intent, taken, 1);
  if (isFree && failsafe !== 0) return open(state, bar, p, intent, failsafe, 2);
  if (ended !== outcome.OPEN && context.exposure !== 0) return proposeExit(state, bar, p, intent, reason.EXIT);
  if (isFree) {
    forget(state);
    return stepCode.HOLD;
  }
  const isRefused = state.system === 1 && state.held === 0 && failsafe === state.desired;
  return isRefused ? open(state, bar, p, intent, failsafe, 2) : hold(state, bar, p, context, intent);
}

/** 1 above the channel, -1 below, 0 within. */
function beyond(channel: DonchianState, price: number): number {
  if (price > channel.upper) return 1;
  return price < channel.lower ? -1 : 0;
}

function worst(bar: Bar, side: number): number {
  return side > 0 ? bar.low : bar.high;
}

/** Follows system 1 breakouts to their outcome; answers the side of one that begins here and is not skipped. */
function followBreakout(state: State, bar: Bar, p: Parameters): number {
  const side = state.breakout;
  if (side !== 0) {
    const isStopped = side * (state.breakoutPrice - worst(bar, side)) >= p.stopAtr * state.breakoutN;
    const hasLeft = beyond(state.exit, bar.close) === -side;
    if (!isStopped && !hasLeft) return 0;
    state.lastWon = !isStopped && side * (bar.close - state.breakoutPrice) > 0 ? 1 : 0;
    state.breakout = 0;
  }
  const begins = beyond(state.entry, bar.close);
  if (begins === 0) return 0;
  state.breakout = begins;
  state.breakoutPrice = bar.close;
  state.breakoutN = state.atr.value;
  return p.skipAfterWinner && state.lastWon === 1 ? 0 : begins;
}

/**
 * How the trade stands. While it is held the position says whether its stop was hit; a trade that was refused, or
 * filled and stopped within one bar, is over when the bar reached the stop.
 */
function outcomeOf(state: State, bar: Bar, context: StepContext): number {
  const side = state.desired;
  const isHeld = context.exposure * side > 0;
  if (state.askedStop !== 0) {
    if (isHeld && Math.abs(context.exposure) > state.askedExposure * (1 + 1e-9)) state.stop = state.askedStop;
    state.askedStop = 0;
  }
  if (state.held === 1 && !isHeld) return outcome.GONE;
  if (isHeld) state.held = 1;
  if (state.stop !== 0 && side * (worst(bar, side) - state.stop) <= 0)
    return isHeld ? outcome.STOP_PASSED : outcome.GONE;
  return beyond(exitOf(state), bar.close) === -side ? outcome.EXIT : outcome.OPEN;
}

function exitOf(state: State): DonchianState {
  return state.system === 1 ? state.exit : state.failsafeExit;
}

function open(state: State, bar: Bar, p: Parameters, intent: IntentSlot, side: number, system: number): StepCode {
  const channel = system === 1 ? state.entry : state.failsafe;
  const n = state.atr.value;
  forget(state);
  state.desired = side;
  state.system = system;
  state.units = 1;
  state.lastPrice = bar.close;
  state.level = side > 0 ? channel.upper : channel.lower;
  state.tradeN = n;
  state.stop = stopAt(bar.close, side, p.stopAtr * n);
  const score = scoreOf(state, bar.close);
  state.confidence = confidenceOf(score);
  enter(intent, side, score, ratioTo(bar.close, n), system === 1 ? reason.BREAKOUT : reason.FAILSAFE);
  intent.stopLoss = state.stop;
  because(intent, bar.close, state.level, n, side * (system === 1 ? p.entryPeriod : p.failsafePeriod));
  return stepCode.PROPOSE;
}

function scoreOf(state: State, close: number): number {
  const excess = state.desired * (close - state.level);
  const inN = state.tradeN > 0 ? Math.min(1, Math.max(0, excess / state.tradeN)) : 0;
  return Math.min(1, (state.system === 1 ? 0.4 : 0.6) + 0.4 * inN);
}

function hold(state: State, bar: Bar, p: Parameters, context: StepContext, intent: IntentSlot): StepCode {
  const { desired: side, lastPrice } = state;
  const score = scoreOf(state, bar.close);
  state.confidence = confidenceOf(score);
  const gain = side * (bar.close - lastPrice);
  const asks = state.held === 1 && state.units < p.maxUnits && gain > 0 && gain >= p.pyramidAtr * state.tradeN;
  if (!asks) return stepCode.HOLD;
  state.units++;
  state.lastPrice = bar.close;
  state.askedStop = stopAt(bar.close, side, p.stopAtr * state.tradeN);
  state.askedExposure = Math.abs(context.exposure);
  enter(intent, side, score, ratioTo(bar.close, state.tradeN), reason.ADD);
  intent.add = 1;
  intent.stopLoss = state.askedStop;
  because(intent, bar.close, lastPrice, state.tradeN, side * state.units);
  return stepCode.PROPOSE;
}

function proposeExit(state: State, bar: Bar, p: Parameters, intent: IntentSlot, why: number): StepCode {
  const { desired: side } = state;
  const channel = exitOf(state);
  const period = state.system === 1 ? p.exitPeriod : p.failsafeExitPeriod;
  leave(intent, ratioTo(bar.close, state.atr.value), why);
  if (why === reason.STOP) because(intent, worst(bar, side), state.stop, state.tradeN, side);
  else because(intent, bar.close, side > 0 ? channel.lower : channel.upper, state.tradeN, -side * period);
  forget(state);
  return stepCode.PROPOSE;
}

/** Ends the trade on paper. */
function forget(state: State): void {
  state.desired = 0;
  state.confidence = 0;
  state.system = 0;
  state.held = 0;
  state.units = 0;
  state.stop = 0;
  state.askedStop = 0;
}

const where = (side: number) => (side > 0 ? 'above' : 'below');
const broke = (close: number, level: number, n: number, period: number) =>
  `close ${say(close)} ${where(period)} the ${Math.abs(period)}-bar channel ${say(level)}, N ${say(n)}`;

/** `breakout_strategy`. */
export const breakoutStrategy: BarStrategyDefinition<Parameters, State> = {
  type: 'breakout_strategy',
  family: 'trend_following',
  description:
    'The Turtle rules: enters when the close leaves the channel of the last 20 (or 55) bars, adds as the trade gains, leaves at the opposite 10- (or 20-) bar extreme or at a stop of two average true ranges.',
  parameters,
  tier: 'tactical',
  data: 'bars',
  warmup,
  create,
  step,
  reasons: [
    broke,
    (close, level, n, period) => `${broke(close, level, n, period)} (failsafe entry)`,
    (close, last, n, units) =>
      `close ${say(close)} gained ${say(Math.abs(close - last) / n)} N on the last unit at ${say(last)}: unit ${Math.abs(units)}`,
    (close, level, n, period) => `${broke(close, level, n, period)}: exit`,
    (extreme, stop, _, side) => `the bar's ${side > 0 ? 'low' : 'high'} ${say(extreme)} passed the stop ${say(stop)}`,
  ],
};
