/** What every request passes before its route: arrival, browsers, rate, token. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { EngineError } from '../../core/domain/errors';
import { allowedOrigin, checkBrowser } from './access';
import { type Api, arrivalNow } from './api';
import { createRateCheck } from './rate';

export function addHooks(app: FastifyInstance, api: Api): void {
  const { options, rules, isKnown, ratePerS } = api;
  const checkRate = ratePerS === null ? null : createRateCheck(app, ratePerS, isKnown);
  app.addHook('onRequest', (request, reply, done) => {
    request.arrival = arrivalNow(options.clock);
    const { headers, method } = request;
    const origin = allowedOrigin(rules, headers.origin);
    if (origin !== null) addCors(reply, origin);
    if (headers.host === undefined && request.raw.httpVersion === '1.1') {
      return done(new EngineError('BadRequestError', 'the Host header is missing'));
    }
    const admit = () => {
      // A browser asks beforehand without the token; the request itself has to bring it.
      const isPreflight = method === 'OPTIONS' && origin !== null;
      if (!isPreflight && !isKnown(headers.authorization)) {
        throw new EngineError('AuthenticationError', 'a valid token is required: Authorization: Bearer …');
      }
      checkBrowser(rules, method, headers.host, headers.origin);
    };
    try {
      if (checkRate === null) admit();
      else
        return void checkRate(request)
          .then(admit)
          .then(() => done(), done);
    } catch (thrown) {
      return done(thrown as Error);
    }
    done();
  });
}

function addCors(reply: FastifyReply, origin: string): void {
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'X-Request-Id, Retry-After',
    vary: 'Origin',
  });
}
