import type { ExecutionTracked } from '../domain/log-event';
import { type Money, moneyOfText } from '../domain/money';

/** Real money, a paper broker's, or what would have been: never added together. */
export type ExecutionMode = ExecutionTracked['mode'];

/** One tracked execution as the ledger keeps it: what metrics and their groups need, and no more. */
export interface LedgerRow {
  /** Of its event in the log: breaks ties of time. */
  readonly seq: number;
  readonly timestampMs: number;
  readonly pnl: Money;
  readonly success: boolean;
  /** False for an order that came to nothing (see `tally.ts`). */
  readonly isTrade: boolean;
  /** Integer microseconds, so that sums are exact. */
  readonly timeMicros: number;
  readonly currency: string;
  readonly version: number;
  readonly symbol: string | null;
  readonly regime: string;
}

/** The row of an event: `data` was validated when it was accepted. */
export function rowOf(seq: number, data: ExecutionTracked): LedgerRow {
  const pnl = moneyOfText(data.pnl);
  const filled = data.status === 'filled' || data.status === 'partial';
  return {
    seq,
    timestampMs: data.timestampMs,
    pnl,
    success: data.success,
    isTrade: filled || pnl !== 0n,
    timeMicros: Math.round(data.executionTimeMs * 1_000),
    currency: data.currency,
    version: data.strategyVersion,
    symbol: data.symbol,
    regime: data.regime,
  };
}

/** Where an execution stands in the order of the ledger. */
export interface Place {
  readonly timestampMs: number;
  readonly seq: number;
}

/** Order of the ledger: by event time, then by place in the log. */
export function isBefore(a: Place, b: Place): boolean {
  return a.timestampMs < b.timestampMs || (a.timestampMs === b.timestampMs && a.seq < b.seq);
}
