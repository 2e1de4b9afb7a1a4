/** OpenAPI 3.1, generated from the schemas that validate. */
import { z } from 'zod';
import { type ErrorType, errorStatus } from '../core/domain/errors';
import type { Endpoint } from './endpoint';
import { text } from './schemas/fields';
import { errorResponse } from './schemas/responses';

type Json = Record<string, unknown>;

/** What any route may be refused with. */
const everywhere: readonly ErrorType[] = [
  'BadRequestError',
  'ValueError',
  'AuthenticationError',
  'RateLimitError',
  'InternalError',
  'ConnectionError',
  'TimeoutError',
];
const withBody: readonly ErrorType[] = ['JSONDecodeError', 'PayloadTooLargeError', 'UnsupportedMediaTypeError'];
/** Statuses that the catalogue gives to some `BadRequestError`s. */
const otherStatuses: Partial<Record<ErrorType, readonly number[]>> = { BadRequestError: [408, 431] };

/** The whole document; `version` is the package's. */
export function openApiDocument(endpoints: readonly Endpoint[], version = '1.0.0'): Json {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = paths[endpoint.path] ?? {};
    path[endpoint.method.toLowerCase()] = operation(endpoint);
    paths[endpoint.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Strategy engine', version, description: 'Market data in, signals out, performance kept.' },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: { Error: schemaOf(errorResponse, 'output') },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(endpoint: Endpoint): Json {
  const { operationId, summary, body } = endpoint;
  const parameters = parametersOf(endpoint);
  return {
    operationId,
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body
      ? {
          requestBody: {
            required: !endpoint.bodyOptional,
            content: { 'application/json': { schema: schemaOf(body, 'input') } },
          },
        }
      : {}),
    responses: { 200: okResponse(endpoint), ...errorResponses(endpoint) },
  };
}

function parametersOf(endpoint: Endpoint): Json[] {
  const parameters: Json[] = [];
  if (endpoint.path.includes('{id}')) {
    parameters.push({ name: 'id', in: 'path', required: true, schema: { type: 'string' } });
  }
  if (endpoint.query) {
    const { properties = {}, required = [] } = schemaOf(endpoint.query, 'input') as {
      properties?: Record<string, Json>;
      required?: string[];
    };
    for (const [name, schema] of Object.entries(properties)) {
      parameters.push({ name, in: 'query', required: required.includes(name), schema });
    }
  }
  if (endpoint.hasIdempotencyKey) {
    const schema = schemaOf(text(), 'input');
    parameters.push({ name: 'Idempotency-Key', in: 'header', required: false, schema });
  }
  return parameters;
}

function okResponse(endpoint: Endpoint): Json {
  if (endpoint.response === null) {
    const [mediaType = 'application/json'] = (endpoint.contentType ?? '').split(';');
    const schema = mediaType === 'application/json' ? { type: 'object' } : { type: 'string' };
    return { description: 'success', content: { [mediaType]: { schema } } };
  }
  const whole = z.object({ status: z.literal('success'), ...endpoint.response.shape });
  return { description: 'success', content: { 'application/json': { schema: schemaOf(whole, 'output') } } };
}

function errorResponses(endpoint: Endpoint): Json {
  const names = [...everywhere, ...(endpoint.body ? withBody : []), ...endpoint.errors];
  const byStatus = new Map<number, string[]>();
  for (const name of names) {
    for (const status of [errorStatus[name], ...(otherStatuses[name] ?? [])]) {
      byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
    }
  }
  const responses: Json = {};
  for (const [status, types] of byStatus) {
    responses[String(status)] = {
      description: types.join(', '),
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    };
  }
  return responses;
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, '~standard': __, ...json } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  return json;
}
