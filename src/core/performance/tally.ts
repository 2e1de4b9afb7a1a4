/**
 * What can be counted and summed in any order: exact, since money is integers and times are integer microseconds.
 *
 * **What counts.** Every execution that was tracked is an `execution` and has a `success`. It is a *trade* — it counts
 * toward win rate, averages, streaks and drawdown — unless its order came to nothing: `rejected`, `cancelled` or
 * `expired` with a P&L of exactly 0. Those are counted apart (`unfilled`), so refusals do not dilute averages; where
 * money moved (a fee, a part filled before the cancel) the execution is a trade whatever its status, so totals hold
 * every cent that was sent.
 */
import type { Money } from '../domain/money';
import type { LedgerRow } from './row';

/** Sums of one currency. */
export interface CurrencyTally {
  readonly currency: string;
  trades: number;
  wins: number;
  losses: number;
  sumWins: Money;
  /** Negative or zero. */
  sumLosses: Money;
  /** Σ P², in 1e-16 of the currency squared. */
  sumSquares: bigint;
  largestWin: Money;
  /** Negative or zero. */
  largestLoss: Money;
}

export interface Tally {
  executions: number;
  successes: number;
  unfilled: number;
  /** Successes that lost and failures that won; a P&L of 0 disagrees with neither. */
  disagreements: number;
  /** Σ of execution times in integer microseconds: exact in any order. */
  timeMicros: number;
  readonly currencies: Map<string, CurrencyTally>;
}

export function createTally(): Tally {
  return { executions: 0, successes: 0, unfilled: 0, disagreements: 0, timeMicros: 0, currencies: new Map() };
}

export function createCurrencyTally(currency: string): CurrencyTally {
  return {
    currency,
    trades: 0,
    wins: 0,
    losses: 0,
    sumWins: 0n,
    sumLosses: 0n,
    sumSquares: 0n,
    largestWin: 0n,
    largestLoss: 0n,
  };
}

function currencyOf(tally: Tally, currency: string): CurrencyTally {
  const known = tally.currencies.get(currency);
  if (known !== undefined) return known;
  const created = createCurrencyTally(currency);
  tally.currencies.set(currency, created);
  return created;
}

export function countRow(tally: Tally, row: LedgerRow): void {
  tally.executions++;
  tally.timeMicros += row.timeMicros;
  if (row.success) tally.successes++;
  if (!row.isTrade) {
    tally.unfilled++;
    return;
  }
  const money = currencyOf(tally, row.currency);
  money.trades++;
  if (row.pnl === 0n) return;
  money.sumSquares += row.pnl * row.pnl;
  if (row.pnl > 0n) {
    money.wins++;
    money.sumWins += row.pnl;
    if (row.pnl > money.largestWin) money.largestWin = row.pnl;
    if (!row.success) tally.disagreements++;
    return;
  }
  money.losses++;
  money.sumLosses += row.pnl;
  if (row.pnl < money.largestLoss) money.largestLoss = row.pnl;
  if (row.success) tally.disagreements++;
}

/** Adds one tally to another, as if its rows had been counted there. */
export function addTally(into: Tally, from: Tally): void {
  into.executions += from.executions;
  into.successes += from.successes;
  into.unfilled += from.unfilled;
  into.disagreements += from.disagreements;
  into.timeMicros += from.timeMicros;
  for (const theirs of from.currencies.values()) {
    const ours = currencyOf(into, theirs.currency);
    ours.trades += theirs.trades;
    ours.wins += theirs.wins;
    ours.losses += theirs.losses;
    ours.sumWins += theirs.sumWins;
    ours.sumLosses += theirs.sumLosses;
    ours.sumSquares += theirs.sumSquares;
    if (theirs.largestWin > ours.largestWin) ours.largestWin = theirs.largestWin;
    if (theirs.largestLoss < ours.largestLoss) ours.largestLoss = theirs.largestLoss;
  }
}

/** P&L of one currency. */
export function totalOf(money: CurrencyTally): Money {
  return money.sumWins + money.sumLosses;
}
