/** What each route answers, beside `status`. Free of transforms, so that their JSON Schema can be generated. */
import { z } from 'zod';
import { assetTypes } from '../../core/domain/asset-type';
import { decisionCodes } from '../../core/domain/decision';
import { type ErrorType, errorStatus } from '../../core/domain/errors';
import { marketRegimes } from '../../core/domain/regime';

const time = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC, milliseconds' });
const nullable = z.number().nullable();
const names = z.array(z.string());
const open = z.record(z.string(), z.unknown());
const regime = z.enum(marketRegimes);
const assetType = z.enum(assetTypes);
const state = z.enum(['active', 'paused', 'shadow', 'archived']);
const cursor = z.string().nullable().meta({ description: 'for the next page; null on the last' });
const why = z.object({ code: z.string(), text: z.string() });

const errorTypes = Object.keys(errorStatus) as [ErrorType, ...ErrorType[]];

export const errorResponse = z
  .object({
    status: z.literal('error'),
    error_type: z.enum(errorTypes),
    message: z.string(),
    details: z.array(z.object({ path: z.string(), message: z.string(), received: z.unknown().optional() })),
    timestamp: time,
    request_id: z.string(),
  })
  .meta({ title: 'Error' });

export const signalResponse = z
  .object({
    signal_id: z.string(),
    strategy_id: z.string(),
    strategy_type: z.string(),
    strategy_version: z.number(),
    symbol: z.string(),
    action: z.enum(['buy', 'sell', 'close', 'quote']),
    confidence: z.number(),
    confidence_basis: z.enum(['uncalibrated', 'calibrated']),
    score: z.number(),
    price: z.number(),
    price_kind: z.enum(['last', 'close', 'mid', 'stop', 'take_profit']),
    size: z.number(),
    stop_loss: nullable,
    take_profit: nullable,
    reasons: names,
    regime,
    timestamp: time,
    latency_ms: z.number(),
    intent: z.enum(['open', 'add', 'reduce', 'close', 'reverse']).optional(),
    target_exposure: z.number().optional(),
    quantity: z.number().optional(),
    source: z.string().optional(),
    asset_type: assetType.optional(),
    currency: z.string().optional(),
    timeframe: z.string().optional(),
    bar_end: time.optional(),
    valid_until: time.optional(),
    members: z.array(z.object({ strategy_id: z.string(), weight: z.number(), vote: z.number() })).optional(),
    parent_signal_id: z.string().optional(),
    conflated: z.literal(true).optional(),
  })
  .meta({ title: 'Signal' });

export const marketDataResponse = z.object({
  strategies_applied: z.number(),
  signals_generated: z.number(),
  signals: z.array(signalResponse),
  ticks_accepted: z.number(),
  ticks_rejected: z.number(),
  rejected: z.array(z.object({ index: z.number(), path: z.string(), message: z.string() })),
  execution_time_ms: z.number(),
});

const component = z.object({ health: z.enum(['up', 'degraded', 'down']), message: z.string(), since: time });
const percentiles = z.object({ p50: nullable, p95: nullable, p99: nullable, count: z.number() });
const systemHealth = z.enum(['excellent', 'good', 'degraded', 'critical']);

export const summaryResponse = z.object({
  system_health: systemHealth,
  active_strategies: z.number(),
  total_performance: nullable.meta({ description: 'overall success rate 0–1; null without executions' }),
  total_pnl: nullable,
  last_update: time,
  uptime_s: z.number(),
  components: z.record(z.string(), component),
  durability: z.string(),
  role: z.enum(['leader', 'standby']),
  throughput: z.object({
    ticks_total: z.number(),
    ticks_per_s: z.number(),
    signals_total: z.number(),
    executions_total: z.number(),
    outcomes: z.record(z.string(), z.number()),
  }),
  latency_ms: z.record(z.string(), percentiles),
  error_rate: z.number(),
});

export const registerResponse = z.object({
  strategy_id: z.string(),
  registration_time: time,
  version: z.number(),
  warnings: names,
});
export const updateResponse = z.object({
  strategy_id: z.string(),
  version: z.number(),
  parameters: open,
  warnings: names,
});
export const archiveResponse = z.object({ strategy_id: z.string(), archived: z.literal(true) });

