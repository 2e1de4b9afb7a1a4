/**
 * The contract of a strategy type. Built-in types are plain functions over flat state, because that is the shape that
 * stays fast with many types at once (no classes, no inheritance, no object per evaluation): `step` answers a code and
 * writes what it wants into the intent it is handed.
 */
import type { z } from 'zod';
import type { Bar } from '../domain/bar';
import type { FamilyMember } from '../domain/signal';
import type { StateShape } from '../domain/state-codec';
import type { Tick } from '../domain/tick';

export type { StateShape };

/** What every type has, besides its own parameters. */
export interface CommonParameters {
  /** 0–1: a proposal whose confidence is below it is silence (`below_threshold`). */
  readonly confidenceThreshold: number;
  /** 0–1: share of the engine's risk per trade that this strategy may lose at its stop; 0 sizes nothing. */
  readonly riskTolerance: number;
  /** Event time to wait after a signal before the next entry in the same symbol. */
  readonly cooldownMs: number;
}

/** What `step` answers. Everything below `PROPOSE` says why there is nothing. */
export const stepCode = {
  /** Not enough data yet. */
  WARMING: 0,
  /** Warm, and nothing to say. */
  HOLD: 1,
  /** Turned down by the type's own filter on the regime (mean reversion in a strong trend); the intent's reason says why. */
  REGIME: 2,
  /** An input it cannot do without is not there; the intent's reason says which. */
  MISSING: 3,
  /** The intent holds a proposal. */
  PROPOSE: 4,
} as const;
export type StepCode = (typeof stepCode)[keyof typeof stepCode];

/**
 * Where `step` writes: one object reused for all evaluations. `reason` indexes the type's `reasons`; `a`…`d` are the
 * values that spoke, rendered into words only when a person will read them.
 */
export interface IntentSlot {
  /** 1 long, -1 short, 0 flat. */
  side: number;
  /** The type's score, -1…1 or as its docstring says. */
  score: number;
  /** 0–1. */
  confidence: number;
  /** Absolute price, or 0 for none. */
  stopLoss: number;
  takeProfit: number;
  /** 1 when it adds to a position in the same direction. */
  add: number;
  /** Relative volatility of one bar (ATR over price, or the like), for sizing without a stop; 0 when unknown. */
  volatilityRatio: number;
  reason: number;
  a: number;
  b: number;
  c: number;
  d: number;
}

/** What a step may know beside the data: the position this strategy holds in this symbol, and the regime. */
export interface StepContext {
  /** Signed exposure; 0 when flat. */
  exposure: number;
  entryPrice: number;
  /** Bars (or ticks) since entry. */
  age: number;
  /** t statistic of the trend on this series, 0 while warming. */
  trendT: number;
  /** Fast over slow volatility on this series, 1 while warming. */
  volatilityRatio: number;
}

interface DefinitionBase<P extends CommonParameters, S extends StateShape> {
  /** snake_case; for ever once released. */
  readonly type: string;
  readonly family: string;
  /** One or two sentences a trader understands; the source of the method stands in the file's docstring. */
  readonly description: string;
  /** Names in camelCase; every one with default, description and, where numeric, bounds. */
  readonly parameters: z.ZodType<P> & z.ZodObject;
  readonly tier: 'fast' | 'tactical' | 'strategic';
  /** Bars or ticks needed: the answer to the `warmup`-th is the first other than WARMING, all before it are WARMING. */
  warmup(parameters: P): number;
  create(parameters: P): S;
  /**
   * Families only: each member's parameters by type. A flat parameter name goes to every member that has it, and
   * `members: {type: {…}}` holds what they were given.
   */
  readonly memberParameters?: ReadonlyMap<string, z.ZodObject>;
  /** Families only: the votes behind the last answer, warm members alone. */
  members?(state: S, parameters: P): readonly FamilyMember[];
  /** Words for a reason code and its values, e.g. `fast EMA 101.2 above slow 100.4, ADX 31`. */
  readonly reasons: readonly ((a: number, b: number, c: number, d: number) => string)[];
}

/** A type that decides on closed bars. */
export interface BarStrategyDefinition<P extends CommonParameters = CommonParameters, S extends StateShape = StateShape>
  extends DefinitionBase<P, S> {
  readonly data: 'bars';
  step(state: S, bar: Bar, parameters: P, context: StepContext, intent: IntentSlot): StepCode;
}

/** One running strategy of a tick type on one symbol. */
export interface TickInstance<P, S> {
  readonly state: S;
  readonly parameters: P;
  readonly context: StepContext;
  /** The desired side that was last proposed; a type proposes on a change of it. */
  desired: number;
}

/** A list that a type's loop writes into: fill the slot, then `push` copies it. Whatever is not pushed is "hold". */
export interface IntentList {
  readonly slot: IntentSlot;
  push(index: number): void;
}

/**
 * A type that decides on every tick. `run` is the type's own written loop over its instances of one symbol: the loop
 * must live in the type's file, or all types share one call site and every call is megamorphic (5–20 times slower).
 */
export interface TickStrategyDefinition<
  P extends CommonParameters = CommonParameters,
  S extends StateShape = StateShape,
> extends DefinitionBase<P, S> {
  readonly data: 'ticks';
  run(instances: readonly TickInstance<P, S>[], tick: Tick, out: IntentList): void;
}

export type StrategyDefinition<P extends CommonParameters = CommonParameters, S extends StateShape = StateShape> =
  | BarStrategyDefinition<P, S>
  | TickStrategyDefinition<P, S>;
