/** The library's door: what programs and nodes import. */

export type { Alert, EngineVerbs, MarketDataInput, MarketDataResult } from './core/domain/bodies';
export type { Decision } from './core/domain/decision';
export type { ErrorDetail, ErrorType } from './core/domain/errors';
export { asEngineError, EngineError } from './core/domain/errors';
export { limits } from './core/domain/limits';
export type { Signal } from './core/domain/signal';
export type { MarketItem, Tick } from './core/domain/tick';
export type { Engine } from './live/engine-api';
export type { Clock, Feed, FeedListener, FeedState, Gap, Logger } from './live/ports';
export type { ErrorBody } from './wire/error-body';
export { errorBody, errorHeaders } from './wire/error-body';
