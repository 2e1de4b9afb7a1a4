/** A market of many symbols, the strategies on it, and what one engine says of it that was never split. */

import { openEngine } from '../../src/compose';
import type { RegisterInput } from '../../src/core/domain/bodies';
import type { Signal } from '../../src/core/domain/signal';
import type { Engine } from '../../src/live/engine-api';
import { parseMarketValue } from '../../src/wire/market-data';
import { signalToWire } from '../../src/wire/signal';
import { recordingLogger } from './temporary';

export interface MarketTick {
  readonly symbol: string;
  readonly price: number;
  readonly volume: number;
  readonly timestamp: number;
  readonly source: string;
}

const stepMs = 10_000;

/** Each symbol has a tick every ten seconds, and turns at its own pace. */
export function marketOf(symbols: number, ticks: number): MarketTick[] {
  const startMs = Date.UTC(2026, 0, 5);
  return Array.from({ length: symbols * ticks }, (_, i) => {
    const [step, at] = [Math.floor(i / symbols), i % symbols];
    const wave = Math.sin(step / (20 + at)) + Math.sin(step / 7 + at) / 4;
    return {
      symbol: `S${at}USDT`,
      price: Math.round(100_000 * (1 + 0.04 * wave)) / 1_000,
      volume: 1 + (i % 5),
      timestamp: startMs + step * stepMs + at,
      source: 'exchange',
    };
  });
}

const parameters = { confidenceThreshold: 0 };

/** What bounds a whole engine would bind one engine sooner than each of several. */
export const risk = { maxTotalExposure: 1_000 };

/** Registered alike on every engine. */
export const strategies: readonly RegisterInput[] = [
  {
    strategyType: 'moving_average_crossover',
    strategyId: 'cross',
    timeframe: '1m',
    parameters: { ...parameters, fastPeriod: 3, slowPeriod: 8, adxPeriod: 3, adxThreshold: 0, atrPeriod: 5 },
  },
  { strategyType: 'mean_reversion', strategyId: 'revert', timeframe: '1m', parameters },
];

export async function registerAll(engine: Engine): Promise<void> {
  for (const strategy of strategies) await engine.register(strategy);
}

/** A signal as it goes out, but for how long it took. */
export function comparable(signal: Signal): Readonly<Record<string, unknown>> {
  const { latency_ms: _, ...rest } = signalToWire(signal) as Readonly<Record<string, unknown>>;
  return rest;
}

/** By id, what one engine says that has all of the market. */
export async function undivided(market: readonly MarketTick[]) {
  const engine = await openEngine({ name: 'one', store: { kind: 'memory' }, risk, logger: recordingLogger() });
  await registerAll(engine);
  const said = new Map<string, Readonly<Record<string, unknown>>>();
  engine.on('signal', (signal) => void said.set(signal.signalId, comparable(signal)));
  for (let at = 0; at < market.length; at += 500) {
    const context = { arrivalMs: Date.now(), source: 'all', door: 'ordered' as const };
    await engine.processMarketData(parseMarketValue(market.slice(at, at + 500), context));
  }
  await engine.close();
  return said;
}
