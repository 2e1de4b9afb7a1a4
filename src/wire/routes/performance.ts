/** Executions in, metrics out. */
import { dropUndefined } from '../defined';
import { defineEndpoint, type Endpoint } from '../endpoint';
import { trackInput } from '../execution';
import * as take from '../schemas/requests';
import * as give from '../schemas/responses';
import { wire } from './wire';

export const performanceEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    route: 'POST /api/performance/track',
    operationId: 'trackPerformance',
    summary: 'Count an execution, once per execution_id',
    body: take.trackBody,
    response: give.trackResponse,
    errors: ['NotFoundError', 'ConflictError'],
    hasIdempotencyKey: true,
    call: (engine, { body, request, actor, idempotencyKey }) =>
      wire(engine.track(trackInput(body, { nowMs: request.nowMs, actor, idempotencyKey }))),
  }),
  defineEndpoint({
    route: 'GET /api/performance',
    operationId: 'totalPerformance',
    summary: 'Every metric over all strategies',
    query: take.performanceQuery,
    response: give.performanceResponse,
    call: (engine, { query }) => wire(engine.performance(null, performanceQuery(query))),
  }),
  defineEndpoint({
    route: 'GET /api/performance/{id}',
    operationId: 'strategyPerformance',
    summary: 'Every metric of one strategy',
    query: take.performanceQuery,
    response: give.performanceResponse,
    errors: ['NotFoundError'],
    call: (engine, { id, query }) => wire(engine.performance(id, performanceQuery(query))),
  }),
];

function performanceQuery({ since, until, ...rest }: ReturnType<typeof take.performanceQuery.parse>) {
  return dropUndefined({ ...rest, sinceMs: since, untilMs: until });
}
