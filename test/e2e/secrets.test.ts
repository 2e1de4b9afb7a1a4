/** Secrets are planted wherever the product takes one; then everything that it shows or writes is searched for them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createOwnNodeRed } from '../helpers/own-node-red';
import type { FlowNode } from '../helpers/package';
import { createProduct, type Product } from '../helpers/product';
import { freePort, type RedisServer, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const token = 'planted-token/5b1f+c9@x=';
const password = 'planted:pass/word+7d@2?#%';
const wrongPassword = 'planted-wrong/3a@9&';
const secrets = [token, password, wrongPassword];

/** As it is, as a URL has it, as JSON has it, as `Authorization` has it, and the bare beginning of it. */
function forms(secret: string): readonly string[] {
  const base64 = [secret, `:${secret}`, `default:${secret}`].map((text) => Buffer.from(text).toString('base64'));
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), ...base64, secret.slice(0, 12)];
}
const needles = secrets.flatMap(forms);

/** Everything that was shown or written, by where. */
class Evidence {
  private readonly found: string[] = [];
  places = 0;

  look(where: string, shown: string | Buffer): void {
    const bytes = Buffer.isBuffer(shown) ? shown : Buffer.from(shown);
    assert.ok(bytes.length > 0, `${where} shows nothing at all`);
    this.places++;
    for (const needle of needles) {
      const at = bytes.indexOf(needle);
      if (at >= 0) this.found.push(`${where}: …${bytes.subarray(Math.max(0, at - 100), at + 60).toString('utf8')}…`);
    }
  }

  /** Every file below, those apart that Node-RED keeps credentials in. */
  lookThrough(directory: string): void {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isSymbolicLink() || /^\.?flows_cred\.json/.test(entry.name)) continue;
      if (entry.isDirectory()) this.lookThrough(path);
      else {
        const bytes = readFileSync(path);
        if (bytes.length > 0) this.look(path, bytes);
      }
    }
  }

  assertNone(): void {
    assert.deepEqual(this.found, []);
  }
}

const secretUrl = (secret: string, port: number) => `redis://:${encodeURIComponent(secret)}@127.0.0.1:${port}`;

/** No URL at all, and a password in it. */
const brokenUrl = `redis://:${encodeURIComponent(password)}@127.0.0.1:notaport`;

const tick = { symbol: 'BTCUSDT', price: 50_000, timestamp: 1_767_225_600 };
/** Good and bad requests alike; some repeat a secret where no secret belongs, as a confused caller would. */
const requests: readonly (readonly [method: string, path: string, body?: string])[] = [
  ['GET', '/api/strategy_engine/summary'],
  ['GET', '/api/health'],
  ['GET', '/api/metrics'],
  ['GET', '/api/openapi.json'],
  ['GET', '/api/strategy'],
  ['GET', '/api/strategy/types'],
  ['GET', '/api/performance'],
  ['GET', '/api/learning/insights'],
  ['GET', '/api/nothing/here'],
  ['DELETE', '/api/strategy_engine/summary'],
  ['GET', '/api/strategy/nobody'],
  ['POST', '/api/strategy_engine/process_market_data', JSON.stringify({ market_data: [tick] })],
  ['POST', '/api/strategy_engine/process_market_data', '{"market_data": ['],
  ['POST', '/api/strategy_engine/process_market_data', JSON.stringify({ market_data: [{ ...tick, price: -5 }] })],
  ['POST', '/api/strategy/register', JSON.stringify({ strategy_type: 'no_such_type' })],
  ['POST', '/api/strategy/register', JSON.stringify({ strategy_type: 'mean_reversion' })],
  ['POST', '/api/performance/track', JSON.stringify({ strategy_id: 'nobody', execution_result: {} })],
];
const authorizations = [
  `Bearer ${token}`,
  `Bearer ${wrongPassword}`,
  `Basic ${Buffer.from(token).toString('base64')}`,
  '',
];

async function ask(evidence: Evidence, apiUrl: string): Promise<void> {
  for (const authorization of authorizations) {
    for (const [method, path, body] of requests) {
      const headers = { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) };
      const answer = await fetch(apiUrl + path, { method, headers, ...(body === undefined ? {} : { body }) });
      const mayPass = authorization === `Bearer ${token}`;
      assert.equal(answer.status === 401, !mayPass, `${method} ${path} with "${authorization}" is ${answer.status}`);
      evidence.look(`${method} ${path}`, await answer.text());
      evidence.look(`headers of ${method} ${path}`, JSON.stringify([...answer.headers]));
    }
  }
}

