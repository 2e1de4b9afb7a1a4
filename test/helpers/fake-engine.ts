/** An engine of plain values for tests of the doors: it answers at once, remembers what it was asked, can fail on demand. */

import type { HttpEngine } from '../../src/adapters/http/server';
import type { MarketDataInput, Performance, StrategyView } from '../../src/core/domain/bodies';
import { EngineError, notFound } from '../../src/core/domain/errors';
import type { Signal } from '../../src/core/domain/signal';
import type { Summary } from '../../src/core/domain/summary';
import type { EngineVerbs } from '../../src/core/domain/verbs';

export interface FakeEngine extends HttpEngine {
  /** Verb and arguments, oldest first. */
  readonly calls: { readonly verb: string; readonly args: readonly unknown[] }[];
  readonly statuses: number[];
  readonly reports: string[];
  /** Makes verbs behave; by default they succeed. */
  mode: 'ok' | 'hang' | 'throw' | 'down' | 'slow_store';
  health: Summary['systemHealth'];
}

export const sampleSignal: Signal = {
  signalId: 'sig_1',
  strategyId: 'breakout_001',
  strategyType: 'breakout',
  strategyVersion: 1,
  symbol: 'BTCUSD',
  action: 'buy',
  confidence: 0.7,
  confidenceBasis: 'uncalibrated',
  score: 0.4,
  price: 50_000,
  priceKind: 'last',
  size: 0.01,
  stopLoss: 49_000,
  takeProfit: null,
  reasons: ['above the channel'],
  regime: 'trending_up',
  timestampMs: 1_700_000_000_123,
  latencyMs: 0.4,
  intent: 'open',
  targetExposure: 0.5,
  quantity: null,
  source: 'http',
  assetType: 'crypto',
  currency: null,
  timeframe: '1m',
  barEndMs: 1_700_000_040_000,
  validUntilMs: null,
  members: [{ strategyId: 'a_001', weight: 0.5, vote: 1 }],
};

const performance: Performance = {
  metrics: { totalPnl: 12.5, sharpeRatio: null, expectancyR: 0.2 },
  reasons: { sharpeRatio: 'too_few' },
  basis: 'money',
  periodsPerYear: 365,
  dayRule: 'utc',
  currency: 'USD',
  totals: new Map([['USD', 12.5]]),
  disagreements: 0,
  reliable: false,
};

const strategyView: StrategyView = {
  strategyId: 'breakout_001',
  strategyType: 'breakout',
  family: 'breakout',
  name: 'mine',
  state: 'active',
  version: 1,
  symbols: ['BTCUSD'],
  assetTypes: [],
  timeframe: '1m',
  capital: null,
  allowShort: false,
  registrationTime: '2026-01-01T00:00:00.000Z',
  parameters: { fastPeriod: { value: 12, default: 12, minimum: 2, maximum: 200, description: 'bars' } },
  warm: true,
  signals: 3,
};

const adaptation = {
  adaptationId: 'ad_1',
  strategyId: 'breakout_001',
  stage: 'applied' as const,
  applied: true,
  from: { fastPeriod: 12 },
  to: { fastPeriod: 14 },
  reason: { code: 'forced', text: 'asked for' },
  evidence: { sharpeGap: 0.1 },
  revert: '/api/learning/adaptations/ad_1/revert',
  at: '2026-01-01T00:00:00.000Z',
};

const updated = { strategyId: 'breakout_001', version: 2, parameters: { fastPeriod: 14 }, warnings: [] };

function summaryOf(systemHealth: Summary['systemHealth']): Summary {
  return {
    systemHealth,
    activeStrategies: 1,
    totalPerformance: null,
    totalPnl: 0,
    lastUpdate: '2026-01-01T00:00:00.000Z',
    uptimeS: 1,
    components: new Map([['store', { health: 'up', message: '', since: '2026-01-01T00:00:00.000Z' }]]),
    durability: 'memory',
    role: 'leader',
    throughput: {
      ticksTotal: 1,
      ticksPerS: 0.1,
      signalsTotal: 0,
      executionsTotal: 0,
      outcomes: new Map([['late', 1]]),
    },
    latencyMs: new Map([['fast', { p50: 1, p95: 2, p99: 3, count: 4 }]]),
    errorRate: 0,
  };
}

function marketResult(input: MarketDataInput) {
  return {
    strategiesApplied: 1,
    signalsGenerated: 1,
    signals: [sampleSignal],
    decisions: [],
    ticksAccepted: input.items.length,
    ticksRejected: input.rejected.length,
    rejected: input.rejected,
    executionTimeMs: 0.2,
  };
}