const parameterView = z.object({
  value: z.unknown(),
  default: z.unknown(),
  minimum: nullable,
  maximum: nullable,
  description: z.string(),
});
export const strategyResponse = z.object({
  strategy_id: z.string(),
  strategy_type: z.string(),
  family: z.string(),
  name: z.string(),
  state,
  version: z.number(),
  symbols: names,
  asset_types: z.array(assetType),
  timeframe: z.string(),
  capital: nullable,
  allow_short: z.boolean(),
  registration_time: time,
  parameters: z.record(z.string(), parameterView),
  warm: z.boolean(),
  signals: z.number(),
});
export const strategiesResponse = z.object({ strategies: z.array(strategyResponse), cursor });

const version = z.object({
  version: z.number(),
  at: time,
  actor: z.string(),
  parameters: open,
  symbols: names,
  asset_types: z.array(assetType),
  timeframe: z.string(),
  name: z.string(),
  state,
});
export const versionsResponse = z.object({ strategy_id: z.string(), versions: z.array(version), cursor });

export const decision = z.object({
  strategy_id: z.string(),
  strategy_version: z.number(),
  symbol: z.string(),
  timestamp: time,
  code: z.enum(decisionCodes),
  reason: z.string(),
  regime,
  signal_id: z.string().nullable(),
});
export const decisionsResponse = z.object({
  strategy_id: z.string(),
  decisions: z.array(decision),
  funnel: z.object({ evaluated: z.number(), outcomes: z.record(z.string(), z.number()) }),
  cursor,
});

export const typesResponse = z.object({
  types: z.array(
    z.object({
      type: z.string(),
      family: z.string(),
      description: z.string(),
      inputs: names,
      tier: z.enum(['fast', 'tactical', 'strategic']),
      parameters: open.meta({ description: 'JSON Schema of the parameters' }),
    }),
  ),
});

const metrics = z.record(z.string(), nullable);
const reasons = z.record(z.string(), z.string()).meta({ description: 'why a metric is null' });
export const trackResponse = z.object({
  performance_updated: z.boolean(),
  new_metrics: metrics,
  reasons,
  duplicate: z.boolean(),
  deduplicated: z.boolean().meta({ description: 'false when there was no execution_id: do not retry blindly' }),
});

const performance = {
  metrics,
  reasons,
  basis: z.enum(['money', 'capital']),
  periods_per_year: z.number(),
  day_rule: z.string(),
  currency: z.string().nullable(),
  totals: z.record(z.string(), z.number()),
  disagreements: z.number(),
  reliable: z.boolean(),
};
export const performanceResponse = z.object({
  ...performance,
  strategy_id: z.string().nullable(),
  mode: z
    .enum(['live', 'paper', 'shadow'])
    .optional()
    .meta({ description: 'which executions count: real and simulated ones are never added' }),
  other_modes: z.record(z.string(), z.number()).optional(),
  groups: z.record(z.string(), z.object(performance)).optional(),
  curve: z.array(z.object({ timestamp: time, pnl: z.number() })).optional(),
});

const adaptation = z.object({
  adaptation_id: z.string(),
  strategy_id: z.string(),
  stage: z.enum(['applied', 'proposed', 'refused', 'reverted']),
  applied: z.boolean(),
  from: open,
  to: open,
  reason: why,
  evidence: open,
  revert: z.string().nullable(),
  at: time,
});
export const forceAdaptationResponse = z.object({
  adaptation_triggered: z.boolean(),
  new_parameters: open.meta({ description: 'flat when one strategy was meant, else by id' }),
  adaptations: z.array(adaptation),
  reason: why.optional(),
});
export const adaptationsResponse = z.object({ adaptations: z.array(adaptation), cursor });
export const revertResponse = z.object({ adaptation });
export const freezeResponse = z.object({ frozen: z.boolean() });

export const insightsResponse = z.object({
  insights: z.object({
    market_regime: regime,
    optimal_strategies: names,
    performance_trends: z.enum(['improving', 'stable', 'declining', 'unknown']),
    adaptation_recommendations: names,
    evidence: open,
  }),
});

export const healthResponse = z.object({
  live: z.literal(true),
  ready: z.boolean(),
  system_health: systemHealth,
  role: z.enum(['leader', 'standby']),
  uptime_s: z.number(),
});