async function summary(apiUrl: string): Promise<string> {
  return (
    await fetch(`${apiUrl}/api/strategy_engine/summary`, { headers: { authorization: `Bearer ${token}` } })
  ).text();
}

/** What an editor, and whoever reads its channel, is shown. */
async function askEditor(evidence: Evidence, url: string, credentials: readonly (readonly [string, string])[]) {
  const paths = [
    '/flows',
    '/settings',
    '/nodes',
    '/icons',
    '/strategy-engine/types',
    '/context/global',
    '/diagnostics',
  ];
  paths.push(...credentials.map(([type, id]) => `/credentials/${type}/${id}`));
  for (const path of paths) {
    const answer = await fetch(url + path, { headers: { accept: 'application/json', 'Node-RED-API-Version': 'v2' } });
    evidence.look(`${path} (${answer.status})`, await answer.text());
  }
}

describe('secrets', function () {
  this.timeout(120_000);
  let redis: RedisServer;

  before(async () => {
    redis = await startRedis({ args: ['--requirepass', password] });
  });
  after(() => redis.stop());

  it('would be found in every form they can take', () => {
    for (const form of needles) {
      const evidence = new Evidence();
      evidence.look('somewhere', `before ${form} after`);
      assert.throws(() => evidence.assertNone(), /somewhere/);
    }
  });

  it('of the demo’s environment are shown nowhere, also while Redis refuses the password', async () => {
    const { path: dataDir, remove } = temporaryDirectory('secrets');
    const evidence = new Evidence();
    const env = { API_TOKEN: token, LOG_LEVEL: 'debug' };
    const right = await createProduct({ dataDir, redisUrl: secretUrl(password, redis.port), env });
    const wrong = await createProduct({ dataDir, redisUrl: secretUrl(wrongPassword, redis.port), env });
    const broken = await createProduct({ dataDir, redisUrl: brokenUrl, env });
    try {
      await runDemo(right, evidence, async () => {
        await until('Redis is up', async () => /redis[^}]*"up"/i.test(await summary(right.apiUrl)), 10_000);
        await changePassword(redis, 'another');
        await until('Redis is down', async () => /WRONGPASS|NOAUTH|invalid/i.test(await summary(right.apiUrl)), 10_000);
        await ask(evidence, right.apiUrl);
        await changePassword(redis, password, 'another');
      });
      await runDemo(wrong, evidence, async () => {
        await until('it is refused', async () => /WRONGPASS|NOAUTH|invalid/i.test(await summary(wrong.apiUrl)), 10_000);
      });
      await assert.rejects(startWithToken(broken), /ended with 1:\s+REDIS_URL must be a redis:/);
      evidence.look('its output', broken.output());
      evidence.lookThrough(dataDir);
      assert.ok(evidence.places > 300, `${evidence.places} places`);
      evidence.assertNone();
    } finally {
      for (const product of [right, wrong, broken]) await product.end('SIGKILL');
      remove();
    }
  });

  async function runDemo(product: Product, evidence: Evidence, inBetween: () => Promise<void>): Promise<void> {
    await startWithToken(product);
    await ask(evidence, product.apiUrl);
    await inBetween();
    await askEditor(evidence, product.editorUrl, [['strategy-engine-api', 'demo-api']]);
    const { code } = await product.end('SIGTERM');
    assert.equal(code, 0, product.output());
    evidence.look('its output', product.output());
  }

  it('of credentials in Node-RED are in no flow, status, debug message, log or file', async () => {
    const evidence = new Evidence();
    const { red, remove } = await createOwnNodeRed({ BROKEN_REDIS_URL: brokenUrl });
    const [port, otherPort] = [await freePort(), await freePort()];
    const redisUrl = `redis://127.0.0.1:${redis.port}`;
    try {
      await red.start();
      await red.deploy(flow(redisUrl, port, otherPort));
      const apiUrl = `http://127.0.0.1:${port}`;
      await until(
        'the API answers',
        () =>
          summary(apiUrl).then(
            (text) => text.includes('redis'),
            () => false,
          ),
        15_000,
      );
      await until('Redis is up', async () => /redis[^}]*"up"/i.test(await summary(apiUrl)), 10_000);
      await until(
        'the other one is refused',
        () => /WRONGPASS|invalid/i.test(red.output() + JSON.stringify(red.heard)),
        15_000,
      );
      await until('a bad URL is said to be bad', () => /in-broken\].*(?:url|URL)/.test(red.output()), 10_000);
      await ask(evidence, apiUrl);
      await red.inject('press');
      await until('a message came through', () => red.debug('shown').length > 0, 15_000);
      const credentials = ['engine', 'wrong', 'broken'].map((id) => ['strategy-engine', id] as const);
      await askEditor(evidence, red.url, [
        ...credentials,
        ['strategy-engine-api', 'api'],
        ['strategy-engine-market-data-in', 'in'],
      ]);
      assert.equal(await red.end(), 0);
      evidence.look('what editors heard', JSON.stringify(red.heard));
      evidence.look('its log', red.output());
      evidence.lookThrough(red.directory);
      evidence.assertNone();
      const kept = readFileSync(join(red.directory, 'flows_cred.json'), 'utf8');
      for (const secret of secrets)
        assert.ok(kept.includes(JSON.stringify(secret)), 'Node-RED keeps it as a credential');
    } catch (thrown) {
      throw new Error(`${String(thrown)}\n${red.output()}`, { cause: thrown });
    } finally {
      await red.end('SIGKILL');
      remove();
    }
  });
});

