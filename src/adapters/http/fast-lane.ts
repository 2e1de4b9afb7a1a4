/**
 * The shortest way for the one call that is made all the time: market data as plain JSON, from a client that is no
 * browser. The framework's life of a request costs more than the call itself; whatever is not exactly that common
 * request goes through the framework and is answered alike.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asEngineError } from '../../core/domain/errors';
import { matchEndpoint } from '../../wire/endpoints';
import { isLoopback } from './access';
import { type Api, arrivalNow, type Exchange } from './api';
import { readBody } from './body';
import { answer, sendFailure } from './send';

const path = '/api/strategy_engine/process_market_data';
const plainHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;

/** Takes a request when it is the common one; answers whether it did. */
export function createFastLane(api: Api): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { endpoint } = matchEndpoint('POST', path);
  const anyHost = !isLoopback(api.options.host) || !api.rules.ownNamesOnly;
  if (endpoint === null || api.ratePerS !== null) return () => false;
  return (request, response) => {
    const { headers } = request;
    if (request.method !== 'POST' || request.url !== path || headers['content-type'] !== 'application/json')
      return false;
    if (headers.origin !== undefined || headers.host === undefined || headers.expect !== undefined) return false;
    if (!(anyHost || plainHost.test(headers.host)) || !api.isKnown(headers.authorization)) return false;
    const exchange: Exchange = {
      method: 'POST',
      route: path,
      requestId: api.requestIdOf(headers['x-request-id']),
      arrival: arrivalNow(api.options.clock),
      write: (status, fields, text) => writeResponse(response, status, fields, text),
    };
    readBody(request, api.maxBytes, (error, text) => {
      if (error !== null || text === undefined) {
        sendFailure(api, asEngineError(error), exchange);
        return;
      }
      const { requestId, arrival } = exchange;
      answer(api, endpoint, exchange, { text, headers, requestId, nowMs: arrival.nowMs, maxBytes: api.maxBytes });
    });
    return true;
  };
}

function writeResponse(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
