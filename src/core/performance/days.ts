/**
 * Daily P&L: one exact amount per half day, from which the days of any rule are made. Its sums are kept as integers, so
 * mean and deviation are exact whatever the order of arrival, and a flat series has a deviation of exactly 0.
 */
import { type Money, moneyToNumber } from '../domain/money';
import { type DayRule, dayOfHalf } from './day-rule';

/** Half day → P&L of its trades. */
export type HalfDays = Map<number, Money>;

export interface Days {
  readonly rule: DayRule;
  readonly byDay: Map<number, Money>;
  /** First and last day with a trade. */
  first: number;
  last: number;
  sum: Money;
  sumSquares: bigint;
  /** Σ of squares of the days that lost. */
  sumLossSquares: bigint;
}

export function createDays(rule: DayRule): Days {
  return {
    rule,
    byDay: new Map(),
    first: Number.POSITIVE_INFINITY,
    last: Number.NEGATIVE_INFINITY,
    sum: 0n,
    sumSquares: 0n,
    sumLossSquares: 0n,
  };
}

export function addHalf(byCurrency: Map<string, HalfDays>, currency: string, halfDay: number, pnl: Money): void {
  let halfDays = byCurrency.get(currency);
  if (halfDays === undefined) {
    halfDays = new Map();
    byCurrency.set(currency, halfDays);
  }
  halfDays.set(halfDay, (halfDays.get(halfDay) ?? 0n) + pnl);
}

export function addToDay(days: Days, day: number, pnl: Money): void {
  if (day < days.first) days.first = day;
  if (day > days.last) days.last = day;
  const before = days.byDay.get(day) ?? 0n;
  const after = before + pnl;
  days.byDay.set(day, after);
  days.sum += pnl;
  const squareBefore = before * before;
  const squareAfter = after * after;
  days.sumSquares += squareAfter - squareBefore;
  if (before < 0n) days.sumLossSquares -= squareBefore;
  if (after < 0n) days.sumLossSquares += squareAfter;
}

export function daysOf(rule: DayRule, halfDays: HalfDays): Days {
  const days = createDays(rule);
  for (const [halfDay, pnl] of halfDays) addToDay(days, dayOfHalf(rule, halfDay), pnl);
  return days;
}

/** Mean and deviations of a series of periods, in its own unit. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation (n − 1); 0 below two observations. */
  readonly deviation: number;
  /** √(Σ min(x, 0)² / n): all n in the denominator. */
  readonly downside: number;
}

/** Moments of `n` days of which those without a trade are 0, in currency units. */
export function momentsOfDays(days: Days, n: number): Moments {
  if (n === 0) return { n, mean: 0, deviation: 0, downside: 0 };
  const spread = BigInt(n) * days.sumSquares - days.sum * days.sum;
  return {
    n,
    mean: moneyToNumber(days.sum) / n,
    deviation: n < 2 ? 0 : Math.sqrt(Number(spread) / (n * (n - 1))) / 1e8,
    downside: Math.sqrt(Number(days.sumLossSquares) / n) / 1e8,
  };
}

/** Every day from `first` to `last` in currency units, oldest first; a day without a trade is 0. */
export function valuesOfDays(days: Days, first: number, last: number): Float64Array {
  const values = new Float64Array(Math.max(0, last - first + 1));
  for (const [day, pnl] of days.byDay) values[day - first] = moneyToNumber(pnl);
  return values;
}
