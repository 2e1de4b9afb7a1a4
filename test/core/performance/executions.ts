import assert from 'node:assert/strict';
import type { PerformanceQuery } from '../../../src/core/domain/bodies';
import type { ExecutionTracked } from '../../../src/core/domain/log-event';
import { applyExecution, createLedger, type ExecutionEvent, ledgerView } from '../../../src/core/performance/ledger';
import { type PerformanceOptions, performanceOf } from '../../../src/core/performance/performance';

/** 2024-01-01T00:00:00Z, a Monday. */
export const monday = 1_704_067_200_000;
export const dayMs = 86_400_000;

/** A live execution of strategy `a`, changed as asked. */
export function execution(seq: number, changes: Partial<ExecutionTracked> = {}): ExecutionEvent {
  const data: ExecutionTracked = {
    strategyId: 'a',
    executionId: `e${seq}`,
    pnl: '0',
    fees: '0',
    success: true,
    executionTimeMs: 10,
    currency: 'USD',
    status: 'filled',
    mode: 'live',
    timestampMs: monday + seq * 60_000,
    entryMs: null,
    signalId: null,
    symbol: 'BTCUSD',
    side: null,
    quantity: null,
    price: null,
    positionAfter: null,
    notional: null,
    leg: null,
    strategyVersion: 1,
    regime: 'ranging',
    ...changes,
  };
  return { seq, data };
}

/** One execution for each P&L, a day apart. */
export function daily(pnls: readonly number[], changes: Partial<ExecutionTracked> = {}): ExecutionEvent[] {
  return pnls.map((pnl, i) =>
    execution(i + 1, { pnl: String(pnl), success: pnl > 0, timestampMs: monday + i * dayMs, ...changes }),
  );
}

/** Performance of strategy `a` after these events, by UTC days unless said otherwise. */
export function performance(
  events: readonly ExecutionEvent[],
  options: Partial<PerformanceOptions> = {},
  query: PerformanceQuery = {},
) {
  const ledger = createLedger();
  for (const event of events) applyExecution(ledger, event);
  return performanceOf(ledgerView(ledger, 'a'), query, { dayRule: 'utc_365', ...options });
}

/** Equal but for rounding. */
export function near(actual: number | null | undefined, expected: number): void {
  assert.ok(
    typeof actual === 'number' && Math.abs(actual - expected) < 1e-12 * Math.max(1, Math.abs(expected)),
    `${actual} is not ${expected}`,
  );
}
