/** The one way out: every answer is counted, told, and has the same headers. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EngineError } from '../../core/domain/errors';
import { failure, type Reply } from '../../wire/endpoint';
import type { Api } from './api';

const jsonType = 'application/json; charset=utf-8';

/** Sends a reply of the wire. */
export function send(
  api: Api,
  result: Reply,
  request: FastifyRequest,
  reply: FastifyReply,
  contentType: string | null = null,
): FastifyReply {
  const { statusCode, body, error } = result;
  const { engine, logger, onHandled } = api.options;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  reply.code(statusCode).headers({
    ...result.headers,
    'content-type': error === null ? (contentType ?? jsonType) : jsonType,
    'x-request-id': request.id,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  reply.send(text);
  engine.countRequest(statusCode);
  if (error?.code === 'InternalError') {
    logger.error('request failed', {
      requestId: request.id,
      route: request.endpointPath ?? null,
      cause: causeText(error),
    });
  }
  onHandled?.({
    method: request.method,
    route: request.endpointPath ?? null,
    status: statusCode,
    requestId: request.id,
    body,
  });
  return reply;
}

function causeText(error: EngineError): string {
  return error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error.stack);
}

/** Sends an error. */
export function sendFailure(api: Api, error: EngineError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return send(api, failure(error, request.id, api.options.clock.nowMs()), request, reply);
}
