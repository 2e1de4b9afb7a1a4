/** What keeps the engine watched. */
import { EngineError } from '../../core/domain/errors';
import { toWire } from '../case';
import { defineEndpoint, type Endpoint, type EngineDoor } from '../endpoint';
import * as take from '../schemas/requests';
import * as give from '../schemas/responses';

function health(engine: EngineDoor, probe: 'live' | 'ready' | undefined): unknown {
  const { systemHealth, role, uptimeS } = engine.summary();
  const ready = systemHealth !== 'critical';
  if (probe === 'ready' && !ready) {
    throw new EngineError('ConnectionError', 'not ready: the store or the input is down', { retryAfterS: 1 });
  }
  return toWire({ live: true, ready, systemHealth, role, uptimeS });
}

export const operationEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    route: 'GET /api/health',
    operationId: 'health',
    summary: 'Liveness, and with probe=ready readiness',
    query: take.healthQuery,
    response: give.healthResponse,
    call: (engine, { query }) => health(engine, query.probe),
  }),
  defineEndpoint({
    route: 'GET /api/metrics',
    operationId: 'metrics',
    summary: 'Prometheus text',
    response: null,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    call: async (engine) => (engine.metricsText ? await engine.metricsText() : ''),
  }),
];
