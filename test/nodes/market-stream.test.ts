/** Ticks of a Redis stream through nodes into the engine: each once, acknowledged when it is stored. */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import engine from '../../nodes/engine';
import marketDataIn, { definition } from '../../nodes/market-data-in';
import type { Shell } from '../../nodes/shell';
import apply from '../../nodes/strategy-apply';
import manage from '../../nodes/strategy-manage';
import { StreamNode } from '../../nodes/stream-source';
import { type LiveEngine, limits } from '../../src/index';
import { probe } from '../helpers/redis-probe';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';
import { body, clearStage, closeStage, errorOf, list, openStage, type Stage, stage, ticks, valley } from './stage';

const key = 'strategy_engine:input';
const group = 'strategy_engine';
const of = (id: string, short: string, more: Readonly<Record<string, unknown>>) => ({
  id,
  type: `strategy-engine-${short}`,
  version: 1,
  engine: 'engine',
  ...more,
});

describe('the market data in node on a stream', function () {
  this.timeout(20_000);
  let redis: RedisServer;
  let asker: Redis;
  let added = 0;

  before(async () => {
    await openStage();
    redis = await startRedis();
    asker = probe(redis.url);
  });
  beforeEach(async () => {
    added = 0;
    await asker.flushall();
  });
  afterEach(clearStage);
  after(async () => {
    asker.disconnect();
    await closeStage();
    await redis.stop();
  });

  const source = (more: Readonly<Record<string, unknown>> = {}) =>
    of('in', 'market-data-in', {
      version: 2,
      from: 'stream',
      redisUrl: redis.url,
      wires: [['apply'], ['rejected']],
      ...more,
    });
  const flow = (more: Readonly<Record<string, unknown>> = {}) => [
    source(more),
    of('apply', 'strategy-apply', { wires: [['signals'], ['results'], []] }),
  ];
  const play = (nodes: Parameters<typeof stage>[1] = flow()): Promise<Stage> =>
    stage([engine, marketDataIn, apply, manage], nodes);
  const pending = async (): Promise<number> => Number(((await asker.xpending(key, group)) as unknown[])[0]);
  const acknowledged = () =>
    until('all is acknowledged', async () => Number(await asker.exists(key)) === 1 && (await pending()) === 0, 10_000);
  const accepted = (on: Stage): number =>
    on.seen('results').reduce((sum, one) => sum + Number(body(one).ticks_accepted), 0);

  /** Ticks that go on from those before. */
  async function add(count: number, size: number): Promise<void> {
    for (const end = added + count; added < end; added += size) {
      const part = ticks(added + size, valley).slice(added);
      await asker.xadd(key, '*', 'data', JSON.stringify(part));
    }
  }

  it('hands entries to the engine in order, and acknowledges what it has stored', async () => {
    await add(120, 10);
    const on = await play();
    await until('all is taken', () => accepted(on) === 120);
    await acknowledged();
    await until('it counts', () => on.status('in').text === '120 ticks');
    assert.equal(on.status('in').fill, 'green');
    assert.deepEqual(on.seen('caught'), []);
  });

  it('says where each message stands, and makes an id of it that several nodes share', async () => {
    const on = await play([
      source({ partition: '2', wires: [['one', 'apply', 'again'], []] }),
      of('apply', 'strategy-apply', { wires: [['signals'], ['results'], []] }),
      of('again', 'strategy-apply', { wires: [[], ['more'], []] }),
    ]);
    const id = await asker.xadd(`${key}:2`, '*', 'data', '[{"symbol":"A","price":1},{"symbol":"B","price":2}]');
    const [message] = await on.count('one', 1);
    assert.deepEqual(message?.feed_position, { feed: `stream:${key}:2`, entry: id, after: '' });
    assert.equal(message?.batch_id, `stream:${key}:2:${id}`);
    assert.deepEqual(
      list(message).map(({ symbol }) => symbol),
      ['A', 'B'],
    );
    const [first, second] = [await on.count('results', 1), await on.count('more', 1)];
    assert.deepEqual(
      [body(first[0]).ticks_accepted, body(second[0]).ticks_accepted],
      [2, 2],
      'one evaluation, told twice',
    );
  });

  it('says that nothing takes its ticks, and reads no further than it may', async () => {
    const on = await play([source({ wires: [['probe'], []] })]);
    await until('it reads', () => on.status('in').text === 'connected');
    const fromMs = Date.now() - 1_000_000;
    // Far enough apart that each is a batch of its own.
    for (let n = 0; n < limits.nodeBatchesOpen + 20; n++) {
      await asker.xadd(key, `${fromMs + n * 1_000}-0`, 'data', JSON.stringify({ symbol: 'A', price: 1 + n }));
    }
    await on.count('probe', limits.nodeBatchesOpen);
    await until('it says so', () => on.status('in').text === 'engine takes nothing', limits.nodeUntakenMs + 3_000);
    assert.deepEqual([on.status('in').fill, on.status('in').shape], ['yellow', 'ring']);
    assert.equal(on.seen('probe').length, limits.nodeBatchesOpen);
    assert.ok((await pending()) >= limits.nodeBatchesOpen);
  });

  it('sends what is no data to its second port and to the dead letters, from where a message puts it back', async () => {
    const on = await play([
      ...flow(),
      of('manage', 'strategy-manage', { engine: 'other', wires: [['managed']] }),
      other(),
    ]);
    await asker.xadd(key, '*', 'data', 'not json');
    const [refused] = await on.count('rejected', 1);
    assert.deepEqual([refused?.topic, body(refused).raw], ['rejected', 'not json']);
    await acknowledged();
    on.send('manage', { operation: 'dead_letters', payload: { limit: 5 } });
    const [listed] = await on.count('managed', 1);
    const [letter] = body(listed).letters as Record<string, unknown>[];
    assert.deepEqual([letter?.data, letter?.source, letter?.attempts], ['not json', `stream:${key}`, 0]);
    on.send('manage', { operation: 'replay_dead_letters', payload: {} });
    const { status, replayed, refused: stays } = body((await on.count('managed', 2))[1]);
    assert.deepEqual([status, replayed, stays], ['success', 1, []]);
    await on.count('rejected', 2);
    await until('it is kept again', async () => (await asker.xlen('strategy_engine:rejected')) === 1);
    const [again] = await asker.xrange('strategy_engine:rejected', '-', '+');
    assert.equal(again?.[1][again[1].indexOf('attempts') + 1], '1');
    on.send('manage', { operation: 'dead_letters', payload: { limit: 0 } });
    await on.count('caught', 1);
  });

  /** An engine that knows of a Redis. */
  const other = () => ({
    id: 'other',
    type: 'strategy-engine',
    version: 1,
    engineName: 'lettered',
    store: 'memory',
    redisUrl: redis.url,
    outputChannel: '',
  });

  it('sends again what the engine could not take', async () => {
    const on = await play();
    await add(20, 10);
    await until('taken', () => accepted(on) === 20);
    await acknowledged();
    // As a message of the node before does that was still on its way: what comes then overlaps, and is refused.
    const [last] = await asker.xrevrange(key, '+', '-', 'COUNT', 1);
    const [ms] = String(last?.[0]).split('-');
    on.send('apply', {
      payload: [{ symbol: 'OTHER', price: 1 }],
      feed_position: { feed: `stream:${key}`, entry: `${ms}-999`, after: last?.[0] },
    });
    await until('that is taken', () => accepted(on) === 21);
    await add(30, 30);
    const [caught] = await on.count('caught', 1);
    assert.match(errorOf(caught).message, /were taken already/);
    await until('all is taken', () => accepted(on) === 51, 10_000);
    await acknowledged();
  });

  it('is red while Redis is away, and loses nothing', async () => {
    await redis.stop();
    redis = await startRedis({ args: ['--appendonly', 'yes'] });
    asker.disconnect();
    asker = probe(redis.url);
    const on = await play();
    await add(50, 10);
    await until('taken', () => accepted(on) === 50);
    await redis.kill9();
    await until('down', () => on.status('in').text === 'redis down', 5_000);
    assert.deepEqual([on.status('in').fill, on.status('in').shape], ['red', 'ring']);
    await redis.restart();
    await add(50, 10);
    await until('all', () => accepted(on) === 100, 10_000);
    await acknowledged();
  });

  it('reads a configuration of before there were streams as what it was', () => {
    const steps = definition.migrations ?? [];
    const saved = { version: 1, channel: 'prices', emit: 'single' };
    assert.deepEqual(steps[1]?.(saved), { ...saved, from: 'channel' });
    assert.equal(definition.config.parse({ ...saved, from: 'channel' }).channel, 'prices');
  });

  it('goes on where the engine is after it has lost what it had taken, and leaves no entry out', async () => {
    const entries: string[] = [];
    const put = async () => {
      entries.push(String(await asker.xadd(key, '*', 'data', JSON.stringify(ticks(1, valley)))));
    };
    const sent: { readonly entry: string; readonly after: string }[] = [];
    let cursor = '';
    let rewind = () => {};
    const silent = () => {};
    const shell = {
      node: {
        id: 'in',
        send([message]: readonly [{ feed_position: { entry: string; after: string } } | null]) {
          if (message === null) return;
          sent.push(message.feed_position);
          cursor = message.feed_position.entry;
        },
      },
      log: { debug: silent, info: silent, warn: silent, error: silent },
      isClosed: false,
      status: silent,
      after: silent,
    };
    const fake = {
      feedEntry: () => cursor,
      feedStored: async () => ({ entry: cursor, isRefused: false }),
      role: () => 'leader',
      onRole: () => silent,
      onRewind(listener: () => void) {
        rewind = listener;
        return silent;
      },
      report: silent,
      reportLag: silent,
      forget: silent,
      marketRules: { assetTypeOf: () => 'crypto' },
    };
    const settings = { url: redis.url, stream: key, group, partition: null, assetType: '' } as const;
    const [onShell, onEngine] = [shell, fake] as unknown as [Shell<unknown>, LiveEngine];
    const node = new StreamNode(onShell, onEngine, settings);
    for (let i = 0; i < 6; i++) await put();
    await node.start();
    const reaches = (entry: string | undefined) => until('it is sent', () => sent.at(-1)?.entry === entry);
    await reaches(entries[5]);
    await acknowledged();
    sent.length = 0;
    cursor = entries[2] ?? '';
    rewind();
    await reaches(entries[5]);
    assert.equal(sent[0]?.after, entries[2]);
    await put();
    await reaches(entries[6]);
    for (let i = 1; i < sent.length; i++) assert.equal(sent[i]?.after, sent[i - 1]?.entry);
    await node.close();
  });
});
