/** Registering and changing strategies: outside ↔ inside. */
import type { z } from 'zod';
import type { RegisterInput, TypeView, UpdateInput } from '../core/domain/bodies';
import { valueError } from '../core/domain/errors';
import type { MarketItem } from '../core/domain/tick';
import { fromWire, putKey } from './case';
import { dropUndefined } from './defined';
import type { EndpointInput } from './endpoint';
import { parseIdempotencyKey } from './execution';
import { parseMarketValue } from './market-data';
import { valueErrorOf } from './problems';
import type { registerBody, updateBody } from './schemas/requests';

/** Ids that would hide behind a path of the API. */
const reservedIds: ReadonlySet<string> = new Set(['register', 'types', 'track']);

/** @throws EngineError `ValueError`. */
export function registerInput(input: EndpointInput<unknown, z.output<typeof registerBody>>): RegisterInput {
  const { body, actor } = input;
  if (body.strategy_id !== undefined && reservedIds.has(body.strategy_id)) {
    throw valueError('strategy_id', 'is a path of the API', body.strategy_id);
  }
  return {
    strategyType: body.strategy_type,
    actor,
    ...dropUndefined({
      parameters: parametersFromWire(body.parameters),
      assetTypes: body.asset_types,
      symbols: body.symbols,
      timeframe: body.timeframe,
      name: body.name,
      strategyId: body.strategy_id,
      capital: body.capital,
      allowShort: body.allow_short,
      state: body.state,
      history: body.history && historyOf(body, body.history, input.request.nowMs),
      idempotencyKey: parseIdempotencyKey(input.idempotencyKey),
    }),
  };
}

export function updateInput(body: z.output<typeof updateBody>, actor: string): UpdateInput {
  return {
    actor,
    ...dropUndefined({
      parameters: parametersFromWire(body.parameters),
      assetTypes: body.asset_types,
      symbols: body.symbols,
      timeframe: body.timeframe,
      name: body.name,
      state: body.state,
      expectedVersion: body.expected_version,
    }),
  };
}

/** Strategy parameters by their names inside. */
export function parametersFromWire(
  parameters: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  return parameters && (fromWire(parameters) as Readonly<Record<string, unknown>>);
}

/** Every bar of a history must be good: a strategy warmed up on part of it would not be what was asked for. */
function historyOf(
  body: z.output<typeof registerBody>,
  bars: readonly Readonly<Record<string, unknown>>[],
  nowMs: number,
): readonly MarketItem[] {
  const [symbol] = body.symbols ?? [];
  const timeframe = body.timeframe === 'auto' ? undefined : body.timeframe;
  const filled = bars.map((bar) => ({ ...dropUndefined({ symbol, timeframe }), ...bar }));
  const parsed = parseMarketValue(filled, {
    arrivalMs: nowMs,
    source: 'history',
    door: 'ordered',
    pathPrefix: 'history',
  });
  if (parsed.rejected.length > 0) throw valueErrorOf(parsed.rejected);
  parsed.items.forEach((item, index) => {
    if (item.kind !== 'bar') throw valueError(`history[${index}]`, 'must be a bar: open, high, low, close');
    if (!item.isClosed) throw valueError(`history[${index}].is_closed`, 'must be true: a history is of closed bars');
  });
  return parsed.items;
}

/** A type as the outside reads it. The JSON Schema's own words (`additionalProperties`) are not names of ours. */
export function typesToWire(view: TypeView): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const [name, schema] of view.parameters) putKey(parameters, name, plainOf(schema));
  const { type, family, description, inputs, tier } = view;
  return { type, family, description, inputs, tier, parameters };
}

/** Maps as objects, everything else as it is. */
function plainOf(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of value) putKey(out, String(key), plainOf(inner));
  return out;
}
