/**
 * What a bar strategy wants, kept between bars, and when a change of it is worth a proposal. Shared by the built-in
 * types as free functions over two fields of their state.
 *
 * A proposal can be refused (threshold, cooldown, shorting, limits) and the position then stays as it was. The wish
 * stands nevertheless and is not repeated bar after bar; the next proposal comes with the next change of the wish, or
 * when a wish that was too weak for `confidenceThreshold` first becomes strong enough. Likewise a position that its stop
 * closed is not reopened before the wish has changed.
 */
import type { CommonParameters, IntentSlot, StateShape, StepContext } from './strategy';

/** Fields a type's state has for this. */
export type Standing = StateShape & {
  /** 1 long, -1 short, 0 flat. */
  desired: number;
  /** Of the wish, now: it moves with the market while the wish stands. 0 when flat. */
  confidence: number;
  /** 1 while the wish has only been too weak. */
  waiting: number;
};

/**
 * Confidence of every built-in type: 0.4 + 0.6·|score|, with |score| ≤ 1. A setup that its own rules allow is never
 * worth less than 0.4; how much more it is worth is the score's matter. Uncalibrated: it orders setups, and is not a
 * probability.
 */
export function confidenceOf(score: number): number {
  return 0.4 + 0.6 * Math.min(1, Math.abs(score));
}

/** Wishes to be long (1) or short (-1); true when that must be proposed. */
export function wish(
  state: Standing,
  side: number,
  score: number,
  parameters: CommonParameters,
  context: StepContext,
): boolean {
  const confidence = confidenceOf(score);
  const isStrong = confidence >= parameters.confidenceThreshold;
  state.confidence = confidence;
  if (side !== state.desired) {
    state.desired = side;
    state.waiting = isStrong ? 0 : 1;
    return true;
  }
  if (state.waiting === 0 || !isStrong) return false;
  state.waiting = 0;
  return context.exposure * side <= 0;
}

/** Wishes to be flat; true when there is a position to be closed. */
export function wishFlat(state: Standing, context: StepContext): boolean {
  const changes = state.desired !== 0;
  state.desired = 0;
  state.confidence = 0;
  state.waiting = 0;
  return changes && context.exposure !== 0;
}

/** Writes an entry. `score` is signed by the side; the stop may be 0 (none) and is set by the caller where there is one. */
export function enter(intent: IntentSlot, side: number, score: number, volatilityRatio: number, reason: number): void {
  intent.side = side;
  intent.score = side * Math.min(1, Math.abs(score));
  intent.confidence = confidenceOf(score);
  intent.stopLoss = 0;
  intent.takeProfit = 0;
  intent.add = 0;
  intent.volatilityRatio = volatilityRatio;
  intent.reason = reason;
}

/** Writes an exit: a rule and no forecast, so its score is 0 and its confidence 1. */
export function leave(intent: IntentSlot, volatilityRatio: number, reason: number): void {
  intent.side = 0;
  intent.score = 0;
  intent.confidence = 1;
  intent.stopLoss = 0;
  intent.takeProfit = 0;
  intent.add = 0;
  intent.volatilityRatio = volatilityRatio;
  intent.reason = reason;
}

/** The values that spoke, in the order in which the reason's words name them. */
export function because(intent: IntentSlot, a: number, b: number, c: number, d: number): void {
  intent.a = a;
  intent.b = b;
  intent.c = c;
  intent.d = d;
}

/** `distance` away from the price on the losing side; 0 (no stop) when there is no distance or no positive price left. */
export function stopAt(price: number, side: number, distance: number): number {
  if (distance <= 0) return 0;
  const stop = price - side * distance;
  return price > 0 && stop <= 0 ? 0 : stop;
}

/** Volatility over price; 0 when unknown. */
export function ratioTo(price: number, volatility: number): number {
  return price === 0 ? 0 : volatility / Math.abs(price);
}

/** A number as a person reads it: at most six significant digits. */
export function say(value: number): string {
  return String(Number(value.toPrecision(6)));
}
