/** T20: the drill: an engine is lost, and another one goes on from its backup, by the commands an operator has. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEngine, type StoreOptions } from '../../src/compose';
import type { Engine } from '../../src/live/engine-api';
import { parseMarketText } from '../../src/wire/market-data';
import { aofArgs } from '../faults/redis-engine';
import { built } from '../helpers/built';
import { startNode } from '../helpers/child';
import { logLines } from '../helpers/redis-probe';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';

const name = 'drilled';
const strategyIds = ['first', 'second'];
const quick = {
  fast_period: 3,
  slow_period: 8,
  adx_period: 3,
  adx_threshold: 0,
  atr_period: 3,
  confidence_threshold: 0,
};

async function command(...args: readonly string[]): Promise<{ readonly code: number | null; readonly told: string }> {
  const child = startNode([built('src/cli.js'), ...args]);
  const { code } = await child.ended;
  return { code, told: child.stdout() + child.stderr() };
}

async function live(engine: Engine): Promise<void> {
  for (const strategyId of strategyIds) {
    const symbols = ['BTCUSDT'];
    await engine.register({ strategyType: 'moving_average_crossover', strategyId, symbols, parameters: quick });
  }
  await engine.update('second', { parameters: { fast_period: 4 } });
  const arrivalMs = Date.now();
  const ticks = Array.from({ length: 300 }, (_, i) => ({
    symbol: 'BTCUSDT',
    price: 100 + Math.abs((i % 60) - 30) * 0.5,
    timestamp: arrivalMs - 300_000 + i * 1_000,
  }));
  await engine.processMarketData(parseMarketText(JSON.stringify(ticks), { source: 'drill', arrivalMs, door: 'live' }));
  for (let i = 0; i < 50; i++) {
    const executionResult = { executionId: `e${i}`, pnl: (i - 20) / 8, success: i > 20, executionTimeMs: 1 };
    await engine.track({ strategyId: strategyIds[i % 2] as string, executionResult });
  }
}

/** What must be the same after the drill. */
function known(engine: Engine): unknown {
  return strategyIds.map((id) => {
    const { strategies } = engine.strategies();
    const one = strategies.find(({ strategyId }) => strategyId === id);
    return { one, performance: engine.performance(id), versions: engine.versions(id) };
  });
}

describe('a backup', () => {
  let redis: RedisServer;
  let directory: ReturnType<typeof temporaryDirectory>;

  before(async () => {
    redis = await startRedis({ args: aofArgs('everysec') });
    directory = temporaryDirectory('drill');
  });
  after(async () => {
    await redis.stop();
    directory.remove();
  });

  const open = (store: StoreOptions) => openEngine({ name, store, logger: logLines() });
  const inFolder = (at: string) => join(directory.path, at);

  const drills = [
    ['a directory', 'Redis', () => ['--data', inFolder('a')], () => ['--redis', redis.url, '--name', name]],
    ['Redis', 'a directory', () => ['--redis', redis.url, '--name', name], () => ['--data', inFolder('b')]],
  ] as const;

  for (const [from, to, source, target] of drills) {
    it(`of an engine in ${from}, made while it runs, goes on in ${to} as if nothing had been`, async () => {
      const storeOf = (args: readonly string[]): StoreOptions =>
        args[0] === '--data' ? { kind: 'embedded', path: args[1] ?? '' } : { kind: 'redis', url: redis.url };
      const engine = await open(storeOf(source()));
      if (from === 'a directory') await live(engine);
      const before = known(engine);
      const file = inFolder(`${to}.backup`);
      const backedUp = await command('backup', ...source(), '--out', file);
      assert.equal(backedUp.code, 0, backedUp.told);
      await engine.close();

      const restored = await command('restore', file, ...target());
      assert.equal(restored.code, 0, restored.told);
      const verified = await command('verify', ...target());
      assert.equal(verified.code, 0, verified.told);
      const again = await open(storeOf(target()));
      try {
        assert.deepEqual(known(again), before);
        const executionResult = { executionId: 'e0', pnl: -20 / 8, success: false, executionTimeMs: 1 };
        const { duplicate } = await again.track({ strategyId: 'first', executionResult });
        assert.equal(duplicate, true, 'ids are known over the drill');
      } finally {
        await again.close();
      }
    }).timeout(90_000);
  }

  it('with one byte changed is refused, and nothing is restored', async () => {
    const file = inFolder('Redis.backup');
    const whole = readFileSync(file);
    for (const at of [0.1, 0.5, 0.95]) {
      const damaged = Buffer.from(whole);
      const index = Math.floor(whole.length * at);
      damaged[index] = (damaged[index] ?? 0) ^ 0x20;
      writeFileSync(inFolder('damaged'), damaged);
      const target = inFolder(`none-${at}`);
      const { code, told } = await command('restore', inFolder('damaged'), '--data', target);
      assert.notEqual(code, 0, told);
      const { code: verifies } = await command('verify', '--data', target);
      assert.notEqual(verifies, 0);
    }
  }).timeout(90_000);
});
