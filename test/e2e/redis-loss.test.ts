/** T2 without an AOF: Redis comes back without what it had acknowledged. Who lives puts it back, or tells that nobody can. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { backUp } from '../../src/backup-command';
import type { EngineError } from '../../src/core/domain/errors';
import type { Engine } from '../../src/live/engine-api';
import { restoreFrom } from '../../src/restore-command';
import { countAll, engineCounter, exactTotals, operationsOf } from '../faults/counting';
import { type FaultProxy, startProxy } from '../faults/proxy';
import { counted, openRedisEngine } from '../faults/redis-engine';
import { probe } from '../helpers/redis-probe';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const operations = operationsOf(200, 20_260_109);
const kept = operations.slice(0, 50);
const lost = operations.slice(50, 100);
const later = operations.slice(100);
const log = 'strategy_engine:{counting}:log';
const lossPattern = /Redis has lost events that it had acknowledged/;

describe('a Redis that loses what it had acknowledged', () => {
  let redis: RedisServer;
  let asker: Redis;
  let directory: ReturnType<typeof temporaryDirectory>;
  const engines: Engine[] = [];

  beforeEach(async () => {
    redis = await startRedis();
    asker = probe(redis.url);
    directory = temporaryDirectory('redis-loss');
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
    asker.disconnect();
    await redis.stop();
    directory.remove();
  });

  /** With a folder of its own, or without one. */
  async function open(path?: string, url = redis.url): Promise<Engine> {
    const own = path === undefined ? {} : { store: { kind: 'redis', url, path } as const };
    const { engine } = await openRedisEngine(url, own);
    engines.push(engine);
    return engine;
  }
  const codes = (engine: Engine) => engine.alerts().map(({ code }) => code);
  const storeOf = (engine: Engine) => engine.summary().components.get('store');

  /** Counts some, has Redis save, counts more, kills Redis: it comes back as it was when it saved. */
  async function lose(engine: Engine, follower = engine): Promise<void> {
    const counter = engineCounter(engine, counted);
    await countAll([counter], kept, 8);
    await asker.save();
    await countAll([counter], lost, 8);
    const followed = engineCounter(follower, counted);
    await until('it has followed', async () => (await followed.totals()).executions === kept.length + lost.length);
    await redis.kill9();
    await redis.restart();
  }

  /** Redis alone, without what came since it was saved; the processes that were then are not waited for. */
  async function revive(): Promise<void> {
    await redis.kill9();
    await redis.restart();
    await asker.del('strategy_engine:{counting}:members');
  }

  async function refusal(engine: Engine): Promise<EngineError> {
    let error: EngineError | null = null;
    const [operation] = later;
    assert.ok(operation);
    const { id, units, success } = operation;
    await until(
      'it says why',
      async () => {
        const executionResult = { executionId: id, pnl: units / 1e8, success, executionTimeMs: 1 };
        await engine.track({ strategyId: counted, executionResult }).then(
          () => assert.fail('it was acknowledged'),
          (thrown: EngineError) => {
            error = thrown;
          },
        );
        return lossPattern.test(error?.message ?? '');
      },
      15_000,
    );
    return error ?? assert.fail();
  }

  it('says beforehand that it may: in words, and as an alert', async () => {
    const engine = await open();
    assert.match(engine.summary().durability, /without AOF.*set appendonly yes/);
    assert.ok(codes(engine).includes('volatile_store'), codes(engine).join());
  });

  it('gets back from the processes that live what it lost: nothing is missing and nothing doubled in any', async () => {
    const [engine, other] = [await open(), await open()];
    await lose(engine, other);
    await countAll([engineCounter(engine, counted), engineCounter(other, counted)], [...lost, ...later], 8);
    for (const one of [engine, other]) {
      const counter = engineCounter(one, counted);
      const agrees = async () => (await counter.totals()).executions === operations.length;
      await until('it has followed', agrees, 15_000);
      assert.deepEqual(await counter.totals(), exactTotals(operations));
    }
    // Both may be first with some of them: whoever put any back says how many.
    const tellers = [engine, other].filter((one) => codes(one).includes('store_put_back'));
    assert.ok(tellers.length > 0);
    for (const one of tellers)
      assert.match(storeOf(one)?.message ?? '', /^\d+ lost events were written again; in Redis/);
    await Promise.all(engines.splice(0).map((one) => one.close()));
    const counter = engineCounter(await open(), counted);
    assert.deepEqual(await counter.totals(), exactTotals(operations), 'a new life reads the same');
  }).timeout(40_000);

  it('gets all of it back from processes that write all the while, whoever of them comes back first', async () => {
    const writers = [await open(), await open()];
    const counters = writers.map((engine) => engineCounter(engine, counted));
    const many = operationsOf(3_000, 20_260_111, 'm');
    let isOver = false;
    const counting = countAll(counters, many, 16).finally(() => {
      isOver = true;
    });
    let kills = 0;
    for (; kills < 5 && !isOver; kills++) {
      const before = Math.max(...(await Promise.all(counters.map(async (one) => (await one.totals()).executions))));
      await until(
        'some are counted',
        async () => isOver || ((await counters[0]?.totals())?.executions ?? 0) > before + 100,
        30_000,
      );
      await redis.kill9();
      await redis.restart();
    }
    await counting;
    assert.ok(kills > 2);
    for (const counter of counters) {
      await until('it has followed', async () => (await counter.totals()).executions === many.length, 15_000);
      assert.deepEqual(await counter.totals(), exactTotals(many));
    }
  }).timeout(120_000);

  it('is told by all processes when another has written in its place meanwhile, and none of them counts on', async () => {
    const [engine, other] = [await open(), await open()];
    await countAll([engineCounter(engine, counted)], kept, 8);
    await asker.del(log);
    await asker.xadd(log, '7-0', 'k', 'k', 'v', '1', 's', 'of another', 'd', '{}');
    const error = await refusal(engine);
    assert.equal(error.code, 'ConnectionError');
    for (const one of [engine, other]) {
      await until('it is told', () => lossPattern.test(storeOf(one)?.message ?? ''), 15_000);
      assert.equal(storeOf(one)?.health, 'down');
      assert.equal(one.summary().systemHealth, 'critical');
      assert.ok(codes(one).includes('store_down'), codes(one).join());
    }
    await assert.rejects(engine.snapshot());
    await refusal(other);
    assert.equal(await asker.xlen(log), 1, 'nothing was added to what is left');
  }).timeout(40_000);

  describe('and that another process went on with, while the one who knew more was cut off', () => {
    let proxy: FaultProxy;
    beforeEach(async () => {
      proxy = await startProxy(redis.port);
    });
    afterEach(() => proxy.close());

    const market = (engine: Engine, from: number, count: number) =>
      engine.processMarketData({
        items: Array.from({ length: count }, (_, i) => tickAt(from + i)),
        indexes: Array.from({ length: count }, (_, i) => i),
        rejected: [],
        received: count,
        door: 'ordered',
        arrivalMs: startMs,
      });
    const startMs = Date.UTC(2026, 0, 5);
    const tickAt = (place: number) => ({
      kind: 'tick' as const,
      symbol: 'BTCUSDT',
      source: 'test',
      timestampMs: startMs + place * 1_000,
      stamped: true,
      price: 100 + 10 * Math.sin(place / 7),
      volume: 1,
      quote: null,
      assetType: null,
      extras: null,
    });
    const strategies = (engine: Engine) => engine.strategies().strategies.map(({ strategyId }) => strategyId);
    const crossover = (engine: Engine, strategyId: string) =>
      engine.register({
        strategyType: 'moving_average_crossover',
        strategyId,
        parameters: { fast_period: 3, slow_period: 8 },
        timeframe: '1m',
      });

    it('is what that one begins anew with, by itself: it says what is gone, and goes on as a new life of it would', async () => {
      const path = join(directory.path, 'own');
      const engine = await open(path, proxy.url);
      await crossover(engine, 'early');
      await countAll([engineCounter(engine, counted)], kept, 8);
      await market(engine, 0, 900);
      await asker.save();
      await countAll([engineCounter(engine, counted)], lost, 8);
      await crossover(engine, 'gone');
      await market(engine, 900, 300);
      proxy.set({ kind: 'reset' });
      await revive();
      const other = await open();
      await countAll([engineCounter(other, counted)], later, 8);
      await crossover(other, 'of_another');
      assert.ok(strategies(engine).includes('gone'), 'cut off, it goes on with what it knew');
      await market(engine, 1_200, 300);
      proxy.set({ kind: 'pass' });
      const counter = engineCounter(engine, counted);
      let place = 1_500;
      const isUpAgain = async () => {
        await market(engine, place, 5);
        place += 5;
        return codes(engine).includes('store_lost') && storeOf(engine)?.health === 'up';
      };
      await until('it has begun anew, under market data', isUpAgain, 20_000);
      assert.deepEqual(await counter.totals(), exactTotals([...kept, ...later]));
      assert.deepEqual(strategies(engine), [counted, 'early', 'of_another']);
      const { durability } = engine.summary();
      assert.match(durability, /^51 acknowledged events are not in Redis any more; \S+ has them; in/);
      assert.ok(codes(engine).indexOf('store_down') >= 0, codes(engine).join());
      await countAll([counter], lost, 8);
      const otherCounter = engineCounter(other, counted);
      await until('the other has followed', async () => (await otherCounter.totals()).executions === operations.length);
      for (const one of [counter, otherCounter]) assert.deepEqual(await one.totals(), exactTotals(operations));
      const more = (await market(engine, place, 300)).signals;
      const stateOf = async (one: Engine) => ({
        totals: await engineCounter(one, counted).totals(),
        strategies: one.strategies().strategies,
        positions: one.positions(),
        decisions: strategies(one).map((id) => one.decisions(id)),
      });
      const known = await stateOf(engine);
      assert.ok(more.some(({ strategyId }) => strategyId === 'of_another'));
      await engine.close();
      engines.splice(engines.indexOf(engine), 1);
      const next = await open(path, proxy.url);
      assert.deepEqual(await stateOf(next), known);
      assert.ok(!codes(next).includes('store_lost'), 'it is told once');
    }).timeout(60_000);

    it('is told by one without a folder too, which begins anew as well', async () => {
      const engine = await open(undefined, proxy.url);
      await countAll([engineCounter(engine, counted)], kept, 8);
      proxy.set({ kind: 'reset' });
      await revive();
      await countAll([engineCounter(await open(), counted)], later, 8);
      proxy.set({ kind: 'pass' });
      await until('it has begun anew', () => codes(engine).includes('store_lost'), 20_000);
      await until('its store is up', () => storeOf(engine)?.health === 'up', 10_000);
      assert.match(engine.summary().durability, /acknowledged events are not in Redis any more; no file has them/);
      const counter = engineCounter(engine, counted);
      assert.deepEqual(await counter.totals(), exactTotals(later));
      await countAll([counter], kept, 8);
      assert.deepEqual(await counter.totals(), exactTotals([...kept, ...later]));
    }).timeout(60_000);
  });

  it('is followed by an engine that goes on from what was kept, exactly, when nobody lived who knew more', async () => {
    const engine = await open();
    await countAll([engineCounter(engine, counted)], kept, 8);
    await asker.save();
    await countAll([engineCounter(engine, counted)], lost, 8);
    await engine.close();
    await revive();
    const counter = engineCounter(await open(), counted);
    assert.deepEqual(await counter.totals(), exactTotals(kept));
    await countAll([counter], [...lost, ...later], 8);
    assert.deepEqual(await counter.totals(), exactTotals(operations));
  }).timeout(40_000);

  /** As much as in `lose`, and then nobody lives: neither the engine nor Redis. */
  async function loseAll(path?: string): Promise<void> {
    const engine = await open(path);
    await countAll([engineCounter(engine, counted)], kept, 8);
    await asker.save();
    await countAll([engineCounter(engine, counted)], lost, 8);
    await Promise.all(engines.splice(0).map((one) => one.close()));
    await revive();
  }

  it('gets back from the next life of an engine with a folder what nobody who lived knew', async () => {
    await loseAll(directory.path);
    const engine = await open(directory.path);
    assert.ok(codes(engine).includes('store_put_back'), codes(engine).join());
    assert.match(engine.summary().durability, /^\d+ lost events were written again; in Redis/);
    const counter = engineCounter(engine, counted);
    assert.deepEqual(await counter.totals(), exactTotals([...kept, ...lost]));
    await countAll([counter], [...lost, ...later], 8);
    assert.deepEqual(await counter.totals(), exactTotals(operations), 'a retry is known');
    await engine.close();
    engines.length = 0;
    const again = await open(directory.path);
    assert.ok(!codes(again).includes('store_put_back'), 'it is whole now');
    assert.deepEqual(await engineCounter(again, counted).totals(), exactTotals(operations));
  }).timeout(40_000);

  it('that another process went on with tells the next life of one with a folder what is gone, and where it has it', async () => {
    await loseAll(directory.path);
    await countAll([engineCounter(await open(), counted)], later, 8);
    const engine = await open(directory.path);
    const { durability } = engine.summary();
    const [, gone, file] =
      /^(\d+) acknowledged events are not in Redis any more; (\S+) has them; in/.exec(durability) ?? [];
    assert.equal(Number(gone), lost.length, durability);
    assert.deepEqual(
      engine.alerts().flatMap(({ code, level }) => (code === 'store_lost' ? [level] : [])),
      ['critical'],
    );
    const lines = readFileSync(String(file), 'utf8').trim().split('\n');
    assert.deepEqual(
      lines.map((line) => /"execution_?[iI]d":"([^"]+)"/.exec(line)?.[1]).sort(),
      lost.map(({ id }) => id).sort(),
    );
    const counter = engineCounter(engine, counted);
    assert.deepEqual(await counter.totals(), exactTotals([...kept, ...later]));
    await countAll([counter], lost, 8);
    assert.deepEqual(await counter.totals(), exactTotals(operations), 'sent again they count');
    await engine.close();
    engines.length = 0;
    assert.ok(!codes(await open(directory.path)).includes('store_lost'), 'it is told once');
  }).timeout(40_000);

  it('that an older backup was restored to gets nothing back of what came after the backup', async () => {
    const place = { kind: 'redis', url: redis.url, name: 'counting', tapeOf: null } as const;
    const file = join(directory.path, 'older.backup');
    const engine = await open(join(directory.path, 'own'));
    await countAll([engineCounter(engine, counted)], kept, 8);
    await backUp(place, file);
    await countAll([engineCounter(engine, counted)], lost, 8);
    await engine.close();
    engines.length = 0;
    await asker.flushall();
    await restoreFrom(file, place);
    const again = await open(join(directory.path, 'own'));
    assert.deepEqual(await engineCounter(again, counted).totals(), exactTotals(kept));
    assert.doesNotMatch(again.summary().durability, /lost|not in Redis/);
  }).timeout(40_000);

  it('is found at the start too: a snapshot of events that are gone is refused', async () => {
    const engine = await open();
    await countAll([engineCounter(engine, counted)], kept, 8);
    await engine.snapshot();
    await engine.close();
    await asker.del(log, 'strategy_engine:{counting}:ids');
    await asker.del('strategy_engine:{counting}:versions');
    const again = await open();
    assert.ok(codes(again).includes('snapshot_refused'), codes(again).join());
    const counter = engineCounter(again, counted);
    assert.deepEqual(await counter.totals(), exactTotals([]));
    await countAll([counter], later, 8);
    assert.deepEqual(await counter.totals(), exactTotals(later));
  }).timeout(40_000);
});
