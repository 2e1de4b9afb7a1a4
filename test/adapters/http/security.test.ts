import assert from 'node:assert/strict';
import fastify from 'fastify';
import { isLoopback, tokenCheck } from '../../../src/adapters/http/access';
import { createRateCheck } from '../../../src/adapters/http/rate';
import { createHttpApi } from '../../../src/adapters/http/server';
import { systemClock } from '../../../src/adapters/system/clock';
import { EngineError } from '../../../src/core/domain/errors';
import { endpoints } from '../../../src/wire/endpoints';
import { errorResponse } from '../../../src/wire/schemas/responses';
import { fakeEngine } from '../../helpers/fake-engine';
import { call, recordingLogger, startApi } from '../../helpers/http-client';

const token = 'planted-token-7f3a';
const bearer = { authorization: `Bearer ${token}` };
const process = '/api/strategy_engine/process_market_data';

describe('adapters/http security', () => {
  it('no route answers without the token or with a wrong one, every route with it', async () => {
    const { api, engine, log } = await startApi({ token, rateLimit: false });
    const routes = [
      ...endpoints.map(({ method, path }) => ({ method, path: path.replace('{id}', 'a') })),
      { method: 'GET', path: '/api/nothing' },
    ];
    for (const { method, path } of routes) {
      for (const headers of [
        {},
        { authorization: 'Bearer wrong' },
        { authorization: token },
        { authorization: `Basic ${token}` },
        { authorization: `Bearer ${token}x` },
      ]) {
        const answer = await call(api.port, path, { method, headers });
        assert.equal(answer.status, 401, `${method} ${path} ${JSON.stringify(headers)}`);
        assert.equal(errorResponse.parse(answer.body).error_type, 'AuthenticationError');
        assert.equal(answer.headers['www-authenticate'], 'Bearer');
        assert.doesNotMatch(answer.text, new RegExp(token));
      }
      const known = await call(api.port, path, { method, headers: bearer });
      assert.notEqual(known.status, 401, `${method} ${path}`);
    }
    assert.doesNotMatch(JSON.stringify([log, engine.calls, engine.reports]), new RegExp(token));
    await api.close();
  });

  it('a token is compared as a whole, and none set lets everybody in', () => {
    const check = tokenCheck('abc');
    assert.equal(check('Bearer abc'), true);
    assert.equal(check('bearer  abc '), true);
    for (const wrong of [undefined, '', 'Bearer', 'Bearer ', 'Bearer ab', 'Bearer abcd', 'abc', 'Bearer abc def'])
      assert.equal(check(wrong), false, wrong);
    assert.equal(tokenCheck(undefined)(undefined), true);
  });

  it('nothing listens beyond loopback without a token', async () => {
    const options = { engine: fakeEngine(), port: 0, clock: systemClock, logger: recordingLogger() };
    for (const host of ['0.0.0.0', '::', '192.168.1.10', 'example.org', '']) {
      for (const none of [{}, { token: '' }]) {
        await assert.rejects(createHttpApi({ ...options, host, ...none }), (thrown) => {
          assert.ok(thrown instanceof EngineError && thrown.code === 'ValueError');
          return /host must be a loopback address unless a token is set/.test(thrown.message);
        });
      }
    }
    for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]', '::ffff:127.0.0.1'])
      assert.equal(isLoopback(host), true, host);
    for (const host of ['127.evil.org', '128.0.0.1', '0.0.0.0', 'localhost.evil.org', '1.127.0.0'])
      assert.equal(isLoopback(host), false, host);
    const open = await createHttpApi({ ...options, host: '0.0.0.0', token });
    assert.equal((await call(open.port, '/api/health', { headers: bearer })).status, 200);
    await open.close();
  });

  it('past the rate requests are 429 with Retry-After, and later they are not', async () => {
    const { api } = await startApi({ rateLimit: 40 });
    const answers = await Promise.all(Array.from({ length: 80 }, () => call(api.port, '/api/health')));
    const served = answers.filter(({ status }) => status === 200).length;
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(served + refused.length, 80);
    // 40 in one window of a second; a second window may have begun while they came.
    assert.ok(served === 40 || (served > 40 && served <= 80 && refused.length > 0), `${served} served`);
    const [first] = refused;
    assert.ok(first);
    assert.equal(errorResponse.parse(first.body).error_type, 'RateLimitError');
    assert.equal(first.headers['retry-after'], '1');
    const end = performance.now() + 5_000;
    while ((await call(api.port, '/api/health')).status !== 200)
      assert.ok(performance.now() < end, 'never served again');
    await api.close();
  });

  it('there is no rate on loopback unless one is set', async () => {
    const { api } = await startApi();
    const answers = await Promise.all(Array.from({ length: 150 }, () => call(api.port, '/api/health')));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    await api.close();
  });

  it('callers are told apart by token and address, and few are remembered', async () => {
    const app = fastify();
    const check = createRateCheck(app, 2, (authorization) => authorization === 'Bearer t', 100);
    app.get('/', async (request) => {
      await check(request);
      return 'ok';
    });
    const statusOf = async (remoteAddress: string, headers = {}) =>
      (await app.inject({ url: '/', remoteAddress, headers })).statusCode;
    const refused = async (address: string, headers = {}) => {
      for (let i = 0; i < 3; i++) await statusOf(address, headers);
      return (await statusOf(address, headers)) !== 200;
    };
    assert.equal(await refused('10.0.0.1'), true);
    assert.equal(await statusOf('10.0.0.2'), 200);
    assert.equal(await statusOf('10.0.0.1', { authorization: 'Bearer t' }), 200);
    assert.equal(await refused('10.0.0.3', { authorization: 'Bearer guess' }), true);
    for (let i = 0; i < 200; i++) await statusOf(`10.1.${i >> 4}.${i & 15}`);
    assert.equal(await statusOf('10.0.0.1'), 200, 'forgotten after a hundred others');
    await app.close();
  });

  it('pages of other origins may neither read nor act unless configured', async () => {
    const { api } = await startApi();
    const origin = { origin: 'https://evil.example' };
    const read = await call(api.port, '/api/health', { headers: origin });
    assert.deepEqual([read.status, read.headers['access-control-allow-origin']], [200, undefined]);
    const act = await call(api.port, '/api/learning/freeze', { method: 'POST', headers: origin });
    assert.deepEqual([act.status, act.body.error_type], [400, 'BadRequestError']);
    const own = await call(api.port, '/api/learning/freeze', {
      method: 'POST',
      headers: { origin: `http://127.0.0.1:${api.port}` },
    });
    assert.equal(own.status, 200);
    await api.close();
  });

  it('configured origins may read and act, and are asked for the token only with the request itself', async () => {
    const origin = 'https://desk.example';
    const { api } = await startApi({ corsOrigins: [origin], token });
    const preflight = await call(api.port, '/api/strategy/register', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.status, 200);
    assert.equal(preflight.headers['access-control-allow-origin'], origin);
    assert.match(preflight.headers['access-control-allow-methods'] ?? '', /POST/);
    assert.match(preflight.headers['access-control-allow-headers'] ?? '', /Authorization/);
    const act = await call(api.port, '/api/learning/freeze', { method: 'POST', headers: { origin, ...bearer } });
    assert.deepEqual(
      [act.status, act.headers['access-control-allow-origin'], act.headers.vary],
      [200, origin, 'Origin'],
    );
    assert.equal((await call(api.port, '/api/health', { headers: { origin } })).status, 401);
    assert.equal(
      (await call(api.port, '/api/health', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })).status,
      401,
    );
    await api.close();
  });

  it('a name rebound to this machine is not served without a token', async () => {
    const { api } = await startApi();
    assert.equal(
      (await call(api.port, '/api/health', { headers: { host: 'evil.example:8000' } })).body.error_type,
      'BadRequestError',
    );
    for (const host of ['localhost', 'localhost:8000', '[::1]:8000']) {
      assert.equal((await call(api.port, '/api/health', { headers: { host } })).status, 200, host);
    }
    await api.close();
  });

  it('__proto__ and its like are data in symbols, ids, queries and headers, and pollute nothing', async () => {
    const { api, engine } = await startApi();
    const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
    const hostile = [
      '{"symbol":"__proto__","price":1,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
      '{"__proto__":{"market_data":[]},"market_data":[{"symbol":"A","price":1,"__proto__":{"price":-1}}]}',
    ];
    for (const body of hostile) assert.equal((await call(api.port, process, { body })).status, 200);
    assert.match(JSON.stringify(engine.calls[0]?.args), /"symbol":"__PROTO__"/);
    const body =
      '{"strategy_type":"x","parameters":{"__proto__":{"polluted":1},"a":{"constructor":{"prototype":{"polluted":1}}}}}';
    assert.equal((await call(api.port, '/api/strategy/register', { body })).status, 200);
    assert.match(JSON.stringify(engine.calls.at(-1)?.args), /"parameters":\{"a":\{\}\}/);
    assert.equal((await call(api.port, '/api/strategy/__proto__')).status, 404);
    assert.equal((await call(api.port, '/api/health?__proto__=1&constructor[prototype][polluted]=1')).status, 200);
    assert.equal(
      (await call(api.port, '/api/health', { headers: { ['__proto__']: 'x', constructor: 'y' } })).status,
      200,
    );
    assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), before);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    await api.close();
  });

  it('control characters from outside reach neither headers nor a line of the log', async () => {
    const { api, engine, log } = await startApi();
    const answer = await call(api.port, process, { body: '{"symbol":"A\\r\\nX-Injected: 1","price":1}' });
    assert.deepEqual([answer.status, answer.headers['x-injected']], [422, undefined]);
    engine.mode = 'throw';
    assert.equal((await call(api.port, '/api/strategy/a%0d%0ab')).status, 500);
    assert.equal((await call(api.port, '/api/strategy/a%0d%0aX-Injected:1')).headers['x-injected'], undefined);
    assert.doesNotMatch(log.join(''), /[\r\n]/);
    await api.close();
  });
});
