import assert from 'node:assert/strict';
import { errorStatus } from '../../src/core/domain/errors';
import { limits } from '../../src/core/domain/limits';
import { handle, type Reply, type WireRequest } from '../../src/wire/endpoint';
import { endpoints, matchEndpoint } from '../../src/wire/endpoints';
import { errorResponse } from '../../src/wire/schemas/responses';
import { type FakeEngine, fakeEngine } from '../helpers/fake-engine';

const nowMs = Date.UTC(2026, 0, 1);

async function ask(
  route: string,
  request: Partial<WireRequest> = {},
  engine: FakeEngine = fakeEngine(),
): Promise<Reply> {
  const [method = '', path = ''] = route.split(' ');
  const match = matchEndpoint(method, path);
  assert.ok(match.endpoint, route);
  return handle(match.endpoint, engine, { nowMs, requestId: 'req_test', params: match.params, ...request });
}

const bodyOf = (reply: Reply) => reply.body as Record<string, unknown>;

/** A request that every endpoint accepts. */
const requests: Readonly<Record<string, { route: string; body?: unknown; query?: Record<string, string> }>> = {
  processMarketData: {
    route: 'POST /api/strategy_engine/process_market_data',
    body: { market_data: { symbol: 'BTCUSD', price: 1 } },
  },
  summary: { route: 'GET /api/strategy_engine/summary' },
  registerStrategy: {
    route: 'POST /api/strategy/register',
    body: { strategy_type: 'breakout', parameters: { fast_period: 10 } },
  },
  strategyTypes: { route: 'GET /api/strategy/types' },
  listStrategies: { route: 'GET /api/strategy', query: { limit: '10' } },
  getStrategy: { route: 'GET /api/strategy/breakout_001' },
  updateStrategy: { route: 'PUT /api/strategy/breakout_001', body: { state: 'paused', expected_version: 1 } },
  archiveStrategy: { route: 'DELETE /api/strategy/breakout_001' },
  strategyVersions: { route: 'GET /api/strategy/breakout_001/versions' },
  rollbackStrategy: { route: 'POST /api/strategy/breakout_001/rollback', body: { version: 1 } },
  strategyDecisions: { route: 'GET /api/strategy/breakout_001/decisions', query: { symbol: 'btcusd' } },
  trackPerformance: {
    route: 'POST /api/performance/track',
    body: { strategy_id: 'breakout_001', execution_result: { pnl: 1, success: true, execution_time_ms: 5 } },
  },
  totalPerformance: { route: 'GET /api/performance', query: { since: '1700000000', curve: 'true' } },
  strategyPerformance: { route: 'GET /api/performance/breakout_001', query: { by: 'version' } },
  forceAdaptation: { route: 'POST /api/learning/force_adaptation', body: { strategy_type: 'breakout' } },
  insights: { route: 'GET /api/learning/insights' },
  listAdaptations: { route: 'GET /api/learning/adaptations' },
  revertAdaptation: { route: 'POST /api/learning/adaptations/ad_1/revert' },
  freezeLearning: { route: 'POST /api/learning/freeze', body: { frozen: false } },
  health: { route: 'GET /api/health' },
  metrics: { route: 'GET /api/metrics' },
  openapi: { route: 'GET /api/openapi.json' },
};

