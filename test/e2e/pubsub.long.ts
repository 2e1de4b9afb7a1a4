/** T6, T7, T8: a subscriber whose connection hangs, is killed, or is too slow; nothing is lost that is not told. */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { openEngine } from '../../src/compose';
import type { Engine } from '../../src/live/engine-api';
import type { Gap } from '../../src/live/ports';
import { publishNumbered } from '../faults/numbered';
import { startProxy } from '../faults/proxy';
import { figure } from '../helpers/figures';
import { logLines, probe } from '../helpers/redis-probe';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';

const channel = 'strategy_engine_input';
const halfOpens = Number(process.env.TEST_HALF_OPENS ?? 100);
const killS = Number(process.env.TEST_KILL_S ?? 60);
const messages = Number(process.env.TEST_MESSAGES ?? 2_000_000);
const blockS = Number(process.env.TEST_BLOCK_S ?? 30);

/** The share `q` of all that are not above it. */
function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? 0;
}

describe('a subscriber in trouble', () => {
  let redis: RedisServer;
  let asker: Redis;
  let engine: Engine;
  let gaps: Gap[];

  beforeEach(async () => {
    redis = await startRedis();
    asker = probe(redis.url);
    gaps = [];
  });
  afterEach(async () => {
    await engine.close();
    asker.disconnect();
    await redis.stop();
  });

  async function open(url: string): Promise<void> {
    const doors = { url, outputChannel: null };
    engine = await openEngine({ name: 'ears', store: { kind: 'memory' }, redis: doors, logger: logLines() });
    engine.on('gap', (gap) => gaps.push(gap));
  }

  const input = () => engine.summary().components.get(`input:redis:${channel}`)?.health;
  const taken = () => engine.summary().throughput.ticksTotal;
  /** Told in numbers by `seq`, and told as a stretch of time by the feed. */
  const lostTold = () => gaps.reduce((sum, { lost }) => sum + (lost ?? 0), 0);
  const stretches = () => gaps.filter(({ lost }) => lost === null).length;

  /** Numbers that follow the last one, until a missing stretch before them is old enough to be told. */
  async function settle(from: number): Promise<number> {
    let seq = from;
    const before = Date.now();
    await until(
      'what was lost is told',
      async () => {
        await asker.publish(channel, JSON.stringify({ symbol: 'SEQ', price: 100, timestamp: Date.now(), seq: ++seq }));
        return Date.now() - before > 4_500;
      },
      10_000,
    );
    await until('they are taken', () => taken() > 0 && engine.summary().components.size > 0);
    return seq;
  }

  it(`T6: ${halfOpens} half-open sockets are each noticed within 3 s, and each gap is told`, async () => {
    const proxy = await startProxy(redis.port);
    await open(proxy.url);
    const noticed: number[] = [];
    const healed: number[] = [];
    for (let nth = 1; nth <= halfOpens; nth++) {
      await until('it is up', () => input() === 'up', 10_000);
      const frozenMs = performance.now();
      proxy.set({ kind: 'freeze' });
      await until('it is noticed', () => input() === 'down', 10_000);
      noticed.push(performance.now() - frozenMs);
      proxy.set({ kind: 'pass' });
      const healedMs = performance.now();
      const before = taken();
      await until(
        'ticks flow',
        async () => {
          await asker.publish(channel, '{"symbol":"T6","price":1}');
          return taken() > before;
        },
        10_000,
      );
      healed.push(performance.now() - healedMs);
      await until('its gap is told', () => gaps.length >= nth, 5_000);
    }
    await engine.close();
    await proxy.close();
    const p99 = quantile(noticed, 0.99);
    const flow = quantile(healed, 0.99);
    const what = `${halfOpens} half-open sockets`;
    const isTold = gaps.length === halfOpens;
    const met = [
      figure('T6.noticed', `${what}: noticed, p99`, `${Math.round(p99)} ms`, '<= 3,000 ms', p99 <= 3_000),
      figure('T6.flow', `${what}: ticks flow again, p99`, `${Math.round(flow)} ms`, '<= 2,000 ms', flow <= 2_000),
      figure('T6.gaps', `${what}: gaps told`, gaps.length, String(halfOpens), isTold),
    ];
    assert.deepEqual(met, [true, true, true]);
  });

  it(`T7: killed each 2 s for ${killS} s, it tells exactly what it lost`, async () => {
    const perS = 2_000;
    await open(redis.url);
    await until('it is up', () => input() === 'up', 10_000);
    const numbered = publishNumbered(redis.port, channel, killS * perS, perS);
    let kills = 0;
    let isOver = false;
    void numbered.over.then(() => {
      isOver = true;
    });
    await until('ticks flow', () => taken() > 0, 10_000);
    while (!isOver) {
      const dueMs = performance.now() + 2_000;
      await until('two seconds', () => isOver || performance.now() >= dueMs, 5_000);
      if (isOver) break;
      await asker.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      kills += 1;
    }
    const published = await settle(numbered.published);
    await until('nothing is open', () => taken() + lostTold() >= published, 10_000);
    const lost = published - taken();
    const value = `${kills} kills, ${published} published, ${lost} lost, ${lostTold()} told`;
    const met = lost === lostTold() && stretches() === kills;
    const what = 'subscriber killed each 2 s: lost against told';
    assert.ok(figure('T7', what, value, 'unreported 0, every cut told', met), JSON.stringify(gaps.slice(-3)));
  });

  it(`T8: a loop that stands still for ${blockS} s under ${messages} messages loses only what it tells`, async () => {
    await open(redis.url);
    await until('it is up', () => input() === 'up', 10_000);
    const rssBefore = process.memoryUsage().rss;
    const numbered = publishNumbered(redis.port, channel, messages, 0);
    await until('ticks flow', () => taken() > 0, 10_000);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockS * 1_000);
    await numbered.over;
    await until('it is up again', () => input() === 'up' && stretches() > 0, 30_000);
    const grownMb = (process.memoryUsage().rss - rssBefore) / 1_048_576;
    const published = await settle(messages);
    await until('nothing is open', () => taken() + lostTold() >= published, 20_000).catch(() => undefined);
    const { outcomes } = engine.summary().throughput;
    const lost = published - taken();
    const conflated = outcomes.get('conflated') ?? 0;
    const told = `${stretches()} stretch(es) and ${lostTold()} numbers told`;
    const value = `${published} published, ${taken()} taken (${conflated} conflated), ${lost} lost, ${told}, RSS +${Math.round(grownMb)} MB`;
    const what = `loop blocked ${blockS} s under ${messages} messages`;
    const met = stretches() > 0 && lost === lostTold() && lost > 0;
    assert.ok(figure('T8', what, value, 'no crash, gap told, lost = told', met));
  });

  it('T8: a burst that is folded into partial bars is lost in no count, and nothing is told as lost', async () => {
    await asker.config('SET', 'client-output-buffer-limit', 'pubsub 0 0 0');
    await open(redis.url);
    await until('it is up', () => input() === 'up', 10_000);
    const burst = Math.min(300_000, messages);
    const numbered = publishNumbered(redis.port, channel, burst, 0);
    await until('ticks flow', () => taken() > 0, 10_000);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    await numbered.over;
    await until('all are taken', () => taken() >= burst, 60_000);
    const published = await settle(burst);
    await until('all are taken', () => taken() >= published, 10_000);
    const conflated = engine.summary().throughput.outcomes.get('conflated') ?? 0;
    const value = `${published} published, ${taken()} taken (${conflated} conflated), ${lostTold()} told as lost`;
    // What is folded into a partial bar keeps no number, so that the counter of numbers takes it for lost.
    const met = taken() === published && lostTold() === 0 && conflated > 0;
    figure('T8.burst', 'a burst faster than it can be evaluated', value, 'taken = published, told 0', met);
    assert.equal(taken(), published);
    assert.ok(conflated > 0);
  });
});
