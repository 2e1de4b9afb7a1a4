import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import api from '../../nodes/api';
import engine from '../../nodes/engine';
import events from '../../nodes/events';
import marketDataIn from '../../nodes/market-data-in';
import apply from '../../nodes/strategy-apply';
import manage from '../../nodes/strategy-manage';
import { freePort, type RedisServer, startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';
import { adminRequest, body, clearStage, closeStage, list, openStage, quick, stage, ticks, valley } from './stage';

const of = (id: string, short: string, more: Readonly<Record<string, unknown>>) => ({
  id,
  type: `strategy-engine-${short}`,
  version: 1,
  engine: 'engine',
  ...more,
});
const registration = {
  strategy_type: 'moving_average_crossover',
  strategy_id: 'mine',
  timeframe: '1s',
  parameters: quick,
};

describe('the HTTP API node', () => {
  before(openStage);
  after(closeStage);
  afterEach(clearStage);

  it('serves the engine on its own port, with a token, and hands on what it answered', async () => {
    const port = await freePort();
    const node = of('api', 'api', { host: '127.0.0.1', port, wires: [['handled']] });
    const on = await stage([engine, api], [node], { api: { token: 'sesame-sesame' } });
    await until('it listens', () => on.status('api').text === `:${port}`);
    const url = `http://127.0.0.1:${port}/api/strategy_engine/summary`;
    assert.equal((await fetch(url)).status, 401);
    const answer = await fetch(url, { headers: { authorization: 'Bearer sesame-sesame' } });
    assert.equal(((await answer.json()) as { status: string }).status, 'success');
    const handled = await on.count('handled', 2);
    assert.deepEqual(
      handled.map((one) => body(one).status),
      [401, 200],
    );
    assert.equal(body(handled[1]).route, '/api/strategy_engine/summary');
  });

  it('says that a port is taken, and takes it once it is free', async () => {
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const on = await stage([engine, api], [of('api', 'api', { port, wires: [['handled']] })]);
    await until('a red ring', () => on.status('api').text === `port ${port} taken`);
    assert.deepEqual([on.status('api').fill, on.status('api').shape], ['red', 'ring']);
    await new Promise((resolve) => other.close(resolve));
    await until('it listens', () => on.status('api').text === `:${port}`, 8_000);
  });
});

describe('the events node', () => {
  before(openStage);
  after(closeStage);
  afterEach(clearStage);

  it('tells of the kinds that are asked for, once each, as objects or as text', async () => {
    const flow = [
      of('all', 'events', {
        kinds: ['signal', 'decision', 'fill', 'health', 'alert', 'gap', 'adaptation'],
        wires: [['everything']],
      }),
      of('text', 'events', { kinds: ['signal'], format: 'text', wires: [['words']] }),
      of('other', 'events', { kinds: ['signal'], symbols: 'ETHUSDT', wires: [['silence']] }),
      of('manage', 'strategy-manage', { wires: [['managed']] }),
      of('apply', 'strategy-apply', { wires: [['signals'], [], []] }),
    ];
    const on = await stage([engine, events, manage, apply], flow);
    on.send('manage', { operation: 'register', payload: registration });
    await on.count('managed', 1);
    on.send('apply', { payload: ticks(120, valley) });
    const signals = await on.count('signals', 1);
    await on.count('words', signals.length);
    const told = on.seen('everything').filter(({ topic }) => topic === 'signal');
    assert.deepEqual(
      told.map((one) => body(one).signal_id),
      signals.map((one) => body(one).signal_id),
    );
    assert.deepEqual([told[0]?.strategy_id, told[0]?.symbol], ['mine', 'BTCUSDT']);
    assert.ok(on.seen('everything').some(({ topic }) => topic === 'fill'));
    assert.match(String(on.seen('words')[0]?.payload), /^(BUY|SELL|CLOSE) BTCUSDT/);
    assert.equal(on.seen('silence').length, 0);
  });
});

describe('the market data in node', () => {
  let redis: RedisServer;
  before(async () => {
    await openStage();
    redis = await startRedis();
  });
  after(async () => {
    await closeStage();
    await redis.stop();
  });
  afterEach(clearStage);

  const node = (more: Readonly<Record<string, unknown>> = {}) =>
    of('in', 'market-data-in', { redisUrl: redis.url, channel: 'prices', wires: [['ticks'], ['rejected']], ...more });

  async function publish(text: string): Promise<void> {
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url);
    await client.publish('prices', text);
    await client.quit();
  }

  it('sends what a channel brings in batches, and what is wrong on its second port', async () => {
    const on = await stage([engine, marketDataIn], [node()]);
    await until('connected', () => on.status('in').text === 'connected');
    await publish(
      JSON.stringify([
        { symbol: 'a', price: 1 },
        { symbol: 'B', price: 2 },
        { symbol: 'C', price: -1 },
      ]),
    );
    await publish('not json');
    const [batch] = await on.count('ticks', 1);
    assert.deepEqual(
      list(batch).map(({ symbol }) => symbol),
      ['A', 'B'],
    );
    assert.deepEqual([batch?.topic, typeof batch?.batch_id], ['prices', 'string']);
    const rejected = await on.count('rejected', 2);
    assert.match(String(body(rejected[0]).path), /\[2\]\.price$/);
    assert.equal(body(rejected[1]).raw, 'not json');
  });

  it('sends single ticks when it is asked to', async () => {
    const on = await stage([engine, marketDataIn], [node({ emit: 'single' })]);
    await until('connected', () => on.status('in').text === 'connected');
    await publish(
      JSON.stringify([
        { symbol: 'A', price: 1 },
        { symbol: 'B', price: 2 },
      ]),
    );
    const sent = await on.count('ticks', 2);
    assert.deepEqual(
      sent.map(({ topic }) => topic),
      ['A', 'B'],
    );
  });

  it('is red while Redis is away, and tells of the gap when it is back', async () => {
    const on = await stage([engine, marketDataIn], [node()]);
    await until('connected', () => on.status('in').text === 'connected');
    await redis.kill9();
    await until('down', () => on.status('in').text === 'redis down', 8_000);
    assert.deepEqual([on.status('in').fill, on.status('in').shape], ['red', 'ring']);
    await redis.restart();
    await until('a gap', () => on.seen('rejected').some(({ topic }) => topic === 'gap'), 8_000);
    const gap = on.seen('rejected').find(({ topic }) => topic === 'gap');
    assert.ok(Number(body(gap).duration_ms) > 0);
    await until('yellow', () => /^gap \d+ s$/.test(on.status('in').text ?? ''));
  });
});

describe('the engine node', () => {
  before(openStage);
  after(closeStage);
  afterEach(clearStage);

  it('lists the strategy types with their parameters for the editor', async () => {
    await stage([engine, apply], [of('apply', 'strategy-apply', { wires: [[], [], []] })]);
    const { body: answer } = await adminRequest().get('/strategy-engine/types').expect(200);
    const crossover = answer.types.find(({ type }: { type: string }) => type === 'moving_average_crossover');
    assert.deepEqual(Object.keys(crossover.parameters.properties).slice(0, 2), [
      'confidence_threshold',
      'risk_tolerance',
    ]);
    assert.equal(crossover.parameters.properties.fast_period.default, 12);
  });
});
