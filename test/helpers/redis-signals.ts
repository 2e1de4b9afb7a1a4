/** Signals for the tests of the Redis doors. */
import type { Signal } from '../../src/core/domain/signal';

export function signal(signalId: string, override: Partial<Signal> = {}): Signal {
  return {
    signalId,
    strategyId: 'trend_following_001',
    strategyType: 'trend_following',
    strategyVersion: 1,
    symbol: 'BTCUSDT',
    action: 'buy',
    confidence: 0.7,
    confidenceBasis: 'uncalibrated',
    score: 1.2,
    price: 50_000,
    priceKind: 'close',
    size: 0.01,
    stopLoss: 49_000,
    takeProfit: 52_000,
    reasons: ['trend_up'],
    regime: 'trending_up',
    timestampMs: 1_577_836_800_000,
    latencyMs: 0.4,
    intent: 'open',
    targetExposure: 0.5,
    quantity: null,
    source: 'sim',
    assetType: 'crypto',
    currency: null,
    timeframe: '1m',
    barEndMs: null,
    validUntilMs: null,
    ...override,
  };
}

export function signals(count: number, prefix = 'sig'): Signal[] {
  return Array.from({ length: count }, (_, index) => signal(`${prefix}_${index}`));
}
