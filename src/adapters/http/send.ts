/** The one way out: every answer is counted, told, and has the same headers. */

import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import { type Endpoint, failure, handle, type Reply, type WireRequest } from '../../wire/endpoint';
import { type Api, countRequest, type Exchange } from './api';

const probePath = '/api/health';
const jsonType = 'application/json; charset=utf-8';

/** Sends a reply of the wire. */
export function send(api: Api, result: Reply, exchange: Exchange, contentType: string | null = null): void {
  const { statusCode, body, error } = result;
  const { logger, onHandled } = api.options;
  const { method, route, requestId } = exchange;
  const headers: Record<string, string> = {
    'content-type': error === null ? (contentType ?? jsonType) : jsonType,
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
  if (result.headers) Object.assign(headers, result.headers);
  exchange.write(statusCode, headers, typeof body === 'string' ? body : JSON.stringify(body));
  // A probe that is told "not ready" was answered well; counted, it would keep an engine degraded that has recovered.
  if (route !== probePath) countRequest(api, statusCode);
  if (error?.code === 'InternalError') {
    logger.error('request failed', { requestId, route, cause: causeText(error) });
  }
  try {
    onHandled?.({ method, route, status: statusCode, requestId, body });
  } catch (thrown) {
    // The answer is out; whoever listens must not take the process down with it.
    logger.error('a listener of handled requests failed', { requestId, cause: String(thrown) });
  }
}

function causeText(error: EngineError): string {
  return error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error.stack);
}

/** Sends an error. */
export function sendFailure(api: Api, error: EngineError, exchange: Exchange): void {
  send(api, failure(error, exchange.requestId, api.options.clock.nowMs()), exchange);
}

/** Without an engine the process lives all the same; everything else is refused with the reason. */
function closed(why: EngineError, endpoint: Endpoint, { requestId }: Exchange, { query, nowMs }: WireRequest): Reply {
  if (endpoint.path !== probePath || query?.probe === 'ready') return failure(why, requestId, nowMs);
  const state = { live: true, ready: false, system_health: 'critical', role: 'standby', uptime_s: 0 };
  return { statusCode: 200, headers: {}, body: { status: 'success', ...state }, error: null };
}

/** Asks the endpoint, and answers whatever comes of it: at the latest when the request's time is up. */
export function answer(api: Api, endpoint: Endpoint, exchange: Exchange, request: WireRequest): void {
  const { clock } = api.options;
  const engine = api.engine();
  if (engine instanceof EngineError) {
    send(api, closed(engine, endpoint, exchange, request), exchange, endpoint.contentType);
    return;
  }
  const elapsedMs = clock.monotonicMs() - exchange.arrival.monotonicMs;
  const leftMs = limits.requestMs - limits.httpMarginMs - elapsedMs;
  let isOpen = true;
  const finish = (result: Reply) => {
    if (!isOpen) return;
    isOpen = false;
    cancel();
    send(api, result, exchange, endpoint.contentType);
  };
  const cancel = clock.after(leftMs, () => {
    const late = new EngineError('TimeoutError', 'the engine did not answer in time', { retryAfterS: 1 });
    finish(failure(late, exchange.requestId, clock.nowMs()));
  });
  handle(endpoint, engine, request)
    .then(finish)
    .catch((thrown: unknown) => {
      // Only an answer that cannot be written as JSON comes here; nothing of it has been sent.
      send(api, failure(thrown, exchange.requestId, clock.nowMs()), exchange);
    });
}
