/**
 * What depends on the order of trades: streaks and drawdown. A fold of the ordered ledger, O(1) per trade; a trade that
 * arrives late makes its owner refold from the checkpoint before it.
 *
 * Drawdown is of realised equity, from the start (E₀) on: a first loss is a drawdown. The deepest amount and the
 * deepest fraction of the peak may be two different spells, so both are kept.
 */
import type { Money } from '../domain/money';
import type { LedgerRow } from './row';

export interface OrderState {
  /** Trades seen. */
  trades: number;
  winsInRow: number;
  lossesInRow: number;
  maxWinsInRow: number;
  maxLossesInRow: number;
  /** Realised P&L so far, and its highest value; both start at 0. */
  total: Money;
  peak: Money;
  peakMs: number;
  lastMs: number;
  /** Below the peak now. */
  isDown: boolean;
  /** Deepest fall from a peak in money. */
  amount: Money;
  amountPeakMs: number;
  amountTroughMs: number;
  /** When it was made good again; `NaN` while it is open. */
  amountRecoveredMs: number;
  /** Deepest fall as a fraction of the peak equity; stays 0 without capital. At most 1: equity of 0 or less is ruin. */
  fraction: number;
  fractionPeakMs: number;
  fractionTroughMs: number;
  fractionRecoveredMs: number;
  /** Longest spell from a peak to its recovery, of those that recovered. */
  recoveredMs: number;
}

export function createOrder(): OrderState {
  return {
    trades: 0,
    winsInRow: 0,
    lossesInRow: 0,
    maxWinsInRow: 0,
    maxLossesInRow: 0,
    total: 0n,
    peak: 0n,
    peakMs: 0,
    lastMs: 0,
    isDown: false,
    amount: 0n,
    amountPeakMs: Number.NaN,
    amountTroughMs: Number.NaN,
    amountRecoveredMs: Number.NaN,
    fraction: 0,
    fractionPeakMs: Number.NaN,
    fractionTroughMs: Number.NaN,
    fractionRecoveredMs: Number.NaN,
    recoveredMs: 0,
  };
}

/** Takes the next trade. `capital` is the fixed base of equity, or `null`; rows that are no trades are passed over. */
export function stepOrder(state: OrderState, row: LedgerRow, capital: Money | null): void {
  if (!row.isTrade) return;
  if (state.trades++ === 0) state.peakMs = row.timestampMs;
  state.lastMs = row.timestampMs;
  stepStreak(state, row.pnl);
  state.total += row.pnl;
  if (state.total >= state.peak) stepPeak(state, row.timestampMs);
  else stepFall(state, row.timestampMs, capital);
}

/** A trade of exactly 0 ends both streaks: three in a row means three in a row. */
function stepStreak(state: OrderState, pnl: Money): void {
  state.winsInRow = pnl > 0n ? state.winsInRow + 1 : 0;
  state.lossesInRow = pnl < 0n ? state.lossesInRow + 1 : 0;
  if (state.winsInRow > state.maxWinsInRow) state.maxWinsInRow = state.winsInRow;
  if (state.lossesInRow > state.maxLossesInRow) state.maxLossesInRow = state.lossesInRow;
}

function stepPeak(state: OrderState, timestampMs: number): void {
  if (state.isDown) {
    state.isDown = false;
    state.recoveredMs = Math.max(state.recoveredMs, timestampMs - state.peakMs);
    if (state.amountPeakMs === state.peakMs) state.amountRecoveredMs = timestampMs;
    if (state.fractionPeakMs === state.peakMs) state.fractionRecoveredMs = timestampMs;
  }
  state.peak = state.total;
  state.peakMs = timestampMs;
}

function stepFall(state: OrderState, timestampMs: number, capital: Money | null): void {
  state.isDown = true;
  const amount = state.peak - state.total;
  if (amount > state.amount) {
    state.amount = amount;
    state.amountPeakMs = state.peakMs;
    state.amountTroughMs = timestampMs;
    state.amountRecoveredMs = Number.NaN;
  }
  if (capital === null) return;
  const fraction = fallOf(state, capital);
  if (fraction > state.fraction) {
    state.fraction = fraction;
    state.fractionPeakMs = state.peakMs;
    state.fractionTroughMs = timestampMs;
    state.fractionRecoveredMs = Number.NaN;
  }
}

/** How far equity stands below its peak, as a fraction of the peak; 0 at a peak, at most 1. */
export function fallOf(state: OrderState, capital: Money): number {
  const fall = state.peak - state.total;
  return fall <= 0n ? 0 : Math.min(1, Number(fall) / Number(capital + state.peak));
}
