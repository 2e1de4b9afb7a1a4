/** Every example, imported into a real Node-RED, deployed, and seen doing what it says. */
import assert from 'node:assert/strict';
import { createNodeRed, type NodeRed } from '../helpers/node-red';
import { exampleNames, type FlowNode, installedPackage, readExample, runtimes } from '../helpers/package';
import { freePort, type RedisServer, startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';

const setUpMs = 240_000;
/** For what only has to happen; what a user is promised in time is asserted where it is looked at. */
const seenMs = 30_000;
let red: NodeRed;
let redis: RedisServer;
let apiPort = 0;

/** One deployed example: its nodes by name, and what its debug nodes show. */
class Deployed {
  private readonly flow: readonly FlowNode[];
  private readonly from: number;

  constructor(flow: readonly FlowNode[]) {
    this.flow = flow;
    this.from = red.heard.length;
  }

  id(name: string): string {
    const found = this.flow.find((node) => node.name === name && node.type !== 'comment');
    if (!found) throw new Error(`there is no node "${name}"`);
    return found.id;
  }

  async press(...names: readonly string[]): Promise<void> {
    for (const name of names) await red.inject(this.id(name));
  }

  /** What the debug node shows, as soon as it fits. */
  async shows(name: string, fits: (text: string) => boolean = () => true): Promise<string> {
    const id = this.id(name);
    let found = '';
    const looks = () => {
      found = red.debug(id, this.from).map(String).find(fits) ?? '';
      return found !== '';
    };
    await until(`"${name}" shows it`, looks, seenMs).catch((thrown) => {
      throw new Error(
        `${String(thrown)}; it shows ${JSON.stringify(red.debug(id, this.from)).slice(0, 2_000)}\n${red.output().slice(-2_000)}`,
      );
    });
    return found;
  }
}

async function deploy(name: string): Promise<Deployed> {
  const flow = readExample(name).map((node) =>
    node.type === 'strategy-engine-api' ? { ...node, port: apiPort } : node,
  );
  const deployed = new Deployed(flow);
  await red.deploy(flow);
  return deployed;
}

async function api(method: string, path: string, body?: unknown) {
  const answer = await fetch(`${red.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'x-request-id': 'test-1' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    id: answer.headers.get('x-request-id'),
    body: (await answer.json()) as Readonly<Record<string, unknown>>,
  };
}

const isSignal = (text: string) => text.includes('"signal_id"');

const checks: Readonly<Record<string, (example: Deployed) => Promise<void>>> = {
  async '01 - Hello signal'(example) {
    const from = performance.now();
    assert.match(await example.shows('signals', isSignal), /"symbol":"SIM:BTC","action":"(buy|sell)"/);
    assert.ok(performance.now() - from < 10_000, 'within ten seconds');
    await example.shows('decisions');
  },
  async '03 - A rule without code'(example) {
    await example.shows('signals', isSignal);
    for (const code of ['warming_up', '"signal"']) await example.shows('why not', (text) => text.includes(code));
  },
  async '11 - The HTTP API wired visually'() {
    const registered = await api('POST', '/api/strategy/register', {
      strategy_type: 'mean_reversion',
      symbols: ['BTCUSDT'],
    });
    assert.deepEqual([registered.status, registered.id, registered.body.status], [200, 'test-1', 'success']);
    const id = String(registered.body.strategy_id);
    const tick = { market_data: { symbol: 'BTCUSDT', price: 42_000, volume: 1 }, asset_types: ['crypto'] };
    assert.equal((await api('POST', '/api/strategy_engine/process_market_data', tick)).body.ticks_accepted, 1);
    assert.equal(typeof (await api('GET', '/api/strategy_engine/summary')).body.active_strategies, 'number');
    assert.equal(
      (await api('PUT', `/api/strategy/${id}`, { parameters: { confidence_threshold: 0.6 } })).body.version,
      2,
    );
    assert.equal((await api('POST', `/api/strategy/${id}/rollback`, { version: 1 })).body.version, 3);
    assert.equal(((await api('GET', `/api/strategy/${id}/versions`)).body.versions as unknown[]).length, 3);
    const execution = { pnl: 12.5, success: true, execution_time_ms: 3, execution_id: 'e1' };
    const tracked = { strategy_id: id, execution_result: execution };
    assert.equal((await api('POST', '/api/performance/track', tracked)).body.performance_updated, true);
    assert.equal((await api('POST', '/api/performance/track', tracked)).body.duplicate, true);
    assert.equal(((await api('GET', `/api/performance/${id}`)).body.metrics as { total_pnl: number }).total_pnl, 12.5);
    for (const path of ['', '/types', `/${id}`, `/${id}/decisions`])
      assert.equal((await api('GET', `/api/strategy${path}`)).status, 200, path);
    for (const path of ['insights', 'adaptations'])
      assert.equal((await api('GET', `/api/learning/${path}`)).status, 200, path);
    assert.equal((await api('GET', '/api/performance')).status, 200);
    assert.equal((await api('POST', '/api/learning/force_adaptation', { strategy_id: id, dry_run: true })).status, 200);
    const missing = await api('GET', '/api/strategy/nobody');
    assert.deepEqual(
      [missing.status, missing.body.error_type, missing.body.request_id],
      [404, 'NotFoundError', 'test-1'],
    );
    const wrong = await api('POST', '/api/strategy_engine/process_market_data', {
      market_data: [{ symbol: 'A', price: -5 }],
    });
    assert.deepEqual([wrong.status, wrong.body.error_type], [422, 'ValueError']);
    assert.equal((await api('DELETE', `/api/strategy/${id}`)).status, 200);
  },
  async '12 - Redis in, signals out on Redis'() {
    const { Redis } = await import('ioredis');
    const [publisher, subscriber] = [new Redis(redis.url), new Redis(redis.url)];
    const signals: string[] = [];
    await subscriber.subscribe('strategy_engine_output');
    subscriber.on('message', (_channel: string, text: string) => signals.push(text));
    let sent = 0;
    const send = async () => {
      const price = 42_000 + 300 * Math.sin(sent / 40);
      const heard = await publisher.publish('strategy_engine_input', JSON.stringify({ symbol: 'BTCUSDT', price }));
      if (heard > 0) sent++;
      return signals.length > 0;
    };
    await until('a signal on Redis', send, seenMs);
    assert.equal((JSON.parse(String(signals[0])) as { symbol: string }).symbol, 'BTCUSDT');
    assert.ok((await publisher.xlen('strategy_engine:signals')) > 0);
    publisher.disconnect();
    subscriber.disconnect();
  },
  async '14 - One market over several engines'(example) {
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url);
    for (let n = 0; n < 400; n++) {
      for (const [partition, symbol] of ['ETHUSDT', 'BTCUSDT'].entries()) {
        const data = JSON.stringify({ symbol, price: 2_500 + 30 * Math.sin(n / 40) });
        await client.xadd(`strategy_engine:input:${partition}`, '*', 'data', data);
      }
    }
    for (const [partition, symbol] of ['ETHUSDT', 'BTCUSDT'].entries()) {
      const shown = await example.shows(`signals of ${partition}`, isSignal);
      assert.match(shown, new RegExp(`"symbol":"${symbol}"`));
    }
    client.disconnect();
  },
  async 'nodes/HTTP API'(example) {
    const url = `http://127.0.0.1:${apiPort}/api/strategy_engine/summary`;
    const answers = () =>
      fetch(url).then(
        (answer) => answer.ok,
        () => false,
      );
    await until('the API answers', answers, seenMs);
    await example.shows('handled', (text) => text.includes('/api/strategy_engine/summary'));
  },
  async 'nodes/adapt'(example) {
    await example.press('register');
    await example.shows('result', (text) => text.includes('"strategy_id":"example_adapted"'));
    await example.press('propose');
    assert.match(await example.shows('proposals'), /"applied":false/);
    await example.press('force');
    assert.match(await example.shows('changes'), /"stage":"applied"/);
    await example.press('list');
    await example.shows('result', (text) => text.includes('"adaptations":[{'));
  },
  async 'nodes/events'(example) {
    await example.shows('text', (text) => /^(BUY|SELL|CLOSE) SIM:GOLD/.test(text));
    await example.shows('everything', (text) => text.includes('"topic":"fill"'));
  },
  async 'nodes/insights'(example) {
    await example.shows('points', (text) => text.includes('"topic":"active_strategies"'));
    const before = example.shows('answers', (text) => text.includes('"market_regime"'));
    const asks = (flow: readonly FlowNode[]) => flow.filter(({ type }) => type === 'inject').map(({ id }) => id);
    for (const id of asks(readExample('nodes/insights'))) await red.inject(id);
    await before;
    await example.shows('answers', (text) => text.includes('"system_health"'));
  },
  async 'nodes/market data'(example) {
    await example.press('a price over MQTT', 'a Binance trade', 'one good, one bad');
    for (const symbol of ['BTCUSD"', 'BTCUSDT', 'ETHUSDT'])
      await example.shows('ticks', (text) => text.includes(symbol));
    assert.match(await example.shows('rejected'), /must be greater than 0/);
  },
  async '13 - Nothing lost, a Redis stream in'(example) {
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url);
    const input = 'strategy_engine:input';
    for (let n = 0; n < 400; n++) {
      const price = 2_500 + 30 * Math.sin(n / 40);
      await client.xadd(input, '*', 'data', JSON.stringify({ symbol: 'ETHUSDT', price }));
    }
    await example.shows('signals', isSignal);
    await client.xadd(input, '*', 'data', 'no json');
    await example.shows('rejected and gaps', (text) => text.includes('no json'));
    const isDone = async () => ((await client.xpending(input, 'strategy_engine')) as unknown[])[0] === 0;
    await until('all is acknowledged', isDone, seenMs);
    await example.press('dead letters');
    await example.shows('result', (text) => text.includes('"source":"stream:strategy_engine:input"'));
    await example.press('put them back');
    await example.shows('result', (text) => /"replayed":[1-9]/.test(text));
    client.disconnect();
  },
  async 'nodes/market data in'(example) {
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url);
    const message = '[{"symbol":"BTCUSDT","price":42000.5},{"symbol":"BTCUSDT","price":"none"}]';
    await until('somebody listens', async () => (await client.publish('strategy_engine_input', message)) > 0, seenMs);
    client.disconnect();
    assert.match(await example.shows('ticks'), /42000\.5/);
    assert.match(await example.shows('rejected and gaps'), /must be a number/);
  },
  async 'nodes/market replay'(example) {
    await example.press('start');
    await example.shows('ticks', (text) => text.includes('SIM:DEMO'));
    await example.press('pause');
    await example.shows('progress and end', (text) => text.includes('"paused"'));
    await example.press('start');
    await example.shows('progress and end', (text) => text.includes('"row":500') && text.includes('"complete":true'));
  },
  async 'nodes/performance track'(example) {
    await example.press('register');
    await example.shows('result', (text) => text.includes('example_tracked'));
    await example.press('an execution', 'an execution', 'three at once');
    await example.shows('result', (text) => text.includes('"total_pnl":12.5'));
    await example.shows('result', (text) => text.includes('"refused":1'));
  },
  async 'nodes/strategy'(example) {
    await example.shows('text', (text) => /^(BUY|SELL|CLOSE) SIM:SPX [\d.,]+ · /.test(text));
    await example.press('pause');
    await until('it is paused', () => red.status(example.id('crossover')) === 'paused', seenMs);
    await example.press('resume');
    await until('it goes on', () => red.status(example.id('crossover')).includes('sig'), seenMs);
  },
  async 'nodes/strategy apply'(example) {
    await example.press('one tick', 'nothing usable');
    assert.match(await example.shows('result'), /"ticks_accepted":1/);
    assert.match(await example.shows('error'), /price must be greater than 0/);
  },
  async 'nodes/strategy manage'(example) {
    await example.press('register');
    await example.shows('result', (text) => text.includes('"strategy_id":"example_reversion"'));
    await example.press('get', 'update', 'list');
    await example.shows('result', (text) => text.includes('"version":2'));
    await example.shows('result', (text) => text.includes('"strategies":[{'));
  },
};

describe('the examples in a real Node-RED', () => {
  before(async function () {
    this.timeout(setUpMs);
    const [runtime] = runtimes();
    if (!runtime) throw new Error('there is no Node-RED');
    redis = await startRedis();
    apiPort = await freePort();
    red = await createNodeRed(runtime, installedPackage(), { REDIS_URL: redis.url });
    await red.start();
  });

  after(async () => {
    await red.end();
    red.remove();
    await redis.stop();
  });

  it('are all looked at here', () => {
    assert.deepEqual(Object.keys(checks).sort(), [...exampleNames()]);
  });

  for (const name of exampleNames()) {
    it(`"${name}" works`, async function () {
      this.timeout(4 * seenMs);
      await checks[name]?.(await deploy(name));
    });
  }

  it('left no uncaught error and no rejection behind', () => {
    assert.doesNotMatch(red.output(), /Uncaught|unhandled|InternalError/i);
  });
});