describe('wire/endpoints', () => {
  it('every endpoint of the table is asked below', () => {
    assert.deepEqual(Object.keys(requests).sort(), endpoints.map(({ operationId }) => operationId).sort());
  });

  for (const endpoint of endpoints) {
    const request = requests[endpoint.operationId];
    if (!request) continue;
    it(`${endpoint.method} ${endpoint.path} answers what its schema says`, async () => {
      const reply = await ask(request.route, { body: request.body, query: request.query ?? {} });
      assert.equal(reply.statusCode, 200, JSON.stringify(reply.body));
      if (endpoint.response === null) return;
      assert.equal(bodyOf(reply).status, 'success');
      const body = JSON.parse(JSON.stringify(reply.body));
      assert.deepEqual(endpoint.response.parse(body), withoutStatus(body));
      assert.deepEqual(camelKeys(body), [], 'keys are snake_case');
    });

    it(`${endpoint.method} ${endpoint.path} turns a defect into a reply that tells nothing of the inside`, async () => {
      const engine = fakeEngine();
      engine.mode = 'throw';
      if (endpoint.operationId === 'openapi')
        return assert.equal((await ask(request.route, {}, engine)).statusCode, 200);
      const reply = await ask(request.route, { body: request.body, query: request.query ?? {} }, engine);
      assert.equal(reply.statusCode, 500);
      const text = JSON.stringify(errorResponse.parse(reply.body));
      assert.doesNotMatch(text, /secret|\/home|TypeError|\.ts/);
      assert.match(String(reply.error?.cause), /secret/);
    });
  }

  it('errors of the engine keep their type, status and headers', async () => {
    const engine = fakeEngine();
    engine.mode = 'down';
    const down = await ask('POST /api/performance/track', { body: requests.trackPerformance?.body }, engine);
    assert.deepEqual(
      [down.statusCode, bodyOf(down).error_type, down.headers['retry-after']],
      [503, 'ConnectionError', '2'],
    );
    engine.mode = 'slow_store';
    const slow = await ask('POST /api/performance/track', { body: requests.trackPerformance?.body }, engine);
    assert.deepEqual(
      [slow.statusCode, bodyOf(slow).error_type, slow.headers['retry-after']],
      [504, 'TimeoutError', '1'],
    );
    engine.mode = 'ok';
    const missing = await ask('GET /api/strategy/missing', {}, engine);
    assert.deepEqual([missing.statusCode, bodyOf(missing).error_type], [404, 'NotFoundError']);
    assert.equal(bodyOf(missing).request_id, 'req_test');
    assert.equal(bodyOf(missing).timestamp, '2026-01-01T00:00:00.000Z');
  });

  describe('process_market_data', () => {
    const route = 'POST /api/strategy_engine/process_market_data';
    it('uses valid ticks even when others are rejected', async () => {
      const engine = fakeEngine();
      const reply = await ask(
        route,
        { text: '{"market_data":[{"symbol":"A","price":1},{"symbol":"A","price":-5}]}' },
        engine,
      );
      const body = bodyOf(reply);
      assert.deepEqual([reply.statusCode, body.ticks_accepted, body.ticks_rejected], [200, 1, 1]);
      assert.deepEqual(body.rejected, [{ index: 1, path: 'market_data[1].price', message: 'must be greater than 0' }]);
      assert.equal(engine.calls.length, 1);
    });

    it('is 422 when none is valid, with at most 20 details', async () => {
      const market_data = Array.from({ length: 50 }, () => ({ symbol: 'A', price: -5 }));
      const reply = await ask(route, { body: { market_data } });
      const { details, message, error_type } = errorResponse.parse(reply.body);
      assert.deepEqual([reply.statusCode, error_type, details.length], [422, 'ValueError', limits.errorDetails]);
      assert.equal(message, 'market_data[0].price must be greater than 0');
      assert.deepEqual(details[3], { path: 'market_data[3].price', message: 'must be greater than 0', received: -5 });
      assert.equal((await ask(route, { body: { market_data: [] } })).statusCode, 422);
    });

    it('is 413 by count, 400 by depth and by syntax', async () => {
      const market_data = Array.from({ length: limits.ticksPerRequest + 1 }, () => 0);
      assert.equal((await ask(route, { text: JSON.stringify({ market_data }) })).statusCode, 413);
      assert.equal((await ask(route, { text: '['.repeat(50_000) })).statusCode, 400);
      assert.equal((await ask(route, { text: '{' })).statusCode, 400);
      assert.equal((await ask(route, { text: '' })).statusCode, 400);
    });

    it('repeats what it received cut to 100 characters', async () => {
      const reply = await ask(route, { body: { symbol: 'x'.repeat(5_000), price: 1 } });
      assert.equal(String(errorResponse.parse(reply.body).details[0]?.received).length, limits.receivedChars);
    });
  });

  describe('register and update', () => {
    it('parameters go in by their names inside, and __proto__ does not', async () => {
      const engine = fakeEngine();
      const text =
        '{"strategy_type":"family","parameters":{"fast_period":3,"__proto__":{"x":1},"members":{"abc_001":{"max_weight":1}}},"symbols":["btcusd"],"capital":"1000.5"}';
      const reply = await ask('POST /api/strategy/register', { text, headers: { 'idempotency-key': 'k1' } }, engine);
      assert.equal(reply.statusCode, 200);
      assert.deepEqual(engine.calls[0]?.args[0], {
        strategyType: 'family',
        actor: 'api',
        parameters: { fastPeriod: 3, members: { abc_001: { maxWeight: 1 } } },
        symbols: ['BTCUSD'],
        capital: 1000.5,
        idempotencyKey: 'k1',
      });
    });

    it('a history is read as bars of the strategy, and one bad bar refuses the whole', async () => {
      const engine = fakeEngine();
      const good = { open: 1, high: 2, low: 1, close: 2, timestamp: '2026-01-01' };
      const body = { strategy_type: 'breakout', symbols: ['spy'], timeframe: '1m', history: [good] };
      assert.equal((await ask('POST /api/strategy/register', { body }, engine)).statusCode, 200);
      assert.match(JSON.stringify(engine.calls[0]?.args), /"symbol":"SPY".*"timeframe":"1m"/);
      const bad = await ask('POST /api/strategy/register', {
        body: { ...body, history: [good, { ...good, high: 1.5 }] },
      });
      assert.match(errorResponse.parse(bad.body).message, /^history\[1\]\.high must not be below/);
    });

    it('a history of ticks, or of bars that are not closed, is refused', async () => {
      const bar = { open: 1, high: 2, low: 1, close: 2, timestamp: '2026-01-01' };
      const body = { strategy_type: 'breakout', symbols: ['spy'], timeframe: '1m' };
      const refused = async (history: readonly object[]) =>
        errorResponse.parse((await ask('POST /api/strategy/register', { body: { ...body, history } })).body).message;
      assert.match(
        await refused([bar, { symbol: 'SPY', price: 1, timeframe: undefined }]),
        /^history\[1\] must be a bar/,
      );
      assert.match(await refused([{ ...bar, is_closed: false }]), /^history\[0\]\.is_closed must be true/);
    });

    it('what a strategy answers as its timeframe can be sent: auto, where its history says its own', async () => {
      const engine = fakeEngine();
      const bar = { open: 1, high: 2, low: 1, close: 2, timestamp: '2026-01-01', timeframe: '5m' };
      const body = { strategy_type: 'breakout', symbols: ['spy'], timeframe: 'auto', history: [bar] };
      assert.equal((await ask('POST /api/strategy/register', { body }, engine)).statusCode, 200);
      assert.match(
        JSON.stringify(engine.calls[0]?.args),
        /"timeframe":"5m".*"timeframe":"auto"|"timeframe":"auto".*"timeframe":"5m"/,
      );
      const put = await ask('PUT /api/strategy/a', { body: { timeframe: 'auto' }, params: { id: 'a' } }, engine);
      assert.equal(put.statusCode, 200);
    });

    const wrong: readonly (readonly [string, object, RegExp])[] = [
      ['no type', { strategy_type: undefined }, /strategy_type is required/],
      ['parameters as a list', { parameters: [] }, /parameters must be an object/],
      ['capital 0', { capital: 0 }, /capital must be greater than 0/],
      ['capital past the range of money', { capital: 1e11 }, /capital must be at most 90000000000/],
      ['an id in capitals', { strategy_id: 'ABC' }, /strategy_id must match/],
      ['an id that is a path', { strategy_id: 'types' }, /strategy_id is a path of the API/],
      ['a bad symbol', { symbols: ['OK', 'a b'] }, /symbols\[1\] must be a symbol/],
      ['a bad timeframe', { timeframe: '7m' }, /timeframe must be one of/],
      ['an unknown asset type', { asset_types: ['x'] }, /asset_types\[0\] must be one of crypto/],
      ['allow_short as text', { allow_short: 'true' }, /allow_short must be true or false/],
      ['a control character in the name', { name: 'a\nb' }, /name must not hold control characters/],
    ];
    for (const [name, fields, message] of wrong) {
      it(`${name} is 422 with its path`, async () => {
        const reply = await ask('POST /api/strategy/register', { body: { strategy_type: 'breakout', ...fields } });
        assert.equal(reply.statusCode, 422);
        assert.match(errorResponse.parse(reply.body).message, message);
      });
    }

    it('null for an optional field is not said', async () => {
      const engine = fakeEngine();
      await ask('PUT /api/strategy/breakout_001', { body: { name: null, symbols: null, state: 'shadow' } }, engine);
      assert.deepEqual(engine.calls[0]?.args, ['breakout_001', { actor: 'api', state: 'shadow' }]);
    });
  });

  it('types show the JSON Schema as it is, words in camelCase included', async () => {
    const reply = await ask('GET /api/strategy/types');
    assert.deepEqual(bodyOf(reply).types, [
      {
        type: 'breakout',
        family: 'breakout',
        description: 'a channel is left',
        inputs: ['bars'],
        tier: 'tactical',
        parameters: { properties: { fast_period: { default: 12, exclusiveMinimum: 1 } } },
      },
    ]);
  });

  it('force_adaptation takes words or 0 to 1, and needs a type or an id', async () => {
    const engine = fakeEngine();
    const market_conditions = { volatility: 'high', trend_strength: 0.3 };
    await ask(
      'POST /api/learning/force_adaptation',
      { body: { strategy_id: 'a_001', market_conditions, dry_run: true } },
      engine,
    );
    assert.deepEqual(engine.calls[0]?.args[0], {
      actor: 'api',
      strategyId: 'a_001',
      dryRun: true,
      marketConditions: { volatility: 'high', trendStrength: 0.3 },
    });
    const empty = await ask('POST /api/learning/force_adaptation', { body: {} });
    assert.match(errorResponse.parse(empty.body).message, /strategy_id is required, or strategy_type/);
    const odd = await ask('POST /api/learning/force_adaptation', {
      body: { strategy_id: 'a', market_conditions: { volatility: 2 } },
    });
    assert.match(
      errorResponse.parse(odd.body).message,
      /market_conditions.volatility must be (one of low, normal, high|at most 1)/,
    );
  });

  it('a page has at most 1,000 entries', async () => {
    assert.equal((await ask('GET /api/strategy', { query: { limit: '1000' } })).statusCode, 200);
    for (const limit of ['1001', '0', '-1', '1.5', 'x', '']) {
      assert.equal((await ask('GET /api/strategy', { query: { limit } })).statusCode, 422, limit);
    }
  });

  it('readiness is 503 while the engine is critical, liveness is not', async () => {
    const engine = fakeEngine();
    engine.health = 'critical';
    assert.deepEqual(
      [(await ask('GET /api/health', {}, engine)).statusCode, bodyOf(await ask('GET /api/health', {}, engine)).ready],
      [200, false],
    );
    assert.equal((await ask('GET /api/health', { query: { probe: 'ready' } }, engine)).statusCode, 503);
  });

  it('a path of the table is never an id, and says which methods it has', () => {
    const allow = (method: string, path: string) => {
      const match = matchEndpoint(method, path);
      return match.endpoint === null ? match.allow : 'found';
    };
    assert.deepEqual(allow('GET', '/api/strategy/register'), ['POST']);
    assert.deepEqual(allow('DELETE', '/api/strategy/types'), ['GET', 'HEAD']);
    assert.deepEqual(allow('GET', '/api/performance/track'), ['POST']);
    assert.deepEqual(allow('PATCH', '/api/strategy/a'), ['GET', 'HEAD', 'PUT', 'DELETE']);
    assert.deepEqual(allow('GET', '/api/nothing'), []);
    assert.deepEqual(allow('GET', '/api/strategy/%zz'), []);
    assert.equal(allow('GET', '/api/strategy/'), 'found');
    assert.equal(allow('HEAD', '/api/health'), 'found');
  });

  it('every type of error has the status of the contract', () => {
    assert.deepEqual(errorStatus, {
      JSONDecodeError: 400,
      BadRequestError: 400,
      AuthenticationError: 401,
      NotFoundError: 404,
      MethodNotAllowedError: 405,
      ConflictError: 409,
      PayloadTooLargeError: 413,
      UnsupportedMediaTypeError: 415,
      ValueError: 422,
      RateLimitError: 429,
      InternalError: 500,
      ConnectionError: 503,
      TimeoutError: 504,
    });
  });
});

function withoutStatus({ status: _, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}

/** Keys with capitals anywhere in the body, but for the JSON Schema of the types. */
function camelKeys(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'properties' || key === 'totals' ? [] : [...(/[A-Z]/.test(key) ? [key] : []), ...camelKeys(inner)],
  );
}
