import assert from 'node:assert/strict';
import { createHttpApi, type HttpApi } from '../../../src/adapters/http/server';
import { systemClock } from '../../../src/adapters/system/clock';
import { openEngine } from '../../../src/compose';
import type { Engine } from '../../../src/live/engine-api';
import { matchEndpoint } from '../../../src/wire/endpoints';
import { errorResponse } from '../../../src/wire/schemas/responses';
import { call, recordingLogger } from '../../helpers/http-client';

describe('the HTTP API over the real engine', () => {
  let engine: Engine;
  let api: HttpApi;
  before(async () => {
    const logger = recordingLogger();
    engine = await openEngine({ name: 'http', store: { kind: 'memory' }, logger });
    api = await createHttpApi({ engine, host: '127.0.0.1', port: 0, clock: systemClock, logger });
  });
  after(async () => {
    await api.close();
    await engine.close();
  });

  /** One call whose answer is exactly what the table says, no field more. */
  async function ask(route: string, body?: object, headers: Record<string, string> = {}) {
    const [method = '', path = ''] = route.split(' ');
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await call(api.port, path, { method, headers, ...sent });
    const { status: _, ...fields } = answer.body;
    const { endpoint } = matchEndpoint(method, path.split('?')[0] ?? '');
    if (answer.status !== 200) errorResponse.parse(answer.body);
    else endpoint?.response?.strict().parse(fields);
    return { code: answer.status, ...answer };
  }

  it('a strategy lives its life', async () => {
    const types = await ask('GET /api/strategy/types');
    assert.match(types.text, /"type":"trend_following"/);
    const registered = await ask('POST /api/strategy/register', {
      strategy_type: 'trend_following',
      asset_types: ['crypto'],
      parameters: { confidence_threshold: 0.4 },
    });
    assert.deepEqual(
      [registered.code, registered.body.strategy_id, registered.body.version],
      [200, 'trend_following_001', 1],
    );
    const one = '/api/strategy/trend_following_001';
    assert.match((await ask(`GET ${one}`)).text, /"confidence_threshold":\{"value":0\.4/);
    assert.equal((await ask('GET /api/strategy?limit=1')).code, 200);
    assert.equal(
      (await ask(`PUT ${one}`, { parameters: { confidence_threshold: 0.5 }, expected_version: 1 })).body.version,
      2,
    );
    assert.equal((await ask(`PUT ${one}`, { name: 'late', expected_version: 1 })).body.error_type, 'ConflictError');
    const page = await ask(`GET ${one}/versions?limit=1`);
    assert.match(page.text, /"versions":\[\{"version":1,.*"cursor":"1"/);
    assert.match((await ask(`GET ${one}/versions?cursor=1`)).text, /"versions":\[\{"version":2,.*"cursor":null/);
    const back = await ask(`POST ${one}/rollback`, { version: 1 });
    assert.match(JSON.stringify(back.body.parameters), /"confidence_threshold":0\.4/);
    assert.equal((await ask(`GET ${one}/decisions?limit=5`)).code, 200);
    assert.equal((await ask('POST /api/strategy/register', { strategy_type: 'nope' })).body.error_type, 'ValueError');
    assert.equal((await ask('GET /api/strategy/nope')).body.error_type, 'NotFoundError');
  });

  it('a registration may be sent again: by its id whatever the key, else by its key', async () => {
    const send = (body: object, key?: string) =>
      ask(
        'POST /api/strategy/register',
        { strategy_type: 'mean_reversion', state: 'paused', ...body },
        key === undefined ? {} : { 'idempotency-key': key },
      );
    const first = await send({ strategy_id: 'again' }, 'r1');
    for (const key of [undefined, 'r1', 'r2']) {
      assert.deepEqual((await send({ strategy_id: 'again' }, key)).body, first.body, String(key));
    }
    const other = await send({ strategy_id: 'again', name: 'other' }, 'r3');
    assert.match(other.text, /ConflictError.*"path":"strategy_id"/);
    const keyed = await send({}, 'r4');
    assert.equal((await send({}, 'r4')).body.strategy_id, keyed.body.strategy_id);
    assert.match((await send({ name: 'other' }, 'r4')).text, /ConflictError.*"path":"Idempotency-Key","message".*"r4"/);
    for (const id of ['again', String(keyed.body.strategy_id)]) await ask(`DELETE /api/strategy/${id}`);
    assert.match((await send({ strategy_id: 'again' })).text, /ConflictError.*"again\\" is archived/);
  });

  it('a probe that is told "not ready" is no failed request', async () => {
    engine.report({ component: 'input:test', health: 'down', message: 'away' });
    assert.equal((await ask('GET /api/health?probe=ready')).body.error_type, 'ConnectionError');
    engine.forget('input:test');
    const { body } = await ask('GET /api/strategy_engine/summary');
    assert.deepEqual([body.system_health, body.error_rate], ['excellent', 0]);
  });

  it('market data is used, and bad ticks are named', async () => {
    const market_data = [
      { symbol: 'BTCUSD', price: '50000.0', volume: 1, timestamp: Date.now() / 1_000 },
      { symbol: 'BTCUSD', price: -5 },
    ];
    const { body } = await ask('POST /api/strategy_engine/process_market_data', { market_data });
    assert.deepEqual([body.strategies_applied, body.ticks_accepted, body.ticks_rejected], [1, 1, 1]);
    assert.equal((await ask('POST /api/strategy_engine/process_market_data', { symbol: 'A' })).code, 422);
    const { outcomes, ticksTotal } = engine.summary().throughput;
    assert.deepEqual([outcomes.get('accepted'), outcomes.get('rejected'), ticksTotal], [1, 2, 3]);
  });

  it('an execution counts once, and its metrics are there', async () => {
    const execution = (pnl: number) => ({
      strategy_id: 'trend_following_001',
      execution_result: { pnl, success: true, execution_time_ms: 42, execution_id: 'e1', symbol: 'BTCUSD' },
    });
    const first = await ask('POST /api/performance/track', execution(125.5));
    assert.deepEqual(
      [first.body.performance_updated, first.body.duplicate, first.body.deduplicated],
      [true, false, true],
    );
    assert.equal((await ask('POST /api/performance/track', execution(125.5))).body.duplicate, true);
    assert.equal((await ask('POST /api/performance/track', execution(1))).body.error_type, 'ConflictError');
    const { body } = await ask('GET /api/performance/trend_following_001?by=symbol&curve=true');
    assert.match(JSON.stringify(body.metrics), /"total_pnl":125\.5,"executions":1/);
    assert.equal((await ask('GET /api/performance?since=2020-01-01')).code, 200);
    assert.equal((await ask('GET /api/performance/none')).code, 404);
    const keyed = {
      strategy_id: 'trend_following_001',
      execution_result: { pnl: 1, success: true, execution_time_ms: 1 },
    };
    const key = { 'idempotency-key': 'k1' };
    assert.equal((await ask('POST /api/performance/track', keyed, key)).body.duplicate, false);
    assert.equal((await ask('POST /api/performance/track', keyed, key)).body.duplicate, true);
  });

  it('a benchmark is a symbol whose bars are known', async () => {
    const day = 86_400_000;
    const open = Math.floor(Date.now() / day) * day - 5 * day;
    const market_data = [100, 110, 99, 120].map((close, i) => ({
      ...{ symbol: 'SPY', timeframe: '1d', timestamp: open + i * day, open: close, high: close, low: close, close },
    }));
    await ask('POST /api/strategy_engine/process_market_data', { market_data });
    await ask('POST /api/strategy/register', { strategy_type: 'mean_reversion', strategy_id: 'beside', capital: 1000 });
    for (const [i, pnl] of [5, 20, -20, 40].entries()) {
      const execution_result = { pnl, success: true, execution_time_ms: 1, timestamp: open + i * day + 1 };
      await ask('POST /api/performance/track', { strategy_id: 'beside', execution_result });
    }
    const metrics = async (symbol: string) => (await ask(`GET /api/performance/beside?benchmark=${symbol}`)).text;
    assert.match(await metrics('spy'), /"beta":0\.19\d+,"alpha":/);
    assert.match(await metrics('NONE'), /"reasons":\{[^}]*"beta":"too_few"/);
    await ask('DELETE /api/strategy/beside');
  });

  it('an adaptation is forced, listed, reverted, and refused while frozen', async () => {
    const forced = {
      strategy_id: 'trend_following_001',
      market_conditions: { volatility: 'high', trend_strength: 'weak' },
    };
    const { body } = await ask('POST /api/learning/force_adaptation', forced);
    assert.equal(body.adaptation_triggered, true);
    const listed = await ask('GET /api/learning/adaptations');
    const id = /"adaptation_id":"([^"]+)"/.exec(listed.text)?.[1];
    assert.equal((await ask(`POST /api/learning/adaptations/${id}/revert`)).code, 200);
    assert.equal((await ask('POST /api/learning/freeze', { frozen: true, reason: 'test' })).body.frozen, true);
    assert.equal((await ask('POST /api/learning/force_adaptation', forced)).body.adaptation_triggered, false);
    assert.equal((await ask('POST /api/learning/freeze', { frozen: false })).body.frozen, false);
    assert.equal((await ask('GET /api/learning/insights')).code, 200);
  });

  it('the summary, health and metrics tell of it', async () => {
    const { body } = await ask('GET /api/strategy_engine/summary');
    assert.equal(body.active_strategies, 1);
    assert.match(JSON.stringify(body.components), /"http":\{"health":"up"/);
    assert.equal((await ask('GET /api/health?probe=ready')).code, 200);
    const { text } = await ask('GET /api/metrics');
    assert.match(text, /^strategy_engine_signals_total \d+$/m);
    assert.match(text, /^strategy_engine_requests_total\{status="200"\} \d+$/m);
    assert.equal((await ask('DELETE /api/strategy/trend_following_001')).body.archived, true);
  });
});
