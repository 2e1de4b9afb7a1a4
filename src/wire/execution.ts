/** A tracked execution from outside → the engine's words. */
import type { z } from 'zod';
import type { ExecutionResult, TrackInput } from '../core/domain/bodies';
import { valueError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import { dropUndefined } from './defined';
import { parseWith } from './problems';
import { text } from './schemas/fields';
import type { trackBody } from './schemas/requests';
import { formatTimestamp } from './time';

export interface TrackOrigin {
  readonly nowMs: number;
  readonly actor: string;
  /** The `Idempotency-Key` header, if there was one. */
  readonly idempotencyKey?: string | undefined;
}

type TrackBody = z.output<typeof trackBody>;

/** The body has met its schema. @throws EngineError `ValueError` for what a schema cannot know. */
export function trackInput(fields: TrackBody, origin: TrackOrigin): TrackInput {
  const idempotencyKey = parseIdempotencyKey(origin.idempotencyKey);
  return {
    strategyId: fields.strategy_id,
    executionResult: resultOf(fields.execution_result, origin.nowMs),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    actor: origin.actor,
  };
}

/** The header serves as an id, so it is held to an id's form. @throws EngineError `ValueError`. */
export function parseIdempotencyKey(value: string | undefined): string | undefined {
  return value === undefined ? undefined : parseWith(text(), value, 'Idempotency-Key');
}

function resultOf(fields: TrackBody['execution_result'], nowMs: number): ExecutionResult {
  const { timestamp, entry_time: entryTime } = fields;
  refuseFuture(timestamp, nowMs, 'execution_result.timestamp');
  refuseFuture(entryTime, nowMs, 'execution_result.entry_time');
  return {
    pnl: fields.pnl,
    success: fields.success,
    executionTimeMs: fields.execution_time_ms,
    ...dropUndefined({
      executionId: fields.execution_id,
      signalId: fields.signal_id,
      symbol: fields.symbol,
      side: fields.side,
      quantity: fields.quantity,
      price: fields.price,
      fees: fields.fees,
      pnlIsGross: fields.pnl_is_gross,
      currency: fields.currency,
      status: fields.status,
      positionAfter: fields.position_after,
      mode: fields.mode,
      notional: fields.notional,
      timestampMs: timestamp,
      entryTimeMs: entryTime,
      leg: fields.leg,
      strategyVersion: fields.strategy_version,
    }),
  };
}

function refuseFuture(timeMs: number | undefined, nowMs: number, path: string): void {
  if (timeMs === undefined || timeMs <= nowMs + limits.futureMs) return;
  throw valueError(path, 'must not be more than 5 minutes ahead of its arrival', formatTimestamp(timeMs));
}
