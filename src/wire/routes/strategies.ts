/** Strategies: their types, their life, their decisions. */
import { limits } from '../../core/domain/limits';
import { toWire } from '../case';
import { dropUndefined } from '../defined';
import { defineEndpoint, type Endpoint } from '../endpoint';
import { decisionToWire } from '../events';
import { registerInput, typesToWire, updateInput } from '../registration';
import * as take from '../schemas/requests';
import * as give from '../schemas/responses';
import { wire } from './wire';

export const strategyEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    route: 'POST /api/strategy/register',
    operationId: 'registerStrategy',
    summary: 'Register a strategy',
    body: take.registerBody,
    response: give.registerResponse,
    errors: ['ConflictError'],
    hasIdempotencyKey: true,
    call: (engine, input) => wire(engine.register(registerInput(input))),
  }),
  defineEndpoint({
    route: 'GET /api/strategy/types',
    operationId: 'strategyTypes',
    summary: 'The strategy types with their parameters',
    response: give.typesResponse,
    call: (engine) => ({ types: engine.types().types.map(typesToWire) }),
  }),
  defineEndpoint({
    route: 'GET /api/strategy',
    operationId: 'listStrategies',
    summary: 'The strategies, in pages',
    query: take.listQuery,
    response: give.strategiesResponse,
    call: (engine, { query }) => wire(engine.strategies(dropUndefined(query))),
  }),
  defineEndpoint({
    route: 'GET /api/strategy/{id}',
    operationId: 'getStrategy',
    summary: 'One strategy: state, version, each parameter with value, bounds and default',
    response: give.strategyResponse,
    errors: ['NotFoundError'],
    call: (engine, { id }) => wire(engine.strategy(id)),
  }),
  defineEndpoint({
    route: 'PUT /api/strategy/{id}',
    operationId: 'updateStrategy',
    summary: 'Change a strategy; every change makes a new version',
    body: take.updateBody,
    response: give.updateResponse,
    errors: ['NotFoundError', 'ConflictError'],
    call: (engine, { id, body, actor }) => wire(engine.update(id, updateInput(body, actor))),
  }),
  defineEndpoint({
    route: 'DELETE /api/strategy/{id}',
    operationId: 'archiveStrategy',
    summary: 'Archive a strategy; its performance is kept',
    response: give.archiveResponse,
    errors: ['NotFoundError'],
    call: (engine, { id, actor }) => wire(engine.archive(id, actor)),
  }),
  defineEndpoint({
    route: 'GET /api/strategy/{id}/versions',
    operationId: 'strategyVersions',
    summary: 'The versions of a strategy, oldest first, in pages',
    query: take.listQuery,
    response: give.versionsResponse,
    errors: ['NotFoundError'],
    call: (engine, { id, query }) => wire(engine.versions(id, { limit: limits.pageMax, ...dropUndefined(query) })),
  }),
  defineEndpoint({
    route: 'POST /api/strategy/{id}/rollback',
    operationId: 'rollbackStrategy',
    summary: 'Make an earlier version current again, as a new version',
    body: take.rollbackBody,
    response: give.updateResponse,
    errors: ['NotFoundError', 'ConflictError'],
    call: (engine, { id, body, actor }) => wire(engine.rollback(id, body.version, actor)),
  }),
  defineEndpoint({
    route: 'GET /api/strategy/{id}/decisions',
    operationId: 'strategyDecisions',
    summary: 'Its last decisions, and how many evaluations ended in which way',
    query: take.decisionsQuery,
    response: give.decisionsResponse,
    errors: ['NotFoundError'],
    call: (engine, { id, query }) => {
      const { decisions, ...rest } = engine.decisions(id, dropUndefined(query));
      return { ...(toWire(rest) as object), decisions: decisions.map(decisionToWire) };
    },
  }),
];