/** The demo’s own start asks for its health without a token. */
async function startWithToken(product: Product): Promise<void> {
  await product.start(`Bearer ${token}`);
}

async function changePassword(redis: RedisServer, to: string, from = password): Promise<void> {
  const client = new Redis(redis.port, '127.0.0.1', { password: from });
  await client.config('SET', 'requirepass', to);
  await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await client.call('CLIENT', 'KILL', 'TYPE', 'normal');
  client.disconnect();
}

/** One engine that may in, one with a wrong password, one whose URL cannot be read and holds a password itself. */
function flow(redisUrl: string, port: number, otherPort: number): FlowNode[] {
  const tab = { id: 'tab', type: 'tab', label: 'secrets' };
  const engine = (id: string, url: string, redisPassword: string) => ({
    id,
    type: 'strategy-engine',
    name: `${id} engine`,
    engineName: `named-${id}`,
    version: 1,
    store: 'memory',
    redisUrl: url,
    listen: true,
    credentials: { redisPassword },
  });
  const node = (id: string, type: string, more: object) => ({
    id,
    type,
    z: 'tab',
    x: 100,
    y: 100,
    wires: [[]],
    ...more,
  });
  // Filled in by Node-RED from the environment.
  const broken = ['$', '{BROKEN_REDIS_URL}'].join('');
  return [
    tab,
    engine('engine', redisUrl, password),
    engine('wrong', redisUrl, wrongPassword),
    engine('broken', broken, password),
    node('api', 'strategy-engine-api', { version: 1, engine: 'engine', port, credentials: { token } }),
    node('api-wrong', 'strategy-engine-api', { version: 1, engine: 'wrong', port: otherPort, credentials: { token } }),
    node('in', 'strategy-engine-market-data-in', {
      version: 1,
      engine: 'engine',
      redisUrl,
      credentials: { redisPassword: password },
    }),
    node('in-wrong', 'strategy-engine-market-data-in', {
      version: 1,
      engine: 'engine',
      redisUrl,
      credentials: { redisPassword: wrongPassword },
    }),
    node('in-broken', 'strategy-engine-market-data-in', {
      version: 1,
      engine: 'broken',
      redisUrl: broken,
      credentials: { redisPassword: password },
    }),
    node('events', 'strategy-engine-events', {
      version: 1,
      engine: 'wrong',
      kinds: ['health', 'alert', 'gap'],
      wires: [['heard']],
    }),
    node('heard', 'debug', { active: true, tosidebar: true, console: true, complete: 'true', targetType: 'full' }),
    node('press', 'inject', {
      props: [{ p: 'payload' }],
      payload: JSON.stringify([tick]),
      payloadType: 'json',
      wires: [['data']],
    }),
    node('data', 'strategy-engine-market-data', {
      version: 1,
      engine: 'engine',
      wires: [['shown'], ['shown'], ['shown']],
    }),
    node('shown', 'debug', { active: true, tosidebar: true, console: true, complete: 'true', targetType: 'full' }),
  ] as FlowNode[];
}
