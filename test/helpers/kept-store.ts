/** An engine that has lived a little: strategies, executions, adaptations, market data, a snapshot and a tail behind it. */
import { systemClock } from '../../src/adapters/system/clock';
import { createConsoleLogger } from '../../src/adapters/system/console-logger';
import { openEngine, type StoreOptions } from '../../src/compose';
import type { ExecutionResult } from '../../src/core/domain/bodies';
import type { Engine } from '../../src/live/engine-api';
import { bar, dayMs, startMs } from './core';
import { message } from './living';

export const engineName = 'kept';

/** The calendar stands still, so that two engines asked one after the other tell the same; timers run. */
const clock = { ...systemClock, nowMs: () => startMs + 30 * dayMs };

export function openKept(store: StoreOptions, name = engineName): Promise<Engine> {
  return openEngine({ name, store, clock, logger: createConsoleLogger({ level: 'silent' }), seed: 1 });
}

/** One that a caller may send again. */
export function executionNumber(i: number): ExecutionResult {
  const pnl = i % 3 === 0 ? -0.1 * i : 0.7 + i / 1e8;
  return {
    executionId: `order-${i}`,
    pnl,
    success: pnl > 0,
    executionTimeMs: 5,
    timestampMs: Date.UTC(2026, 0, 1) + i * 60_000,
    ...(i % 2 === 0 ? { symbol: 'BTCUSDT', side: 'buy', quantity: 0.5, price: 50_000, mode: 'paper' } : {}),
  };
}

function barAt(minute: number) {
  const price = 50_000 + 2_000 * Math.sin(minute / 9);
  return bar('BTCUSDT', startMs + minute * 60_000, [price, price + 20, price - 20, price]);
}

/** Lives: `executions` of them, half before the snapshot and half behind it. */
export async function live(engine: Engine, executions = 24): Promise<void> {
  const ids = ['first', 'second', 'third'];
  for (const strategyId of ids) {
    await engine.register({
      strategyType: 'moving_average_crossover',
      strategyId,
      symbols: ['BTCUSDT'],
      timeframe: '1m',
    });
  }
  for (let minute = 0; minute < 120; minute++) await engine.processMarketData(message([barAt(minute)]));
  const track = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      await engine.track({ strategyId: ids[i % 2] ?? '', executionResult: executionNumber(i) });
    }
  };
  await track(0, executions / 2);
  await engine.forceAdaptation({ strategyId: 'first', marketConditions: { volatility: 'high' } });
  await engine.freeze(true, 'audit');
  await engine.snapshot();
  await track(executions / 2, executions);
  await engine.freeze(false);
  await engine.forceAdaptation({ strategyId: 'second', marketConditions: { volatility: 'high' } });
  await engine.update('first', { name: 'renamed' });
  await engine.archive('second');
}

/** What whoever asks is told: of every strategy, what it earned and holds, and how it came to its parameters. */
export function told(engine: Engine) {
  const { strategies } = engine.strategies();
  return {
    strategies,
    versions: strategies.map(({ strategyId }) => engine.versions(strategyId)),
    performance: [null, ...strategies.map(({ strategyId }) => strategyId)].map((one) => engine.performance(one)),
    positions: engine.positions(),
    adaptations: engine.adaptations(),
  };
}
