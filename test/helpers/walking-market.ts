/** A market that walks at random and is the same whenever it is asked for: enough movement for strategies to speak. */
import { seeded } from '../faults/proxy';

export interface WalkTick {
  readonly symbol: string;
  readonly price: number;
  readonly volume: number;
  readonly timestamp: number;
}

const symbols = ['BTCUSDT', 'ETHUSDT'];
const fromMs = 1_767_225_600_000;
/** Event time between two ticks: a dozen of a symbol make an hour. */
const stepMs = 150_000;

/** Ticks of two symbols in turn, in the order of their time. */
export function walkingMarket(count: number, seed: number): WalkTick[] {
  const random = seeded(seed);
  const prices = symbols.map((_, i) => 100 * (i + 1));
  return Array.from({ length: count }, (_, n) => {
    const i = n % symbols.length;
    const drift = Math.sin(n / 900) * 0.0006;
    const price = (prices[i] ?? 100) * (1 + drift + (random() - 0.5) * 0.008);
    prices[i] = price;
    const volume = Math.round(random() * 1_000) / 100;
    return { symbol: symbols[i] ?? '', price: Math.round(price * 1e6) / 1e6, volume, timestamp: fromMs + n * stepMs };
  });
}

/** Consecutive parts of that many. */
export function chunked<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** Strategies that speak on it; on bars of an hour a signal is not old while a test lasts. */
export const walkers = [
  {
    strategyType: 'moving_average_crossover',
    strategyId: 'cross',
    timeframe: '1h',
    parameters: {
      fast_period: 3,
      slow_period: 8,
      adx_period: 3,
      adx_threshold: 0,
      atr_period: 3,
      confidence_threshold: 0,
      cooldown_ms: 1_000,
    },
  },
  {
    strategyType: 'mean_reversion',
    strategyId: 'revert',
    timeframe: '1h',
    parameters: { confidence_threshold: 0, cooldown_ms: 1_000 },
  },
  {
    strategyType: 'breakout_strategy',
    strategyId: 'break',
    timeframe: '2h',
    parameters: { confidence_threshold: 0, cooldown_ms: 1_000 },
  },
];
