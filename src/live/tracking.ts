/** Executions come back: once per id, exact, durable before they are acknowledged. */
import { randomUUID } from 'node:crypto';
import type { ExecutionResult, TrackInput, TrackResult } from '../core/domain/bodies';
import { EngineError, valueError } from '../core/domain/errors';
import type { ExecutionTracked, NewEvent } from '../core/domain/log-event';
import { moneyOf, moneyText, moneyToNumber } from '../core/domain/money';
import { currentVersion } from '../core/domain/strategy';
import type { CoreState } from '../core/state';
import { headlineRegime } from '../core/strategies/evaluate';
import { type Appender, contentHash } from './append';
import type { Clock } from './ports';
import { requireRecord } from './strategy-commands';

/** @param metricsOf the strategy's metrics now, after folding. */
export function createTracking(
  core: CoreState,
  appender: Appender,
  clock: Clock,
  metricsOf: (strategyId: string) => Pick<TrackResult, 'newMetrics' | 'reasons'>,
) {
  return async function track(input: TrackInput): Promise<TrackResult> {
    const { strategyId, executionResult, idempotencyKey } = input;
    requireRecord(core, strategyId);
    const executionId = executionResult.executionId ?? idempotencyKey ?? null;
    const { executionId: _own, ...content } = executionResult;
    const event: NewEvent = {
      id: executionId === null ? `execution:${randomUUID()}` : `execution:${strategyId}:${executionId}`,
      contentHash: contentHash(content),
      type: 'execution_tracked',
      v: 1,
      aggregate: 'execution',
      expectedVersion: null,
      atMs: clock.nowMs(),
      actor: input.actor ?? 'library',
      data: tracked(core, strategyId, executionResult, executionId, clock.nowMs()),
    };
    const outcome = await appender.append(event);
    const duplicate = outcome.kind === 'duplicate';
    if (duplicate && !outcome.sameContent) {
      throw new EngineError('ConflictError', `execution_id "${executionId}" was tracked with another content`, {
        details: [
          {
            path: 'execution_result.execution_id',
            message: 'was tracked with another content',
            received: executionId,
          },
        ],
      });
    }
    return { performanceUpdated: !duplicate, ...metricsOf(strategyId), duplicate, deduplicated: executionId !== null };
  };
}

function tracked(
  core: CoreState,
  strategyId: string,
  result: ExecutionResult,
  executionId: string | null,
  nowMs: number,
): ExecutionTracked {
  const gross = moneyOf(result.pnl, 'execution_result.pnl');
  const fees = moneyOf(result.fees ?? 0, 'execution_result.fees');
  const net = result.pnlIsGross === true ? gross - fees : gross;
  moneyOf(moneyToNumber(net), 'execution_result.pnl less fees');
  const symbol = result.symbol?.toUpperCase() ?? null;
  const known = symbol === null ? undefined : core.symbols.get(symbol);
  const { quantity } = result;
  if (quantity !== undefined && quantity < 0) {
    throw valueError('execution_result.quantity', 'must be 0 or more; the side says the direction', quantity);
  }
  return {
    strategyId,
    executionId,
    pnl: moneyText(net),
    fees: moneyText(fees),
    success: result.success,
    executionTimeMs: result.executionTimeMs,
    currency: result.currency ?? core.settings.currency,
    status: result.status ?? 'filled',
    mode: result.mode ?? 'live',
    timestampMs: result.timestampMs ?? nowMs,
    entryMs: result.entryTimeMs ?? null,
    signalId: result.signalId ?? null,
    symbol,
    side: result.side ?? null,
    quantity: quantity ?? null,
    price: result.price ?? null,
    positionAfter: result.positionAfter ?? null,
    notional: result.notional ?? null,
    leg: result.leg ?? null,
    strategyVersion: result.strategyVersion ?? currentVersion(requireRecord(core, strategyId)).version,
    regime: known === undefined ? 'unknown' : headlineRegime(known).label,
  };
}
