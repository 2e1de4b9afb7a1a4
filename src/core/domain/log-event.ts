import type { StrategyState } from './strategy';
import type { AssetType, BarInput } from './tick';

/** What the log holds. `data` is plain JSON; money in it is decimal text. */

export interface StrategyRegistered {
  readonly strategyId: string;
  readonly strategyType: string;
  readonly parameters: Record<string, unknown>;
  readonly symbols: readonly string[];
  readonly assetTypes: readonly AssetType[];
  readonly timeframe: string;
  readonly name: string;
  readonly state: StrategyState;
  readonly capital: number | null;
  readonly allowShort: boolean;
  /** Closed bars to warm up on, oldest first. */
  readonly history?: readonly BarInput[];
}

/** The whole new version: folding needs no merge. */
export interface StrategyUpdated {
  readonly strategyId: string;
  readonly parameters: Record<string, unknown>;
  readonly symbols: readonly string[];
  readonly assetTypes: readonly AssetType[];
  readonly timeframe: string;
  readonly name: string;
  readonly state: StrategyState;
}

export interface StrategyArchived {
  readonly strategyId: string;
}

/** An execution as it was accepted. */
export interface ExecutionTracked {
  readonly strategyId: string;
  /** `null`: sent without an id, so a retry of the caller counts again. */
  readonly executionId: string | null;
  /** Net P&L in `currency`, decimal text, exact to 1e-8. */
  readonly pnl: string;
  readonly fees: string;
  readonly success: boolean;
  readonly executionTimeMs: number;
  readonly currency: string;
  readonly status: 'filled' | 'partial' | 'rejected' | 'cancelled' | 'expired';
  readonly mode: 'live' | 'paper' | 'shadow';
  readonly timestampMs: number;
  readonly entryMs: number | null;
  readonly signalId: string | null;
  readonly symbol: string | null;
  readonly side: 'buy' | 'sell' | null;
  readonly quantity: number | null;
  readonly price: number | null;
  readonly positionAfter: number | null;
  readonly notional: number | null;
  readonly leg: number | null;
  readonly strategyVersion: number;
  /** Regime of the symbol when it was tracked, for `by=regime`. */
  readonly regime: string;
}

/** One bounded step of a strategy's parameters, with why. */
export interface AdaptationApplied {
  readonly adaptationId: string;
  readonly strategyId: string;
  readonly stage: 'applied' | 'reverted';
  readonly fromVersion: number;
  readonly from: Record<string, unknown>;
  readonly to: Record<string, unknown>;
  readonly reason: { readonly code: string; readonly text: string };
  readonly evidence: Record<string, unknown>;
  /** The adaptation this one reverses. */
  readonly reverses: string | null;
}

export interface LearningFrozen {
  readonly frozen: boolean;
  readonly reason: string;
}

export interface EventData {
  readonly strategy_registered: StrategyRegistered;
  readonly strategy_updated: StrategyUpdated;
  readonly strategy_archived: StrategyArchived;
  readonly execution_tracked: ExecutionTracked;
  readonly adaptation: AdaptationApplied;
  readonly learning_frozen: LearningFrozen;
}
export type EventType = keyof EventData;

/**
 * The place of an event in a chain that runs through several aggregates: a second aggregate that it belongs to. The log
 * takes it only while that aggregate is at `version - 1`, and raises it to `version` with the event, so no two events
 * take one place. The log keeps the link as it came; what the hashes mean is the appender's.
 */
export interface ChainLink {
  readonly aggregate: string;
  /** Counts from 1. */
  readonly version: number;
  /** `hash` of the event before it in the chain; empty for the first. */
  readonly previous: string;
  readonly hash: string;
}

interface EventOf<T extends EventType> {
  /** Unique per engine; the same id with the same `contentHash` is a duplicate, with another a conflict. */
  readonly id: string;
  readonly contentHash: string;
  readonly type: T;
  /** Schema version of `data`. */
  readonly v: 1;
  /** For instance `strategy:breakout_strategy_001`, `execution`, `audit`. */
  readonly aggregate: string;
  readonly atMs: number;
  readonly actor: string;
  readonly data: EventData[T];
  readonly link?: ChainLink;
}

/** An event to be appended: idempotent by `id`, conditional on `expectedVersion` and `link` where they are given. */
export type NewEvent = {
  readonly [T in EventType]: EventOf<T> & {
    /** The version the aggregate must have now (0 = it must not exist yet); `null` = any. */
    readonly expectedVersion: number | null;
  };
}[EventType];

/** An event of the log. `seq` counts from 1 without gaps; `aggregateVersion` likewise per aggregate. */
export type LogEvent = {
  readonly [T in EventType]: EventOf<T> & { readonly seq: number; readonly aggregateVersion: number };
}[EventType];
