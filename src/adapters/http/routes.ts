/** The table of endpoints as routes, and what becomes of paths and methods that are not in it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Endpoint } from '../../wire/endpoint';
import { endpoints, matchEndpoint } from '../../wire/endpoints';
import { type Api, arrivalNow, type Exchange } from './api';
import { isUtf8, readBody } from './body';
import { fastifyError } from './framework-errors';
import { answer, send, sendFailure } from './send';

export function addRoutes(app: FastifyInstance, api: Api): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json\b/, (request: FastifyRequest, payload, done) => {
    if (isUtf8(request.headers['content-type'] ?? '')) return readBody(payload, api.maxBytes, done);
    done(new EngineError('UnsupportedMediaTypeError', 'the body must be JSON in UTF-8'));
  });
  app.setErrorHandler((error, request, reply) => {
    sendFailure(api, fastifyError(error), exchangeOf(api, request, reply));
  });
  app.setNotFoundHandler((request, reply) => sendFailure(api, noRoute(request), exchangeOf(api, request, reply)));
  for (const endpoint of endpoints) {
    app.route({
      method: endpoint.method,
      url: endpoint.path.replace('{id}', ':id'),
      handler: (request, reply) => {
        serve(api, endpoint, request, reply);
        return reply;
      },
    });
  }
  app.options('/*', (request, reply) => sendOptions(api, request, reply));
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

function noRoute(request: FastifyRequest): EngineError {
  const path = pathOf(request);
  const match = matchEndpoint(request.method, path);
  if (match.endpoint !== null || match.allow.length === 0) {
    return new EngineError('NotFoundError', `no route ${request.method} ${path.slice(0, limits.receivedChars)}`);
  }
  const allow = [...match.allow, 'OPTIONS'];
  return new EngineError('MethodNotAllowedError', `this path has ${allow.join(', ')}`, { allow });
}

function sendOptions(api: Api, request: FastifyRequest, reply: FastifyReply): void {
  const exchange = exchangeOf(api, request, reply);
  const error = noRoute(request);
  if (error.code === 'NotFoundError') {
    sendFailure(api, error, exchange);
    return;
  }
  const methods = error.allow ?? [];
  const headers: Record<string, string> = { allow: methods.join(', ') };
  if (reply.hasHeader('access-control-allow-origin')) {
    headers['access-control-allow-methods'] = methods.join(', ');
    headers['access-control-allow-headers'] = 'Authorization, Content-Type, Idempotency-Key, X-Request-Id';
    headers['access-control-max-age'] = '600';
  }
  send(api, { statusCode: 200, headers, body: { status: 'success', methods }, error: null }, exchange);
}

function serve(api: Api, endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): void {
  // A path of the table is never an id, also where only another method has it.
  if (endpoint.path.includes('{id}') && matchEndpoint(request.method, pathOf(request)).endpoint === null) {
    sendFailure(api, noRoute(request), exchangeOf(api, request, reply));
    return;
  }
  const exchange = exchangeOf(api, request, reply, endpoint.path);
  answer(api, endpoint, exchange, {
    params: request.params as Record<string, string>,
    query: request.query as Record<string, unknown>,
    headers: request.headers,
    text: typeof request.body === 'string' ? request.body : '',
    nowMs: exchange.arrival.nowMs,
    requestId: request.id,
    maxBytes: api.maxBytes,
  });
}

/** A request of the framework as the rest of the server sees it. */
export function exchangeOf(
  api: Api,
  request: FastifyRequest,
  reply: FastifyReply,
  route: string | null = null,
): Exchange {
  return {
    method: request.method,
    route,
    requestId: request.id,
    // Addresses that the framework refuses have not passed the hooks.
    arrival: request.arrival ?? arrivalNow(api.options.clock),
    write: (status, headers, text) => void reply.code(status).headers(headers).send(text),
  };
}
