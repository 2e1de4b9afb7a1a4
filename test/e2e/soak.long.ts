/**
 * T17: a day of ticks on a clock that only the test moves (`TEST_SOAK_H` hours at 1,000 ticks a second), and a real run
 * (`TEST_SOAK_MIN` minutes) over Redis and HTTP: memory after collection, descriptors and connections stay what they are.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createHttpApi } from '../../src/adapters/http/server';
import { systemClock } from '../../src/adapters/system/clock';
import { openEngine } from '../../src/compose';
import type { MarketItem } from '../../src/core/domain/tick';
import { publishNumbered } from '../faults/numbered';
import { tick } from '../helpers/core';
import { figure } from '../helpers/figures';
import { call } from '../helpers/http-client';
import { createManualClock } from '../helpers/manual-clock';
import { logLines, otherClients, probe } from '../helpers/redis-probe';
import { startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const hours = Number(process.env.TEST_SOAK_H ?? 24);
const minutes = Number(process.env.TEST_SOAK_MIN ?? 10);
const perS = 1_000;
const symbols = 100;
/** New symbols a second. */
const passing = 12;
const samples = 48;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapMb(): number {
  collect();
  return process.memoryUsage().heapUsed / 1_048_576;
}

/** Growth by hour, of a line through the last third of what was measured: until then histories of bars fill. */
function slopeMbPerH(points: readonly (readonly [hour: number, mb: number])[]): number {
  const warm = points.slice(Math.floor((points.length * 2) / 3));
  const meanX = warm.reduce((sum, [x]) => sum + x, 0) / warm.length;
  const meanY = warm.reduce((sum, [, y]) => sum + y, 0) / warm.length;
  const covariance = warm.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / warm.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

function second(nowMs: number, nth: number): MarketItem[] {
  const items = Array.from({ length: perS }, (_, i) => {
    const which = i % symbols;
    const price = 100 + which + Math.sin((nth * 10 + i) / (20 + which)) * 3;
    return tick(`S${which}`, nowMs - perS + i, Math.round(price * 100) / 100, { source: 'soak' });
  });
  // Symbols come and go all day, a million of them: what is kept of them is bounded.
  for (let i = 1; i <= passing; i++)
    items[perS - i] = tick(`GONE${nth * passing + i}`, nowMs - 1, 1, { source: 'soak' });
  return items;
}

describe('a soak', function () {
  this.timeout(0);

  it(`of ${hours} h at ${perS} ticks a second on a virtual clock keeps memory flat`, async () => {
    const clock = createManualClock();
    const engine = await openEngine({ name: 'soak', store: { kind: 'memory' }, clock, logger: logLines() });
    for (const strategyType of ['mean_reversion', 'moving_average_crossover', 'breakout_strategy'])
      await engine.register({ strategyType, symbols: ['S1', 'S2', 'S3'], timeframe: '1m' });
    const total = Math.round(hours * 3_600);
    const every = Math.max(1, Math.floor(total / samples));
    const points: [number, number][] = [];
    for (let nth = 1; nth <= total; nth++) {
      clock.advance(1_000);
      const items = second(clock.nowMs(), nth);
      const indexes = items.map((_, i) => i);
      const common = { indexes, rejected: [], received: items.length, door: 'live', arrivalMs: clock.nowMs() } as const;
      await engine.processMarketData({ items, ...common });
      if (nth % every === 0) points.push([nth / 3_600, heapMb()]);
    }
    const { ticksTotal } = engine.summary().throughput;
    await engine.close();
    assert.equal(ticksTotal, total * perS);
    const slope = slopeMbPerH(points);
    const value = `${ticksTotal} ticks, ${slope.toFixed(3)} MB/h, ${points.at(-1)?.[1].toFixed(1)} MB at the end`;
    const what = `virtual ${hours} h at ${perS} ticks/s, ${total * passing} symbols passing by`;
    assert.ok(figure('T17.virtual', what, value, '< 1 MB/h after warm-up', slope < 1, { tier: 'R' }));
  });

  it(`of ${minutes} min over Redis and HTTP keeps memory, descriptors and connections`, async () => {
    const redis = await startRedis();
    const asker = probe(redis.url);
    const { path, remove } = temporaryDirectory('soak');
    const store = { kind: 'embedded', path } as const;
    const logger = logLines();
    const engine = await openEngine({ name: 'soak', store, redis: { url: redis.url }, logger });
    const api = await createHttpApi({ engine, host: '127.0.0.1', port: 0, clock: systemClock, logger });
    await engine.register({ strategyType: 'mean_reversion', strategyId: 'soaked', symbols: ['SEQ'], timeframe: '1m' });
    const fds = () => readdirSync('/proc/self/fd').length;
    const count = minutes * 60 * perS;
    const numbered = publishNumbered(redis.port, 'strategy_engine_input', count, perS);
    let isOver = false;
    void numbered.over.then(() => {
      isOver = true;
    });
    const begunMs = performance.now();
    const points: [number, number][] = [];
    const descriptors: number[] = [];
    const connections: number[] = [];
    let nth = 0;
    while (!isOver) {
      const result = { execution_id: `s${nth++}`, pnl: 1, success: true, execution_time_ms: 1 };
      const body = JSON.stringify({ strategy_id: 'soaked', execution_result: result });
      assert.equal((await call(api.port, '/api/performance/track', { body })).status, 200);
      const dueMs = performance.now() + (minutes * 60_000) / samples;
      await until('the next sample', () => isOver || performance.now() >= dueMs, 600_000);
      points.push([(performance.now() - begunMs) / 3_600_000, heapMb()]);
      descriptors.push(fds());
      connections.push(await otherClients(asker));
    }
    await until('all are taken', () => engine.summary().throughput.ticksTotal >= count, 10_000);
    await api.close();
    await engine.close();
    asker.disconnect();
    await redis.stop();
    remove();
    const half = (list: readonly number[]) => list.slice(list.length >> 1, -1);
    const spread = (list: readonly number[]) => Math.max(...half(list)) - Math.min(...half(list));
    const slope = slopeMbPerH(points);
    const value = `${count} ticks, ${slope.toFixed(2)} MB/h, descriptors ±${spread(descriptors)}, connections ±${spread(connections)}`;
    const met = slope < 1 && spread(connections) <= 1 && spread(descriptors) <= 4;
    figure('T17.real', `${minutes} min at ${perS} ticks/s over Redis`, value, '< 1 MB/h, constant', met, { tier: 'R' });
    // A slope by the hour says nothing after minutes; the rest must hold at any length.
    assert.ok(minutes < 60 || slope < 1, value);
    assert.ok(spread(connections) <= 1 && spread(descriptors) <= 4, value);
  });
});
