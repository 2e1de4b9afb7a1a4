/**
 * What `import` from the package's root gives. First the library, for programs; then what the nodes and other doors are
 * made of, for who builds one.
 */

// Doors: the living engine with its inner bodies, and the mapping to what a user sees.
export { type MarketFile, openMarketFile, type RejectedRow } from './adapters/files/market-file';
export { createHttpApi, type Handled, type HttpApi } from './adapters/http/server';
export { createDeadLetters, type DeadLetters } from './adapters/redis/dead-letters';
export { createPubSubFeed } from './adapters/redis/pubsub-feed';
export { createStreamFeed } from './adapters/redis/stream-feed';
export { createSimulator, type Simulator } from './adapters/simulator/simulator';
export { systemClock } from './adapters/system/clock';
export { createConsoleLogger } from './adapters/system/console-logger';
// The library.
export type { EngineOptions, RedisDoors, StoreOptions } from './compose';
export { openEngine } from './compose';
export type { AdaptationView, MarketDataInput, MarketDataResult } from './core/domain/bodies';
export type { Decision } from './core/domain/decision';
export type { ErrorDetail, ErrorType } from './core/domain/errors';
export { asEngineError, EngineError } from './core/domain/errors';
export { limits } from './core/domain/limits';
export type { Signal } from './core/domain/signal';
export type { Alert } from './core/domain/summary';
export { addedMs, isLaterEntry, type MarketItem, type Tick } from './core/domain/tick';
export type { EngineVerbs } from './core/domain/verbs';
export { performanceOfSeries as performanceOf } from './core/performance/series';
export { createRegistry } from './core/strategies/registry';
export type {
  BarStrategyDefinition,
  CommonParameters,
  IntentSlot,
  StepContext,
  StrategyDefinition,
  TickStrategyDefinition,
} from './core/strategies/strategy';
export { stepCode } from './core/strategies/strategy';
export type { Camel, EngineEvents, MarketDataOptions } from './library';
export { createEngine, type Engine, libraryOf } from './library';
export type { Engine as LiveEngine } from './live/engine-api';
export { attachFeed } from './live/feed';
export type {
  Clock,
  Feed,
  FeedLag,
  FeedListener,
  FeedState,
  Gap,
  Logger,
  StreamEntry,
  StreamFeed,
  StreamRefusal,
} from './live/ports';
export { batchesOf, readEntry, type StreamBatch } from './live/stream-batches';
export { attachStream, lagText } from './live/stream-input';
export { toWire } from './wire/case';
export { deadLetterToWire } from './wire/dead-letter';
export { type EngineDoor, handle, type Reply } from './wire/endpoint';
export { endpoints, matchEndpoint } from './wire/endpoints';
export type { ErrorBody } from './wire/error-body';
export { errorBody, errorHeaders } from './wire/error-body';
export { adaptationToWire, alertToWire, decisionToWire, fillToWire, gapToWire, positionToWire } from './wire/events';
export { executionForms, foreignExecution } from './wire/foreign-execution';
export { type ForeignContext, foreignItems, marketForms } from './wire/foreign-market';
export { parseMarketText, parseMarketValue } from './wire/market-data';
export { marketItemToWire } from './wire/market-out';
export { typesToWire } from './wire/registration';
export { marketResultToWire } from './wire/routes/market';
export { signalToWire } from './wire/signal';
export { alertText, signalText } from './wire/text';
