/** T4 and T9: replies that are lost, and several writers, on the store in Redis and on two stores that are naive. */
import assert from 'node:assert/strict';
import {
  type Counter,
  countAll,
  engineCounter,
  exactTotals,
  incrementing,
  operationsOf,
  readModifyWrite,
} from '../faults/counting';
import { type FaultProxy, seeded, startProxy } from '../faults/proxy';
import { aofArgs, counted, openRedisEngine, type RedisEngine } from '../faults/redis-engine';
import { watchRejections } from '../helpers/redis-probe';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';

const seed = Number(process.env.TEST_SEED ?? 20_260_103);
const cut = { kind: 'cut-before-reply', p: 0.03 } as const;

describe(`executions counted in Redis (seed ${seed})`, () => {
  let redis: RedisServer;
  let proxy: FaultProxy;
  const engines: RedisEngine[] = [];
  const naive: { close(): void }[] = [];
  const rejections = watchRejections();

  beforeEach(async () => {
    redis = await startRedis({ args: aofArgs('everysec') });
    proxy = await startProxy(redis.port, seeded(seed));
  });
  afterEach(async () => {
    proxy.set({ kind: 'pass' });
    await Promise.all(engines.splice(0).map(({ engine }) => engine.close()));
    for (const one of naive.splice(0)) one.close();
    await proxy.close();
    await redis.stop();
    assert.deepEqual(rejections.escaped, []);
  });
  after(() => rejections.stop());

  async function product(url: string): Promise<Counter> {
    const opened = await openRedisEngine(url);
    engines.push(opened);
    return engineCounter(opened.engine, counted);
  }

  function kept<T extends { close(): void }>(one: T): T {
    naive.push(one);
    return one;
  }

  it('T4: 5,000 of them, 3 % of the replies cut: none is counted twice, every promise settles', async () => {
    const counter = await product(proxy.url);
    const operations = operationsOf(5_000, seed);
    proxy.set(cut);
    const verdict = await countAll([counter], operations, 16);
    proxy.set({ kind: 'pass' });
    assert.ok(proxy.cuts() > 0 && verdict.attempts > operations.length, `${proxy.cuts()} cuts`);
    assert.equal(verdict.unsettled, 0);
    assert.deepEqual(await counter.totals(), exactTotals(operations));
    const again = await product(redis.url);
    assert.deepEqual(await again.totals(), exactTotals(operations), 'a second process reads the same');
  }).timeout(120_000);

  it('T4 bites: a store that adds without ids is found to count twice', async () => {
    const counter = kept(incrementing(proxy.url));
    const operations = operationsOf(2_000, seed);
    proxy.set(cut);
    await countAll([counter], operations, 16);
    proxy.set({ kind: 'pass' });
    const totals = await counter.totals();
    assert.ok(totals.executions > operations.length, `${totals.executions} counted`);
  }).timeout(60_000);

  it('T9: two engines on one store, 5,000 each: sum, count and success rate are exact in both', async () => {
    const writers = [await product(redis.url), await product(redis.url)];
    const operations = operationsOf(10_000, seed);
    const verdict = await countAll(writers, operations, 64);
    assert.equal(verdict.unsettled, 0);
    for (const writer of writers) {
      await until('it has followed', async () => (await writer.totals()).executions >= operations.length);
      assert.deepEqual(await writer.totals(), exactTotals(operations));
    }
    // The same ids through the other one are known there.
    await countAll([...writers].reverse(), operations.slice(0, 500), 32);
    assert.deepEqual(await writers[0]?.totals(), exactTotals(operations));
  }).timeout(60_000);

  it('T9 bites: a store that reads, changes and writes back is found to lose updates', async () => {
    const writers = [kept(readModifyWrite(redis.url)), kept(readModifyWrite(redis.url))];
    const operations = operationsOf(2_000, seed);
    await countAll(writers, operations, 16);
    const totals = await (writers[0] as Counter).totals();
    assert.ok(totals.executions < operations.length, `${totals.executions} counted`);
  });
});
