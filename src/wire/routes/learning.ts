/** Adaptation: acts, insights and the audit trail. */
import { dropUndefined } from '../defined';
import { defineEndpoint, type Endpoint } from '../endpoint';
import * as take from '../schemas/requests';
import * as give from '../schemas/responses';
import { wire } from './wire';

export const learningEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    route: 'POST /api/learning/force_adaptation',
    operationId: 'forceAdaptation',
    summary: 'Apply one bounded, documented, revertible step at once',
    body: take.forceAdaptationBody,
    response: give.forceAdaptationResponse,
    errors: ['NotFoundError', 'ConflictError'],
    call: (engine, { body, actor }) => {
      const conditions = body.market_conditions;
      return wire(
        engine.forceAdaptation({
          actor,
          ...dropUndefined({
            strategyType: body.strategy_type,
            strategyId: body.strategy_id,
            dryRun: body.dry_run,
            marketConditions:
              conditions &&
              dropUndefined({ volatility: conditions.volatility, trendStrength: conditions.trend_strength }),
          }),
        }),
      );
    },
  }),
  defineEndpoint({
    route: 'GET /api/learning/insights',
    operationId: 'insights',
    summary: 'Regime, order of strategies, trend and recommendations, each with its evidence',
    query: take.insightsQuery,
    response: give.insightsResponse,
    call: (engine, { query }) => wire(engine.insights(dropUndefined(query))),
  }),
  defineEndpoint({
    route: 'GET /api/learning/adaptations',
    operationId: 'listAdaptations',
    summary: 'The audit trail of adaptations, in pages',
    query: take.listQuery,
    response: give.adaptationsResponse,
    call: (engine, { query }) => wire(engine.adaptations(dropUndefined(query))),
  }),
  defineEndpoint({
    route: 'POST /api/learning/adaptations/{id}/revert',
    operationId: 'revertAdaptation',
    summary: 'Undo an adaptation',
    body: take.emptyBody,
    bodyOptional: true,
    response: give.revertResponse,
    errors: ['NotFoundError', 'ConflictError'],
    call: (engine, { id, actor }) => wire(engine.revert(id, actor)),
  }),
  defineEndpoint({
    route: 'POST /api/learning/freeze',
    operationId: 'freezeLearning',
    summary: 'Freeze or release adaptation',
    body: take.freezeBody,
    bodyOptional: true,
    response: give.freezeResponse,
    call: (engine, { body, actor }) => wire(engine.freeze(body.frozen ?? true, body.reason, actor)),
  }),
];
