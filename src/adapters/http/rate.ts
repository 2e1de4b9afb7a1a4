/** Requests per second and caller. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';

const windowMs = 1_000;

/**
 * A check that rejects with `RateLimitError` past `perS` requests in a second: by token for who bears it, else by
 * address. At most `keys` callers are remembered, the one unheard for longest is forgotten first.
 */
export function createRateCheck(
  app: FastifyInstance,
  perS: number,
  isKnown: (authorization: string | undefined) => boolean,
  keys: number = limits.rateKeys,
): (request: FastifyRequest) => Promise<void> {
  let check: ReturnType<FastifyInstance['createRateLimit']> | null = null;
  app.register(rateLimit, { global: false });
  app.after(() => {
    // The plugin's types know `cache` only where it is registered, but each limit has a store of its own.
    const options = {
      max: perS,
      cache: keys,
      timeWindow: windowMs,
      keyGenerator: ({ headers, ip }: FastifyRequest) =>
        headers.authorization !== undefined && isKnown(headers.authorization) ? 'token' : ip,
    };
    check = app.createRateLimit(options);
  });
  return async (request) => {
    const result = await check?.(request);
    if (!result || result.isAllowed || !result.isExceeded) return;
    throw new EngineError('RateLimitError', `more than ${perS} requests in a second`, {
      retryAfterS: result.ttlInSeconds,
    });
  };
}
