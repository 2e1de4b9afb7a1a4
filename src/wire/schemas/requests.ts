/** What each route takes, in snake_case. Unknown fields are ignored; `null` for an optional field means not said. */
import { z } from 'zod';
import { limits } from '../../core/domain/limits';
import {
  anyObject,
  assetType,
  flag,
  numeric,
  optional,
  pageQuery,
  strategyId,
  strategyTimeframe,
  symbol,
  text,
  timestamp,
} from './fields';

const money = (rule: { above?: number; min?: number; description?: string } = {}) =>
  numeric({ min: -limits.money, max: limits.money, ...rule });
const symbols = optional(z.array(symbol).max(limits.symbols)).meta({ description: 'empty = all' });
const assetTypeList = optional(z.array(assetType)).meta({ description: 'empty = all' });
const parameters = optional(anyObject);
const name = optional(text(limits.nameChars));
const state = optional(z.enum(['active', 'paused', 'shadow']));

export const registerBody = z.object({
  strategy_type: text(limits.nameChars),
  parameters,
  asset_types: assetTypeList,
  symbols,
  timeframe: optional(strategyTimeframe).meta({ default: 'auto' }),
  name,
  strategy_id: optional(strategyId),
  capital: optional(money({ above: 0 })),
  allow_short: optional(z.boolean()),
  state,
  history: optional(z.array(anyObject).max(limits.ticksPerRequest)).meta({
    description: 'closed bars to warm up on, oldest first; symbol and timeframe default to those of the strategy',
  }),
});

export const updateBody = z.object({
  parameters: parameters.meta({ description: 'merged into the current ones' }),
  asset_types: assetTypeList,
  symbols,
  timeframe: optional(strategyTimeframe),
  name,
  state,
  expected_version: optional(numeric({ integer: true, min: 1 })),
});

export const rollbackBody = z.object({ version: numeric({ integer: true, min: 1 }) });

const executionResult = z.object({
  pnl: money({ description: 'net, in currency, unless pnl_is_gross' }),
  success: z.boolean(),
  execution_time_ms: numeric({ min: 0 }),
  execution_id: optional(text()),
  signal_id: optional(text()),
  symbol: optional(symbol),
  side: optional(z.enum(['buy', 'sell'])),
  quantity: optional(numeric({ min: 0 })),
  price: optional(numeric()),
  fees: optional(money()),
  pnl_is_gross: optional(z.boolean()),
  currency: optional(
    z
      .string()
      .regex(/^[A-Za-z]{2,10}$/, 'must be a currency code')
      .toUpperCase(),
  ),
  status: optional(z.enum(['filled', 'partial', 'rejected', 'cancelled', 'expired'])),
  position_after: optional(numeric()),
  mode: optional(z.enum(['live', 'paper', 'shadow'])),
  notional: optional(money({ min: 0 })),
  timestamp: timestamp.optional(),
  entry_time: optional(timestamp),
  leg: optional(numeric({ integer: true, min: 0 })),
  strategy_version: optional(numeric({ integer: true, min: 1 })),
});

/** Compiled: it is read for every execution, and a plain schema leaves a heap of small objects behind each. */
export const trackBody = z.compile(z.object({ strategy_id: text(), execution_result: executionResult }));

export const performanceQuery = z.object({
  since: optional(timestamp),
  until: optional(timestamp),
  by: optional(z.enum(['version', 'symbol', 'regime'])),
  benchmark: optional(symbol).meta({
    description: 'symbol whose daily returns (of the bars remembered of it) it is compared with: beta, alpha, …',
  }),
  curve: optional(flag),
});

const level = <const T extends readonly [string, string, string]>(words: T) =>
  optional(
    z.union([z.enum(words), z.number().min(0).max(1)], { error: `must be one of ${words.join(', ')}, or 0 to 1` }),
  );

export const forceAdaptationBody = z
  .object({
    strategy_type: optional(text(limits.nameChars)),
    strategy_id: optional(text()),
    market_conditions: optional(
      z.object({
        volatility: level(['low', 'normal', 'high']),
        trend_strength: level(['weak', 'moderate', 'strong']),
      }),
    ),
    dry_run: optional(z.boolean()),
  })
  .superRefine((body, context) => {
    if (body.strategy_type !== undefined || body.strategy_id !== undefined) return;
    context.addIssue({ code: 'custom', path: ['strategy_id'], message: 'is required, or strategy_type' });
  });

export const freezeBody = z.object({
  frozen: optional(z.boolean()).meta({ default: true }),
  reason: optional(text(500)),
});
export const emptyBody = z.object({});

export const listQuery = z.object(pageQuery);
export const decisionsQuery = z.object({ ...pageQuery, symbol: optional(symbol) });
export const insightsQuery = z.object({ symbol: optional(symbol) });
export const healthQuery = z.object({
  probe: optional(z.enum(['live', 'ready'])).meta({ description: 'ready: 503 while the engine cannot do its work' }),
});
