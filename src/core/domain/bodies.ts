/**
 * What the verbs of an engine (`verbs.ts`) take and give: the contract's bodies in camelCase, without `status`. Every door
 * (library, HTTP, nodes) speaks these; `wire/` maps them to snake_case. Collections keyed by ids or names of the user's
 * are Maps, so that the mapping knows which keys are field names and which are data.
 */
import type { Decision } from './decision';
import type { MarketRegime } from './regime';
import type { Signal } from './signal';
import type { StrategyState } from './strategy';
import type { AssetType, FeedPosition, MarketItem } from './tick';

export interface Rejection {
  /** Index in what was sent. */
  readonly index: number;
  /** For instance `market_data[3].price`. */
  readonly path: string;
  readonly message: string;
  readonly received?: unknown;
}

/** Market data after the border: valid items, and what was refused of the same message. */
export interface MarketDataInput {
  readonly items: readonly MarketItem[];
  /** `indexes[i]` is where `items[i]` stood in what was sent. */
  readonly indexes: readonly number[];
  readonly rejected: readonly Rejection[];
  /** How many were sent (accepted + rejected). */
  readonly received: number;
  readonly door: 'live' | 'ordered';
  readonly arrivalMs: number;
  /** The engine evaluates a batch once and keeps its result for others that ask with the same id. */
  readonly batchId?: string;
  readonly position?: FeedPosition;
}

export interface MarketDataResult {
  readonly strategiesApplied: number;
  readonly signalsGenerated: number;
  readonly signals: readonly Signal[];
  /** What is not "hold", and changes of reason, caused by this batch. */
  readonly decisions: readonly Decision[];
  readonly ticksAccepted: number;
  readonly ticksRejected: number;
  readonly rejected: readonly Rejection[];
  readonly executionTimeMs: number;
}

export interface RegisterInput {
  readonly strategyType: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly assetTypes?: readonly AssetType[];
  readonly symbols?: readonly string[];
  readonly timeframe?: string;
  readonly name?: string;
  readonly strategyId?: string;
  readonly capital?: number;
  readonly allowShort?: boolean;
  readonly state?: StrategyState;
  /** Closed bars to warm up on, oldest first. */
  readonly history?: readonly MarketItem[];
  readonly idempotencyKey?: string;
  readonly actor?: string;
}

export interface RegisterResult {
  readonly strategyId: string;
  readonly registrationTime: string;
  readonly version: number;
  readonly warnings: readonly string[];
}

export interface UpdateInput {
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly assetTypes?: readonly AssetType[];
  readonly symbols?: readonly string[];
  readonly timeframe?: string;
  readonly name?: string;
  readonly state?: StrategyState;
  readonly expectedVersion?: number;
  readonly actor?: string;
}

