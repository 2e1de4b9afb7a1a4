/** A stream into a living engine, put together as a program does it. */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { type EngineOptions, openEngine } from '../../../src/compose';
import type { Signal } from '../../../src/core/domain/signal';
import type { Engine } from '../../../src/live/engine-api';
import { logLines, probe } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { temporaryDirectory } from '../../helpers/temporary';
import { until } from '../../helpers/until';
import { chunked, walkers, walkingMarket } from '../../helpers/walking-market';

const key = 'strategy_engine:input';
const feed = `stream:${key}`;

describe('a stream into an engine', function () {
  this.timeout(60_000);
  let server: RedisServer;
  let asker: Redis;
  const open: Engine[] = [];

  before(async () => {
    server = await startRedis();
    asker = probe(server.url);
  });
  beforeEach(() => asker.flushall());
  afterEach(async () => {
    await Promise.all(open.splice(0).map((engine) => engine.close()));
  });
  after(async () => {
    asker.disconnect();
    await server.stop();
  });

  async function opened(store: EngineOptions['store'] = { kind: 'memory' }) {
    const engine = await openEngine({
      name: 'streamed',
      store,
      capital: 10_000,
      redis: { url: server.url, inputChannel: null, inputStream: key },
      logger: logLines(),
    });
    open.push(engine);
    const signals: Signal[] = [];
    engine.on('signal', (signal) => void signals.push(signal));
    return { engine, signals };
  }

  async function add(ticks: readonly unknown[], size: number): Promise<string> {
    const pipeline = asker.pipeline();
    for (const chunk of chunked(ticks, size)) {
      // One tick in all three forms, in turn.
      const form = chunk.length === 1 ? chunk[0] : size % 2 === 0 ? { market_data: chunk } : chunk;
      pipeline.xadd(key, '*', 'data', JSON.stringify(form));
    }
    return String((await pipeline.exec())?.at(-1)?.[1]);
  }

  const taken = (engine: Engine, entry: string) =>
    until('all is taken', () => engine.feedEntry(feed) === entry, 30_000);

  it('gives the same signals however the ticks are cut into entries', async () => {
    const ticks = walkingMarket(12_000, 5);
    const outcomes: { signals: unknown[]; positions: unknown }[] = [];
    for (const size of [1, 7, 1_000, 12_000 / 2]) {
      await asker.flushall();
      const { engine, signals } = await opened();
      for (const walker of walkers) await engine.register(walker);
      await taken(engine, await add(ticks, size));
      const said = signals.map(({ latencyMs: _, ...rest }) => rest);
      outcomes.push({ signals: said, positions: engine.positions() });
      await engine.close();
    }
    assert.ok((outcomes[0]?.signals.length ?? 0) > 50, String(outcomes[0]?.signals.length));
    for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0]);
  });

  it('ticks without a timestamp are of the time at which their entry was added', async () => {
    const { engine, signals } = await opened();
    await engine.register({ ...walkers[0], strategyType: 'moving_average_crossover', timeframe: '1s' });
    const [seconds] = (await asker.time()).map(Number);
    const fromMs = Number(seconds) * 1_000 - 200_000;
    for (let n = 0; n < 200; n++) {
      const price = 100 + Math.abs(n - 100) * 0.5;
      await asker.xadd(key, `${fromMs + n * 1_000}-0`, 'data', JSON.stringify({ symbol: 'BTCUSDT', price }));
    }
    await taken(engine, `${fromMs + 199_000}-0`);
    assert.deepEqual(signals, [], 'what comes minutes late makes no orders');
    const { strategies } = engine.strategies({});
    assert.equal(strategies[0]?.warm, true);
    const stale = engine
      .decisions(strategies[0]?.strategyId ?? '', {})
      .decisions.filter(({ code }) => code === 'stale_data');
    assert.ok(stale.length > 0);
  });

  it('tells of what is no data, of how far it is behind, and of the whole in the summary', async () => {
    const { engine } = await opened();
    await asker.xadd(key, '1-0', 'data', 'no json');
    const good = { symbol: 'BTCUSDT', price: 1 };
    const bad = { symbol: 'BTCUSDT', price: -1 };
    await asker.xadd(key, '2-0', 'data', JSON.stringify({ market_data: [good, bad], asset_types: ['crypto'] }));
    await taken(engine, '2-0');
    await until('both are letters', async () => (await asker.xlen('strategy_engine:rejected')) === 2);
    const letters = await asker.xrange('strategy_engine:rejected', '-', '+');
    assert.equal(letters[0]?.[1][1], 'no json');
    assert.deepEqual(JSON.parse(letters[1]?.[1][1] ?? ''), { market_data: [bad], asset_types: ['crypto'] });
    assert.match(letters[1]?.[1][3] ?? '', /market_data\[1\]\.price must be greater than 0/);
    const component = () => engine.summary().components.get(`input:${feed}`);
    await until('it says how far it is', () => /0 entries behind, 0\.0 s/.test(component()?.message ?? ''));
    assert.equal(component()?.health, 'up');
    const metrics = await engine.metricsText();
    for (const name of ['input_lag_entries', 'input_pending_entries', 'input_lag_seconds']) {
      assert.match(metrics, new RegExp(`^strategy_engine_${name} 0$`, 'm'));
    }
    assert.match(metrics, /ticks_total\{outcome="accepted"\} 1/);
  });

  it('is led by the process that leads the engine, followed by the one that stands by, and taken over without a loss', async () => {
    const { path, remove } = temporaryDirectory('stream-roles');
    const store = (tape: string) => ({ kind: 'redis' as const, url: server.url, path: `${path}/${tape}` });
    const pending = async () => Number(((await asker.xpending(key, 'strategy_engine')) as unknown[])[0]);
    const ticks = walkingMarket(6_000, 11);
    const leader = await opened(store('one'));
    for (const walker of walkers) await leader.engine.register(walker);
    const second = await opened(store('two'));
    assert.deepEqual([leader.engine.role(), second.engine.role()], ['leader', 'standby']);
    const half = await add(ticks.slice(0, 3_000), 30);
    await taken(leader.engine, half);
    await taken(second.engine, half);
    await until('the leader acknowledges', async () => (await pending()) === 0);
    await leader.engine.close();
    await until('the other leads', () => second.engine.role() === 'leader', 10_000);
    await taken(second.engine, await add(ticks.slice(3_000), 30));
    await until('and acknowledges', async () => (await pending()) === 0);
    const published = (await asker.xrange('strategy_engine:signals', '-', '+')).map(([, flat]) => flat[1]);
    assert.equal(new Set(published).size, published.length, 'nothing twice');
    await second.engine.close();

    await asker.flushall();
    const alone = await opened();
    for (const walker of walkers) await alone.engine.register(walker);
    await taken(alone.engine, await add(ticks, 30));
    assert.ok(alone.signals.length > 20, String(alone.signals.length));
    assert.deepEqual(
      published,
      alone.signals.map(({ signalId }) => signalId),
    );
    remove();
  });

  it('goes on after a restart from what the engine has stored', async () => {
    const { path, remove } = temporaryDirectory('stream-input');
    const ticks = walkingMarket(600, 9);
    const first = await opened({ kind: 'embedded', path });
    await taken(first.engine, await add(ticks.slice(0, 300), 10));
    await first.engine.close();
    assert.equal(Number(((await asker.xpending(key, 'strategy_engine')) as unknown[])[0]), 0);
    const last = await add(ticks.slice(300), 10);
    const second = await opened({ kind: 'embedded', path });
    await taken(second.engine, last);
    const metrics = await second.engine.metricsText();
    assert.match(metrics, /ticks_total\{outcome="accepted"\} 600/);
    await second.engine.close();
    remove();
  });
});
