/** Requests to every route: valid ones, near-valid ones, truncated ones, and ones that mean harm; from one seed. */

export interface FuzzedRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Must be answered 200; else anything below 500. */
  readonly isValid: boolean;
  readonly route: string;
}

const values: readonly string[] = [
  '1',
  '-1',
  '0',
  '-0',
  '1e999',
  '5e-324',
  '"1"',
  '""',
  'null',
  'true',
  '[]',
  '{}',
  '"x"',
  '[[[[1]]]]',
  '{"polluted":1}',
  '"\\u0000"',
  '"A\\r\\nB"',
  '"__proto__"',
  '"mean_reversion"',
  '"BTCUSD"',
  '"2023-01-01"',
  '1700000000',
  `"${'x'.repeat(500)}"`,
];
const keys: readonly string[] = [
  'strategy_id',
  'strategy_type',
  'symbol',
  'price',
  'parameters',
  'execution_result',
  'pnl',
  'success',
  'market_data',
  'market_conditions',
  'expected_version',
  'version',
  'state',
  'symbols',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'timestamp',
];
const ids: readonly string[] = [
  'fuzzed',
  '__proto__',
  'constructor',
  '%00',
  '..%2f..%2fetc',
  'a%20b',
  '%E0%A4%A',
  'x'.repeat(300),
];
const routes: readonly (readonly [method: string, path: string])[] = [
  ['POST', '/api/strategy_engine/process_market_data'],
  ['GET', '/api/strategy_engine/summary'],
  ['POST', '/api/strategy/register'],
  ['GET', '/api/strategy'],
  ['GET', '/api/strategy/types'],
  ['GET', '/api/strategy/:id'],
  ['PUT', '/api/strategy/:id'],
  ['DELETE', '/api/strategy/:id'],
  ['GET', '/api/strategy/:id/versions'],
  ['POST', '/api/strategy/:id/rollback'],
  ['GET', '/api/strategy/:id/decisions'],
  ['POST', '/api/performance/track'],
  ['GET', '/api/performance'],
  ['GET', '/api/performance/:id'],
  ['POST', '/api/learning/force_adaptation'],
  ['GET', '/api/learning/insights'],
  ['GET', '/api/learning/adaptations'],
  ['POST', '/api/learning/adaptations/:id/revert'],
  ['POST', '/api/strategy/:id/signal'],
  ['GET', '/api/health'],
  ['GET', '/api/nothing/here'],
];

/** Answers one after the other, the same for the same `random`. */
export function hostileRequests(random: () => number): () => FuzzedRequest {
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const value = (depth: number): string => {
    if (depth > 0 && random() < 0.3) return object(depth - 1);
    return pick(values);
  };
  const object = (depth: number): string => {
    const fields = Array.from({ length: below(6) }, () => `"${pick(keys)}":${value(depth)}`);
    return `{${fields.join(',')}}`;
  };
  const broken = (text: string): string => {
    const at = below(text.length + 1);
    if (random() < 0.5) return text.slice(0, at);
    return text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
  };
  const valid = (): FuzzedRequest => {
    const route = 'POST /api/strategy_engine/process_market_data';
    if (random() < 0.5) {
      const body = JSON.stringify({ market_data: [{ symbol: `S${below(50)}`, price: 1 + below(1_000) }] });
      return { method: 'POST', path: '/api/strategy_engine/process_market_data', body, isValid: true, route };
    }
    return {
      method: 'GET',
      path: '/api/strategy_engine/summary',
      isValid: true,
      route: 'GET /api/strategy_engine/summary',
    };
  };
  return () => {
    if (random() < 0.2) return valid();
    const [method, path] = pick(routes);
    const query =
      random() < 0.2 ? `?limit=${pick(['-1', '1e9', 'x', '%00', '1000'])}&cursor=${pick(['x', '', '%ff'])}` : '';
    const full = path.replace(':id', pick(ids)) + query;
    const route = `${method} ${path}`;
    if (method === 'GET' || method === 'DELETE') return { method, path: full, isValid: false, route };
    const text = object(3);
    const body = random() < 0.3 ? broken(text) : random() < 0.02 ? '['.repeat(10_000) : text;
    const headers: Readonly<Record<string, string>> | undefined =
      random() < 0.1
        ? { 'content-type': pick(['text/plain', 'application/json; charset=x', 'x', 'application/json']) }
        : undefined;
    return { method, path: full, body, ...(headers ? { headers } : {}), isValid: false, route };
  };
}
