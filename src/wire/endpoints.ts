/** The one table of endpoints: it drives the HTTP server, the OpenAPI document and the nodes behind `http in`. */
import { defineEndpoint, type Endpoint } from './endpoint';
import { openApiDocument } from './openapi';
import { learningEndpoints } from './routes/learning';
import { marketEndpoints } from './routes/market';
import { operationEndpoints } from './routes/operation';
import { performanceEndpoints } from './routes/performance';
import { strategyEndpoints } from './routes/strategies';

/** Generated when it is first asked for. */
let document: Readonly<Record<string, unknown>> | null = null;

/** Every route of the API. */
export const endpoints: readonly Endpoint[] = [
  ...marketEndpoints,
  ...strategyEndpoints,
  ...performanceEndpoints,
  ...learningEndpoints,
  ...operationEndpoints,
  defineEndpoint({
    route: 'GET /api/openapi.json',
    operationId: 'openapi',
    summary: 'This document',
    response: null,
    contentType: 'application/json; charset=utf-8',
    call: () => {
      document ??= openApiDocument(endpoints);
      return document;
    },
  }),
];

const staticPaths = new Set(endpoints.filter(({ path }) => !path.includes('{')).map(({ path }) => path));

/**
 * The endpoint of a request, with the path's `{id}`; else the methods that the path has (empty: no such path). A path
 * that is written out in the table is never read as an id: `GET /api/strategy/register` is 405, not a strategy.
 */
export function matchEndpoint(
  method: string,
  path: string,
):
  | { readonly endpoint: Endpoint; readonly params: Readonly<Record<string, string>> }
  | { readonly endpoint: null; readonly allow: readonly string[] } {
  const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const matches = endpoints
    .map((endpoint) => ({ endpoint, params: paramsOf(endpoint.path, bare) }))
    .filter((match) => match.params !== null);
  const asked = method === 'HEAD' ? 'GET' : method;
  const found = matches.find(({ endpoint }) => endpoint.method === asked);
  if (found?.params) return { endpoint: found.endpoint, params: found.params };
  const methods = matches.map(({ endpoint }) => endpoint.method);
  return { endpoint: null, allow: methods.flatMap((one) => (one === 'GET' ? ['GET', 'HEAD'] : [one])) };
}

function paramsOf(template: string, path: string): Readonly<Record<string, string>> | null {
  if (!template.includes('{')) return template === path ? {} : null;
  if (staticPaths.has(path)) return null;
  const expected = template.split('/');
  const parts = path.split('/');
  if (expected.length !== parts.length) return null;
  let id = '';
  for (let i = 0; i < parts.length; i++) {
    if (expected[i] === '{id}') id = parts[i] ?? '';
    else if (expected[i] !== parts[i]) return null;
  }
  return id === '' ? null : decoded(id);
}

function decoded(id: string): Readonly<Record<string, string>> | null {
  try {
    return { id: decodeURIComponent(id) };
  } catch {
    return null;
  }
}
