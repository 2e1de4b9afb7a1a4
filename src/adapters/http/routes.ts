/** The table of endpoints as routes, and what becomes of paths and methods that are not in it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import { type Endpoint, failure, handle, type Reply, type WireRequest } from '../../wire/endpoint';
import { endpoints, matchEndpoint } from '../../wire/endpoints';
import type { Api, Arrival } from './api';
import { isUtf8, readBody } from './body';
import { fastifyError } from './framework-errors';
import { send, sendFailure } from './send';

export function addRoutes(app: FastifyInstance, api: Api): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json\b/, (request: FastifyRequest, payload, done) => {
    if (isUtf8(request.headers['content-type'] ?? '')) return readBody(payload, api.maxBytes, done);
    done(new EngineError('UnsupportedMediaTypeError', 'the body must be JSON in UTF-8'));
  });
  app.setErrorHandler((error, request, reply) => sendFailure(api, fastifyError(error), request, reply));
  app.setNotFoundHandler((request, reply) => sendFailure(api, noRoute(request), request, reply));
  for (const endpoint of endpoints) {
    app.route({
      method: endpoint.method,
      url: endpoint.path.replace('{id}', ':id'),
      handler: (request, reply) => {
        run(api, endpoint, request, reply);
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

function sendOptions(api: Api, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = noRoute(request);
  if (error.code === 'NotFoundError') return sendFailure(api, error, request, reply);
  const methods = error.allow ?? [];
  reply.headers({ allow: methods.join(', ') });
  if (reply.hasHeader('access-control-allow-origin')) {
    reply.headers({
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, X-Request-Id',
      'access-control-max-age': '600',
    });
  }
  return send(api, { statusCode: 200, headers: {}, body: { status: 'success', methods }, error: null }, request, reply);
}

function run(api: Api, endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): void {
  const { clock } = api.options;
  const arrival = request.arrival as Arrival;
  // A path of the table is never an id, also where only another method has it.
  if (endpoint.path.includes('{id}') && matchEndpoint(request.method, pathOf(request)).endpoint === null) {
    sendFailure(api, noRoute(request), request, reply);
    return;
  }
  request.endpointPath = endpoint.path;
  const wireRequest: WireRequest = {
    params: request.params as Record<string, string>,
    query: request.query as Record<string, unknown>,
    headers: request.headers,
    text: typeof request.body === 'string' ? request.body : '',
    nowMs: arrival.nowMs,
    requestId: request.id,
    maxBytes: api.maxBytes,
  };
  const leftMs = limits.requestMs - limits.httpMarginMs - (clock.monotonicMs() - arrival.monotonicMs);
  let isOpen = true;
  const finish = (result: Reply) => {
    if (!isOpen) return;
    isOpen = false;
    cancel();
    send(api, result, request, reply, endpoint.contentType);
  };
  const late = () => new EngineError('TimeoutError', 'the engine did not answer in time', { retryAfterS: 1 });
  const cancel = clock.after(leftMs, () => finish(failure(late(), request.id, clock.nowMs())));
  handle(endpoint, api.options.engine, wireRequest).then(finish, (thrown) =>
    finish(failure(thrown, request.id, clock.nowMs())),
  );
}
