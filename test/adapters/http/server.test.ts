import assert from 'node:assert/strict';
import http from 'node:http';
import { createHttpApi, type Handled } from '../../../src/adapters/http/server';
import { systemClock } from '../../../src/adapters/system/clock';
import { EngineError } from '../../../src/core/domain/errors';
import { limits } from '../../../src/core/domain/limits';
import { endpoints } from '../../../src/wire/endpoints';
import { errorResponse } from '../../../src/wire/schemas/responses';
import { fakeEngine } from '../../helpers/fake-engine';
import { type Answer, call, recordingLogger, type Started, startApi } from '../../helpers/http-client';
import { createManualClock } from '../../helpers/manual-clock';
import { until } from '../../helpers/until';

const tick = '{"symbol":"BTCUSD","price":50000}';
const process = '/api/strategy_engine/process_market_data';

function assertError(answer: Answer, status: number, type: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  const body = errorResponse.parse(answer.body);
  assert.equal(body.error_type, type);
  assert.equal(body.request_id, answer.headers['x-request-id']);
}

describe('adapters/http/server', () => {
  const handled: Handled[] = [];
  let started: Started;
  let port: number;

  before(async () => {
    started = await startApi({ onHandled: (one) => handled.push(one) });
    port = started.api.port;
  });
  after(() => started.api.close());
  beforeEach(() => {
    started.engine.mode = 'ok';
    started.engine.calls.length = 0;
    started.engine.statuses.length = 0;
    handled.length = 0;
  });

  it('every GET of the table is served', async () => {
    for (const { method, path, contentType } of endpoints) {
      if (method !== 'GET') continue;
      const answer = await call(port, path.replace('{id}', 'breakout_001'));
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers['content-type'], contentType ?? 'application/json; charset=utf-8');
      if (contentType === null) assert.equal(answer.body.status, 'success', path);
    }
  });

  it("market data comes in and the contract's body goes out", async () => {
    const answer = await call(port, process, { body: `{"market_data":[${tick},{"symbol":"X"}]}` });
    assert.equal(answer.status, 200);
    assert.deepEqual([answer.body.ticks_accepted, answer.body.ticks_rejected], [1, 1]);
    assert.match(JSON.stringify(started.engine.calls[0]?.args), /"source":"http"/);
  });

  it('every answer is counted and told once', async () => {
    await call(port, '/api/strategy/breakout_001', { headers: { 'x-request-id': 'abc' } });
    await call(port, '/api/nothing');
    assert.deepEqual(started.engine.statuses, [200, 404]);
    assert.deepEqual(
      handled.map(({ method, route, status }) => [method, route, status]),
      [
        ['GET', '/api/strategy/{id}', 200],
        ['GET', null, 404],
      ],
    );
    assert.equal(handled[0]?.requestId, 'abc');
    assert.match(JSON.stringify(handled[0]?.body), /"strategy_id":"breakout_001"/);
  });

  it('a sane request id is taken over, any other is replaced', async () => {
    const idOf = async (id: string) =>
      (await call(port, '/api/health', { headers: { 'x-request-id': id } })).headers['x-request-id'];
    assert.equal(await idOf('a.B-9_z'), 'a.B-9_z');
    assert.equal(await idOf('x'.repeat(64)), 'x'.repeat(64));
    for (const bad of ['x'.repeat(65), 'a b', 'a/b', '<x>', ''])
      assert.match(String(await idOf(bad)), /^req_[a-z0-9_]+$/, bad);
    const made = new Set(
      await Promise.all([1, 2, 3].map(async () => (await call(port, '/api/health')).headers['x-request-id'])),
    );
    assert.equal(made.size, 3);
  });

  it('a body must say that it is JSON in UTF-8', async () => {
    for (const type of [
      'application/json',
      'application/json; charset=utf-8',
      'APPLICATION/JSON',
      'application/vnd.x+json',
    ]) {
      assert.equal((await call(port, process, { body: tick, headers: { 'content-type': type } })).status, 200, type);
    }
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'json',
      'application/json; charset=utf-16',
      'application/jsonp',
    ]) {
      assertError(
        await call(port, process, { body: tick, headers: { 'content-type': type } }),
        415,
        'UnsupportedMediaTypeError',
      );
    }
    assertError(
      await call(port, process, { body: tick, headers: { 'content-encoding': 'gzip' } }),
      415,
      'UnsupportedMediaTypeError',
    );
  });

  it('an empty body is accepted where none is needed, and is no JSON elsewhere', async () => {
    for (const headers of [{}, { 'content-type': 'application/json' }]) {
      assert.equal((await call(port, '/api/learning/freeze', { method: 'POST', headers })).status, 200);
      assert.equal((await call(port, '/api/learning/adaptations/a/revert', { method: 'POST', headers })).status, 200);
      assert.equal((await call(port, '/api/strategy/a', { method: 'DELETE', headers })).status, 200);
      assertError(await call(port, '/api/strategy/register', { method: 'POST', headers }), 400, 'JSONDecodeError');
      assertError(await call(port, process, { method: 'POST', headers }), 400, 'JSONDecodeError');
    }
  });

  it('what is not JSON is 400, what is too large 413, what does not fit 422', async () => {
    assertError(await call(port, process, { body: '{"market_data": [' }), 400, 'JSONDecodeError');
    assertError(await call(port, process, { body: '['.repeat(100_000) }), 400, 'JSONDecodeError');
    assertError(
      await call(port, process, { body: Buffer.alloc(limits.bodyBytes + 1, ' ') }),
      413,
      'PayloadTooLargeError',
    );
    assertError(
      await call(port, process, { body: JSON.stringify(Array(10_001).fill(0)) }),
      413,
      'PayloadTooLargeError',
    );
    assertError(await call(port, process, { body: '{"symbol":"A","price":-5}' }), 422, 'ValueError');
    assert.equal((await call(port, process, { body: tick.padEnd(limits.bodyBytes, ' ') })).status, 200);
  });

  it('the sender of a body of many megabytes gets to read the 413', async () => {
    const body = Buffer.alloc(12 * 1_048_576, 'x');
    assertError(await call(port, process, { body }), 413, 'PayloadTooLargeError');
    assertError(
      await call(port, process, { body, headers: { 'transfer-encoding': 'chunked' } }),
      413,
      'PayloadTooLargeError',
    );
  });

  it('a path that is not there is 404, a method that is not there 405 with Allow', async () => {
    assertError(await call(port, '/api/nothing'), 404, 'NotFoundError');
    assertError(await call(port, '/'), 404, 'NotFoundError');
    assertError(await call(port, '/api/nothing', { body: '{}' }), 404, 'NotFoundError');
    assertError(await call(port, `/api/strategy/${'x'.repeat(500)}`), 404, 'NotFoundError');
    assertError(await call(port, '/api/strategy/missing'), 404, 'NotFoundError');
    assertError(await call(port, '/api/strategy/%zz'), 400, 'BadRequestError');
    const table: readonly (readonly [string, string, string])[] = [
      ['GET', process, 'POST, OPTIONS'],
      ['GET', '/api/strategy/register', 'POST, OPTIONS'],
      ['PATCH', '/api/strategy/a', 'GET, HEAD, PUT, DELETE, OPTIONS'],
      ['DELETE', '/api/strategy/types', 'GET, HEAD, OPTIONS'],
      ['PROPFIND', '/api/health', 'GET, HEAD, OPTIONS'],
      ['TRACE', '/api/health', 'GET, HEAD, OPTIONS'],
    ];
    for (const [method, path, allow] of table) {
      const answer = await call(port, path, { method });
      assertError(answer, 405, 'MethodNotAllowedError');
      assert.equal(answer.headers.allow, allow);
    }
  });

  it('HEAD answers as GET without the body, OPTIONS names the methods', async () => {
    const head = await call(port, '/api/health', { method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [200, '']);
    const options = await call(port, '/api/strategy/a', { method: 'OPTIONS' });
    assert.deepEqual([options.status, options.headers.allow], [200, 'GET, HEAD, PUT, DELETE, OPTIONS']);
    assert.equal(options.headers['access-control-allow-origin'], undefined);
    assertError(await call(port, '/api/nothing', { method: 'OPTIONS' }), 404, 'NotFoundError');
  });

  it('a defect of ours is 500 without the inside; the log says all', async () => {
    started.engine.mode = 'throw';
    const answer = await call(port, '/api/strategy_engine/summary');
    assertError(answer, 500, 'InternalError');
    assert.doesNotMatch(answer.text, /secret|\/home|\.ts/);
    assert.match(started.log.join('\n'), /request failed .*secret inside/);
  });

  it('an answer that cannot be written is 500, and a listener that throws disturbs nothing', async () => {
    const odd = await startApi({
      onHandled: () => {
        throw new Error('listener');
      },
    });
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    odd.engine.summary = () => circle as never;
    assertError(await call(odd.api.port, '/api/strategy_engine/summary'), 500, 'InternalError');
    assert.equal((await call(odd.api.port, process, { body: tick })).status, 200);
    assert.match(odd.log.join(), /a listener of handled requests failed/);
    odd.engine.processMarketData = async () => ({ ...circle, signals: [], rejected: [], executionTimeMs: 1n }) as never;
    assertError(await call(odd.api.port, process, { body: tick }), 500, 'InternalError');
    await odd.api.close();
  });

  it('a store that is down is 503, one that is slow 504, both with Retry-After', async () => {
    const body = '{"strategy_id":"a","execution_result":{"pnl":1,"success":true,"execution_time_ms":1}}';
    started.engine.mode = 'down';
    const down = await call(port, '/api/performance/track', { body });
    assertError(down, 503, 'ConnectionError');
    assert.equal(down.headers['retry-after'], '2');
    started.engine.mode = 'slow_store';
    const slow = await call(port, '/api/performance/track', { body });
    assertError(slow, 504, 'TimeoutError');
    assert.equal(slow.headers['retry-after'], '1');
  });

  it('kept-alive connections serve request after request', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 20; i++) assert.equal((await call(port, process, { body: tick, agent })).status, 200);
    assertError(await call(port, process, { body: '{', agent }), 400, 'JSONDecodeError');
    assert.equal((await call(port, process, { body: tick, agent })).status, 200);
    agent.destroy();
  });

  it('an engine that hangs is answered for within 5 s', async () => {
    const clock = createManualClock();
    const hanging = await startApi({ clock });
    hanging.engine.mode = 'hang';
    const waiting = call(hanging.api.port, process, { body: tick });
    await until('the request has its deadline', () => clock.pending() > 0);
    clock.advance(limits.requestMs - 1);
    const answer = await waiting;
    assertError(answer, 504, 'TimeoutError');
    assert.equal(answer.headers['retry-after'], '1');
    const closing = hanging.api.close();
    clock.advance(limits.closeMs);
    await closing;
  });

  it('a taken port is an error that says so, and settings that are not allowed are refused', async () => {
    const options = { engine: fakeEngine(), host: '127.0.0.1', clock: systemClock, logger: recordingLogger() };
    await assert.rejects(createHttpApi({ ...options, port }), (thrown) => {
      assert.ok(thrown instanceof EngineError && thrown.code === 'ConflictError');
      return /port \d+ on 127\.0\.0\.1 is taken/.test(thrown.message);
    });
    await assert.rejects(
      createHttpApi({ ...options, port: 0, bodyLimitBytes: limits.bodyBytesMax + 1 }),
      /body_limit_bytes must be/,
    );
  });

  it('says where it listens, and closes within its bound with a client connected', async () => {
    const other = await startApi();
    const agent = new http.Agent({ keepAlive: true });
    await call(other.api.port, '/api/health', { agent });
    assert.match(other.engine.reports.join(), new RegExp(`http up listening on 127.0.0.1:${other.api.port}`));
    const before = performance.now();
    await other.api.close();
    assert.ok(performance.now() - before < limits.closeMs);
    assert.match(other.engine.reports.join(), /http forgotten/);
    agent.destroy();
    await assert.rejects(call(other.api.port, '/api/health'));
  });
});
