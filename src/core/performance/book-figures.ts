/** Figures of one book: exact sums turned into numbers at the very end. */
import { moneyToNumber } from '../domain/money';
import { type Book, bookDays, isFractionKnown, orderOf } from './book';
import { type DayRule, dayIndex, dayRules } from './day-rule';
import { momentsOfDays, valuesOfDays } from './days';
import type { Benchmark, DayFigures, EquityFigures, Figures, TradeFigures } from './figures';
import { fallOf, type OrderState } from './order';
import { type CurrencyTally, createCurrencyTally, totalOf } from './tally';

/** The part of a strategy's life that figures are of, ms since the epoch. */
export interface Life {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface BookFigureOptions {
  readonly dayRule: DayRule;
  readonly periodsPerYear: number | null;
  readonly riskFreeAnnual: number;
  readonly capital: number | null;
  /** `null`: from the first execution to the last. */
  readonly life: Life | null;
  /** False when part of what was asked for is no longer retained. */
  readonly isComplete: boolean;
  /** Daily returns of a benchmark by the rule's days; `null` when none was asked for. */
  readonly benchmark: ReadonlyMap<number, number> | null;
}

/** Figures of a book. Its folded state goes on from where the last call left it. */
export function figuresOf(book: Book, options: BookFigureOptions): Figures {
  const { capital, dayRule } = options;
  const [only] = book.tally.currencies.values();
  const money = only ?? createCurrencyTally('');
  const order = orderOf(book, capital);
  const life = options.life ?? { fromMs: book.firstMs, toMs: book.lastMs };
  const isEmpty = book.tally.executions === 0;
  const days = isEmpty ? noDays : daysOf(book, dayRule, life, capital ?? 1);
  return {
    basis: capital === null ? 'money' : 'capital',
    compounds: false,
    hasMoney: true,
    trades: tradesOf(book, money, order),
    equity: equityOf(money, order, book, life.toMs),
    days,
    benchmark: options.benchmark === null ? null : joined(days, firstDay(book, dayRule, life), options.benchmark),
    periodsPerYear: options.periodsPerYear ?? dayRules[dayRule].periodsPerYear,
    riskFreeAnnual: capital === null ? 0 : options.riskFreeAnnual,
    spanMs: isEmpty ? null : life.toMs - life.fromMs,
    isMixed: book.tally.currencies.size > 1,
    isOrderKnown: !book.isOrderLost,
    isFractionKnown: isFractionKnown(book),
    isComplete: options.isComplete,
  };
}

const noDays: DayFigures = { n: 0, mean: 0, deviation: 0, downside: 0, values: () => new Float64Array(0) };

function tradesOf({ tally }: Book, money: CurrencyTally, order: OrderState): TradeFigures {
  let { trades, wins, losses } = money;
  if (tally.currencies.size > 1) {
    trades = tally.executions - tally.unfilled;
    wins = 0;
    losses = 0;
    for (const one of tally.currencies.values()) {
      wins += one.wins;
      losses += one.losses;
    }
  }
  return {
    executions: tally.executions,
    successes: tally.successes,
    unfilled: tally.unfilled,
    timeMs: tally.timeMicros / 1_000,
    trades,
    wins,
    losses,
    total: moneyToNumber(totalOf(money)),
    sumWins: moneyToNumber(money.sumWins),
    sumLosses: moneyToNumber(money.sumLosses),
    deviation: deviationOf(money),
    largestWin: moneyToNumber(money.largestWin),
    largestLoss: moneyToNumber(money.largestLoss),
    maxWinsInRow: order.maxWinsInRow,
    maxLossesInRow: order.maxLossesInRow,
  };
}

function deviationOf(money: CurrencyTally): number {
  if (money.trades < 2) return 0;
  const total = totalOf(money);
  const spread = BigInt(money.trades) * money.sumSquares - total * total;
  return Math.sqrt(Number(spread) / (money.trades * (money.trades - 1))) / 1e8;
}

function equityOf(money: CurrencyTally, order: OrderState, book: Book, toMs: number): EquityFigures {
  const { capital, capitalMoney } = book;
  const total = moneyToNumber(totalOf(money));
  const openMs = order.isDown ? Math.max(toMs, order.lastMs) - order.peakMs : 0;
  return {
    total,
    totalReturn: capital === null ? null : total / capital,
    drawdownAmount: moneyToNumber(order.amount),
    currentDrawdownAmount: moneyToNumber(order.peak - order.total),
    drawdown: capital === null ? null : order.fraction,
    currentDrawdown: capitalMoney === null ? null : fallOf(order, capitalMoney),
    drawdownDurationMs: order.trades === 0 ? null : Math.max(order.recoveredMs, openMs),
  };
}

/** The benchmark joined to the days of the life; days that it does not have are left out. */
function joined(days: DayFigures, first: number, returns: ReadonlyMap<number, number>): Benchmark {
  const values = days.values();
  const both = [...values.keys()].filter((i) => returns.has(first + i));
  return {
    own: Float64Array.from(both, (i) => values[i] as number),
    its: Float64Array.from(both, (i) => returns.get(first + i) as number),
  };
}

function firstDay(book: Book, rule: DayRule, life: Life): number {
  return Math.min(bookDays(book, rule).first, dayIndex(rule, life.fromMs));
}

/** Days inside the life without a trade are 0; the first and the last one may be partial. */
function daysOf(book: Book, rule: DayRule, life: Life, base: number): DayFigures {
  const days = bookDays(book, rule);
  const first = firstDay(book, rule, life);
  const last = Math.max(days.last, dayIndex(rule, life.toMs));
  const { n, mean, deviation, downside } = momentsOfDays(days, last - first + 1);
  return {
    n,
    mean: mean / base,
    deviation: deviation / base,
    downside: downside / base,
    values: () => valuesOfDays(days, first, last).map((value) => value / base),
  };
}
