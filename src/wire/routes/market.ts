/** Market data and the state of the engine. */
import type { MarketDataResult } from '../../core/domain/bodies';
import { valueError } from '../../core/domain/errors';
import { defineEndpoint, type Endpoint, type EndpointInput, type EngineDoor } from '../endpoint';
import { type MarketDataContext, parseMarketText, parseMarketValue } from '../market-data';
import { valueErrorOf } from '../problems';
import { marketDataBody } from '../schemas/market-data';
import * as give from '../schemas/responses';
import { signalToWire } from '../signal';
import { wire } from './wire';

async function processMarketData(engine: EngineDoor, { request }: EndpointInput<unknown, unknown>): Promise<unknown> {
  const context: MarketDataContext = {
    arrivalMs: request.nowMs,
    source: request.source ?? 'http',
    door: 'live',
    ...engine.marketRules,
    ...(request.maxBytes === undefined ? {} : { maxBytes: request.maxBytes }),
  };
  const input =
    request.text === undefined ? parseMarketValue(request.body, context) : parseMarketText(request.text, context);
  if (input.received === 0) throw valueError('market_data', 'must not be empty', 'array of 0');
  // The engine counts what was refused, also when nothing is left to evaluate.
  const result = await engine.processMarketData(input);
  if (input.items.length === 0) throw valueErrorOf(input.rejected);
  return marketResultToWire(result);
}

/** The body of `process_market_data`, by hand: it is the one that is asked for all the time. */
export function marketResultToWire(result: MarketDataResult): Record<string, unknown> {
  return {
    strategies_applied: result.strategiesApplied,
    signals_generated: result.signalsGenerated,
    signals: result.signals.map(signalToWire),
    ticks_accepted: result.ticksAccepted,
    ticks_rejected: result.ticksRejected,
    rejected: result.rejected.map(({ index, path, message }) => ({ index, path, message })),
    execution_time_ms: result.executionTimeMs,
  };
}

export const marketEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    route: 'POST /api/strategy_engine/process_market_data',
    operationId: 'processMarketData',
    summary: 'Evaluate ticks or bars; valid ones are used even when others are rejected',
    body: marketDataBody,
    readsBody: true,
    response: give.marketDataResponse,
    call: processMarketData,
  }),
  defineEndpoint({
    route: 'GET /api/strategy_engine/summary',
    operationId: 'summary',
    summary: 'Health, throughput, latency and totals',
    response: give.summaryResponse,
    call: (engine) => wire(engine.summary()),
  }),
];
