/** The verbs of an engine: what every door calls. */
import type {
  AdaptationView,
  ForceAdaptationInput,
  ForceAdaptationResult,
  Insights,
  MarketDataInput,
  MarketDataResult,
  PageQuery,
  PerformanceQuery,
  PerformanceResult,
  RegisterInput,
  RegisterResult,
  StrategyView,
  TrackInput,
  TrackResult,
  TypeView,
  UpdateInput,
  UpdateResult,
  VersionView,
} from './bodies';
import type { Decision, Funnel } from './decision';
import type { Position } from './position';
import type { Alert, Summary } from './summary';

/** The verbs. Every promise settles within `limits.requestMs`; failures are EngineErrors of the catalogue. */
export interface EngineVerbs {
  /** Synchronous inside; the promise leaves room for the tape. */
  processMarketData(input: MarketDataInput): Promise<MarketDataResult>;
  advance(timestampMs: number): Promise<MarketDataResult>;
  register(input: RegisterInput): Promise<RegisterResult>;
  update(strategyId: string, input: UpdateInput): Promise<UpdateResult>;
  archive(strategyId: string, actor?: string): Promise<{ readonly strategyId: string; readonly archived: true }>;
  strategies(query?: PageQuery): {
    readonly strategies: readonly StrategyView[];
    readonly cursor: string | null;
  };
  strategy(strategyId: string): StrategyView;
  /** Oldest first; all of them without a query. */
  versions(
    strategyId: string,
    query?: PageQuery,
  ): {
    readonly strategyId: string;
    readonly versions: readonly VersionView[];
    readonly cursor: string | null;
  };
  rollback(strategyId: string, version: number, actor?: string): Promise<UpdateResult>;
  decisions(
    strategyId: string,
    query?: PageQuery & { readonly symbol?: string },
  ): {
    readonly strategyId: string;
    readonly decisions: readonly Decision[];
    readonly funnel: Funnel;
    readonly cursor: string | null;
  };
  types(): { readonly types: readonly TypeView[] };
  track(input: TrackInput): Promise<TrackResult>;
  /** One strategy's performance, or with `null` all together. */
  performance(strategyId: string | null, query?: PerformanceQuery): PerformanceResult;
  position(strategyId: string, symbol: string): Position | null;
  positions(): readonly Position[];
  forceAdaptation(input: ForceAdaptationInput): Promise<ForceAdaptationResult>;
  insights(query?: { readonly symbol?: string }): {
    readonly insights: Insights;
  };
  adaptations(query?: PageQuery): {
    readonly adaptations: readonly AdaptationView[];
    readonly cursor: string | null;
  };
  revert(adaptationId: string, actor?: string): Promise<{ readonly adaptation: AdaptationView }>;
  freeze(frozen: boolean, reason?: string, actor?: string): Promise<{ readonly frozen: boolean }>;
  summary(): Summary;
  alerts(): readonly Alert[];
}
