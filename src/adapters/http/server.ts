/** The HTTP API on its own port. One request: hooks → body → endpoint → reply; every exit is the contract's JSON. */
import { randomBytes } from 'node:crypto';
import http, { type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { EngineError, valueError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import { isLoopback, tokenCheck } from './access';
import { type Api, countRequest, type HttpApi, type HttpApiOptions } from './api';
import { createFastLane } from './fast-lane';
import { fastifyError } from './framework-errors';
import { addHooks } from './hooks';
import { connectionError, writeRawError } from './raw-errors';
import { addRoutes, exchangeOf } from './routes';
import { sendFailure } from './send';

export type { EngineSource, Handled, HttpApi, HttpApiOptions, HttpEngine } from './api';

/**
 * Starts the API.
 * @throws EngineError `ValueError` for settings that are not allowed (beyond loopback without a token), `ConflictError`
 * when the port is taken.
 */
export async function createHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const api = checkedOptions(options);
  const app = createApp(api);
  addHooks(app, api);
  addRoutes(app, api);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (thrown) {
    await app.close();
    throw listenError(thrown, options);
  }
  const { address, port } = app.server.address() as AddressInfo;
  const message = `listening on ${address}:${port}`;
  const engine = api.engine();
  if (!(engine instanceof EngineError)) engine.report({ component: 'http', health: 'up', message });
  return { address, port, close: () => close(app, api) };
}

function checkedOptions(options: HttpApiOptions): Api {
  const { host, token, bodyLimitBytes: maxBytes = limits.bodyBytes } = options;
  const hasToken = token !== undefined && token !== '';
  if (!isLoopback(host) && !hasToken) {
    throw valueError('host', 'must be a loopback address unless a token is set', host);
  }
  if (!(maxBytes >= 1_024 && maxBytes <= limits.bodyBytesMax)) {
    throw valueError('body_limit_bytes', `must be from 1024 to ${limits.bodyBytesMax}`, maxBytes);
  }
  const { engine } = options;
  const { rateLimit = isLoopback(host) ? false : limits.ratePerS } = options;
  return {
    options,
    engine: typeof engine === 'function' ? engine : () => engine,
    maxBytes,
    requestIdOf: requestIds(),
    rules: { corsOrigins: options.corsOrigins ?? [], ownNamesOnly: !hasToken, host },
    isKnown: tokenCheck(token),
    ratePerS: rateLimit === false ? null : rateLimit,
  };
}

const sanePattern = /^[A-Za-z0-9._-]+$/;

function requestIds(): Api['requestIdOf'] {
  const prefix = `req_${randomBytes(6).toString('hex')}_`;
  let count = 0;
  return (asked) => {
    const isSane = typeof asked === 'string' && asked.length <= limits.requestIdChars && sanePattern.test(asked);
    return isSane ? asked : `${prefix}${(++count).toString(36)}`;
  };
}

function createApp(api: Api): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: api.maxBytes,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    serverFactory: (framework) => createServer(api, framework),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256 },
    genReqId: (request) => api.requestIdOf(request.headers['x-request-id']),
    clientErrorHandler: (error, socket) => answerRaw(api, error.code, socket),
    frameworkErrors: (error, request, reply) => sendFailure(api, fastifyError(error), exchangeOf(api, request, reply)),
  });
  app.decorateRequest('arrival', null);
  return app;
}

function createServer(api: Api, framework: RequestListener): Server {
  const fastLane = createFastLane(api);
  const server = http.createServer(
    {
      // Node's default looks for overdue requests every 30 s only, and answers a missing Host without a body.
      connectionsCheckingInterval: limits.httpSweepMs,
      headersTimeout: limits.httpReceiveMs,
      requestTimeout: limits.httpReceiveMs,
      keepAliveTimeout: limits.httpKeepAliveMs,
      requireHostHeader: false,
    },
    (request, response) => {
      if (!fastLane(request, response)) framework(request, response);
    },
  );
  server.maxConnections = limits.httpConnections;
  addRawListeners(server, api);
  return server;
}

function addRawListeners(server: Server, api: Api): void {
  // Without a listener Node answers these two by itself: with an empty body, and by hanging up.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', (_request, socket) => answerRaw(api, 'CONNECT', socket as Socket));
}

function answerRaw(api: Api, code: string | undefined, socket: Socket): void {
  const error = connectionError(code);
  if (error === null || !socket.writable) {
    socket.destroy();
    return;
  }
  countRequest(api, error.httpStatus);
  writeRawError(socket, error, api.requestIdOf(undefined), api.options.clock.nowMs());
}

function listenError(thrown: unknown, { host, port }: HttpApiOptions): EngineError {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    return new EngineError('ConflictError', `port ${port} on ${host} is taken by another program`, { cause: thrown });
  }
  if (code === 'EACCES') return valueError('port', 'needs privileges that this process does not have', port);
  return new EngineError('ConnectionError', `cannot listen on ${host}:${port} (${code ?? 'unknown'})`, {
    cause: thrown,
  });
}

/** Lets requests under way finish for half of `limits.closeMs`, then cuts them. */
async function close(app: FastifyInstance, api: Api): Promise<void> {
  const cancel = api.options.clock.after(limits.closeMs / 2, () => app.server.closeAllConnections());
  await app.close();
  cancel();
  const engine = api.engine();
  if (!(engine instanceof EngineError)) engine.forget('http');
}