export interface UpdateResult {
  readonly strategyId: string;
  readonly version: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

export interface ParameterView {
  readonly value: unknown;
  readonly default: unknown;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly description: string;
}

export interface StrategyView {
  readonly strategyId: string;
  readonly strategyType: string;
  readonly family: string;
  readonly name: string;
  readonly state: StrategyState | 'archived';
  readonly version: number;
  readonly symbols: readonly string[];
  readonly assetTypes: readonly AssetType[];
  readonly timeframe: string;
  readonly capital: number | null;
  readonly allowShort: boolean;
  readonly registrationTime: string;
  /** By parameter name, camelCase. */
  readonly parameters: Readonly<Record<string, ParameterView>>;
  readonly warm: boolean;
  readonly signals: number;
}

export interface VersionView {
  readonly version: number;
  readonly at: string;
  readonly actor: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly symbols: readonly string[];
  readonly assetTypes: readonly AssetType[];
  readonly timeframe: string;
  readonly name: string;
  readonly state: StrategyState;
}

export interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

export interface TypeView {
  readonly type: string;
  readonly family: string;
  readonly description: string;
  readonly inputs: readonly string[];
  readonly tier: 'fast' | 'tactical' | 'strategic';
  /** JSON Schema of the parameters, names in snake_case, each with `default`, `description`, bounds. */
  readonly parameters: ReadonlyMap<string, unknown>;
}

export interface ExecutionResult {
  readonly pnl: number;
  readonly success: boolean;
  readonly executionTimeMs: number;
  readonly executionId?: string;
  readonly signalId?: string;
  readonly symbol?: string;
  readonly side?: 'buy' | 'sell';
  readonly quantity?: number;
  readonly price?: number;
  readonly fees?: number;
  readonly pnlIsGross?: boolean;
  readonly currency?: string;
  readonly status?: 'filled' | 'partial' | 'rejected' | 'cancelled' | 'expired';
  readonly positionAfter?: number;
  readonly mode?: 'live' | 'paper' | 'shadow';
  readonly notional?: number;
  /** ms since the epoch. */
  readonly timestampMs?: number;
  readonly entryTimeMs?: number;
  readonly leg?: number;
  readonly strategyVersion?: number;
}

export interface TrackInput {
  readonly strategyId: string;
  readonly executionResult: ExecutionResult;
  readonly idempotencyKey?: string;
  readonly actor?: string;
}

/** Every metric of `design/metrics.md` that this version computes; undefined ones are `null` with a reason. */
export interface Performance {
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Metric name → reason code, for every `null`. */
  readonly reasons: Readonly<Record<string, string>>;
  readonly basis: 'money' | 'capital';
  readonly periodsPerYear: number;
  readonly dayRule: string;
  /** Currency the money figures are in; `null` when several (then totals are per currency). */
  readonly currency: string | null;
  readonly totals: ReadonlyMap<string, number>;
  /** Executions whose `success` and sign of `pnl` disagree. */
  readonly disagreements: number;
  readonly reliable: boolean;
}

export interface TrackResult {
  readonly performanceUpdated: boolean;
  readonly newMetrics: Performance['metrics'];
  readonly reasons: Performance['reasons'];
  readonly duplicate: boolean;
  readonly deduplicated: boolean;
}

export interface PerformanceQuery {
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly by?: 'version' | 'symbol' | 'regime';
  readonly curve?: boolean;
  /** Symbol whose price is the benchmark. */
  readonly benchmark?: string;
}

export interface PerformanceResult extends Performance {
  /** `null` for all strategies together. */
  readonly strategyId: string | null;
  /** Which executions count: real and simulated ones are never added. */
  readonly mode?: 'live' | 'paper' | 'shadow';
  /** Executions of other modes, not counted here. */
  readonly otherModes?: ReadonlyMap<string, number>;
  readonly groups?: ReadonlyMap<string, Performance>;
  readonly curve?: readonly {
    readonly timestamp: string;
    readonly pnl: number;
  }[];
}

export interface ForceAdaptationInput {
  readonly strategyType?: string;
  readonly strategyId?: string;
  readonly marketConditions?: {
    readonly volatility?: 'low' | 'normal' | 'high' | number;
    readonly trendStrength?: 'weak' | 'moderate' | 'strong' | number;
  };
  readonly dryRun?: boolean;
  readonly actor?: string;
}

export interface AdaptationView {
  readonly adaptationId: string;
  readonly strategyId: string;
  readonly stage: 'applied' | 'proposed' | 'refused' | 'reverted';
  readonly applied: boolean;
  readonly from: Readonly<Record<string, unknown>>;
  readonly to: Readonly<Record<string, unknown>>;
  readonly reason: { readonly code: string; readonly text: string };
  readonly evidence: Readonly<Record<string, unknown>>;
  /** How to undo it: the route to call, or `null` when there is nothing to undo. */
  readonly revert: string | null;
  readonly at: string;
}

export interface ForceAdaptationResult {
  readonly adaptationTriggered: boolean;
  /** Flat when one strategy was meant, else by strategy id. */
  readonly newParameters: Readonly<Record<string, unknown>> | ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly adaptations: readonly AdaptationView[];
  readonly reason?: { readonly code: string; readonly text: string };
}

export interface Insights {
  readonly marketRegime: MarketRegime;
  readonly optimalStrategies: readonly string[];
  readonly performanceTrends: 'improving' | 'stable' | 'declining' | 'unknown';
  readonly adaptationRecommendations: readonly string[];
  readonly evidence: Readonly<Record<string, unknown>>;
}