/** A fresh one. */
export function fakeEngine(): FakeEngine {
  const calls: FakeEngine['calls'] = [];
  function said<T>(verb: string, args: readonly unknown[], result: T): T {
    calls.push({ verb, args });
    if (engine.mode === 'throw') throw new TypeError('secret inside /home/somebody/file.ts');
    if (engine.mode === 'down') throw new EngineError('ConnectionError', 'the store is down', { retryAfterS: 2 });
    if (engine.mode === 'slow_store') throw new EngineError('TimeoutError', 'the store did not answer');
    return result;
  }
  async function later<T>(verb: string, args: readonly unknown[], result: T): Promise<T> {
    if (engine.mode === 'hang') return await new Promise<T>(() => {});
    return said(verb, args, result);
  }
  function known(id: string): void {
    if (id === 'missing' || id === '__proto__') throw notFound('strategy', id);
  }
  const verbs: EngineVerbs = {
    processMarketData: (input) => later('processMarketData', [input], marketResult(input)),
    advance: (ms) =>
      later(
        'advance',
        [ms],
        marketResult({ items: [], indexes: [], rejected: [], received: 0, door: 'live', arrivalMs: ms }),
      ),
    register: (input) =>
      later('register', [input], {
        strategyId: input.strategyId ?? 'breakout_001',
        registrationTime: '2026-01-01T00:00:00.000Z',
        version: 1,
        warnings: [],
      }),
    update: async (id, input) => {
      known(id);
      return later('update', [id, input], updated);
    },
    archive: (id) => later('archive', [id], { strategyId: id, archived: true as const }),
    strategies: (query) => said('strategies', [query], { strategies: [strategyView], cursor: null }),
    strategy: (id) => {
      known(id);
      return said('strategy', [id], strategyView);
    },
    versions: (id) =>
      said('versions', [id], {
        strategyId: id,
        versions: [
          {
            version: 2,
            parameters: updated.parameters,
            at: '2026-01-01T00:00:00.000Z',
            actor: 'api',
            symbols: [],
            assetTypes: [],
            timeframe: '1m',
            name: 'mine',
            state: 'active' as const,
          },
        ],
        cursor: null,
      }),
    rollback: (id, version) => later('rollback', [id, version], updated),
    decisions: (id, query) =>
      said('decisions', [id, query], {
        strategyId: id,
        decisions: [
          {
            strategyId: id,
            strategyVersion: 1,
            symbol: 'BTCUSD',
            timestampMs: 1_700_000_000_000,
            code: 'cooldown' as const,
            reason: '3 s left',
            regime: 'unknown' as const,
            signalId: null,
          },
        ],
        funnel: { evaluated: 5, outcomes: { no_setup: 4, cooldown: 1 } },
        cursor: null,
      }),
    types: () =>
      said('types', [], {
        types: [
          {
            type: 'breakout',
            family: 'breakout',
            description: 'a channel is left',
            inputs: ['bars'],
            tier: 'tactical' as const,
            parameters: new Map<string, unknown>([
              ['properties', { fast_period: { default: 12, exclusiveMinimum: 1 } }],
            ]),
          },
        ],
      }),
    track: (input) =>
      later('track', [input], {
        performanceUpdated: true,
        newMetrics: performance.metrics,
        reasons: performance.reasons,
        duplicate: false,
        deduplicated: input.executionResult.executionId !== undefined,
      }),
    performance: (id, query) => {
      if (id !== null) known(id);
      return said('performance', [id, query], {
        ...performance,
        strategyId: id,
        groups: new Map([['1', performance]]),
        curve: [{ timestamp: '2026-01-01T00:00:00.000Z', pnl: 1 }],
      });
    },
    position: () => null,
    positions: () => [],
    forceAdaptation: (input) =>
      later('forceAdaptation', [input], {
        adaptationTriggered: true,
        newParameters: new Map([['breakout_001', { fastPeriod: 14 }]]),
        adaptations: [adaptation],
      }),
    insights: (query) =>
      said('insights', [query], {
        insights: {
          marketRegime: 'unknown' as const,
          optimalStrategies: [],
          performanceTrends: 'unknown' as const,
          adaptationRecommendations: [],
          evidence: {},
        },
      }),
    adaptations: (query) => said('adaptations', [query], { adaptations: [adaptation], cursor: 'next' }),
    revert: (id) => later('revert', [id], { adaptation }),
    freeze: (frozen, reason) => later('freeze', [frozen, reason], { frozen }),
    summary: () => said('summary', [], summaryOf(engine.health)),
    alerts: () => [],
  };
  const engine: FakeEngine = {
    ...verbs,
    calls,
    statuses: [],
    reports: [],
    mode: 'ok',
    health: 'good',
    metricsText: async () =>
      said('metricsText', [], '# HELP strategy_engine_signals_total x\nstrategy_engine_signals_total 0\n'),
    countRequest: (status) => void engine.statuses.push(status),
    report: ({ component, health, message }) => void engine.reports.push(`${component} ${health} ${message}`),
    forget: (component) => void engine.reports.push(`${component} forgotten`),
  };
  return engine;
}
