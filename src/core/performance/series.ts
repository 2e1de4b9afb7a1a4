/**
 * Performance of a series that someone else holds: period returns, an equity curve, or the P&L of closed trades. The
 * metrics are those of the ledger; only where the figures come from differs.
 *
 * Returns compound from an equity of 1 (or `capital`), which counts as the first peak. With timestamps, returns of one
 * UTC day are compounded into one, and annual growth is by calendar time; without, by the number of periods. Nothing is
 * guessed: a value that is not a finite number is an error, and prices are not taken for returns.
 */
import { valueError } from '../domain/errors';
import { moneyOf } from '../domain/money';
import { addRow, createBook } from './book';
import { figuresOf } from './book-figures';
import { type DayRule, halfDayOf } from './day-rule';
import type { Benchmark, DayFigures, EquityFigures, Figures, TradeFigures } from './figures';
import { type Measured, measure } from './measure';
import { benchmarkMetrics, metrics } from './metrics/registry';

/** Exactly one of `returns`, `equity` and `trades`. */
export interface SeriesInput {
  /** Simple period returns: 0.01 = 1 %. */
  readonly returns?: readonly number[];
  /** Equity at the end of each period, the first value being the start. */
  readonly equity?: readonly number[];
  /** Net P&L of each closed trade, in money. */
  readonly trades?: readonly number[];
  /** One for each value, ms since the epoch, not falling. */
  readonly timestamps?: readonly number[];
  /** Period returns of a benchmark, beside `returns` or the returns of `equity`. */
  readonly benchmark?: readonly number[];
  /** Where given, the two are compared on the UTC days both have; else value by value. */
  readonly benchmarkTimestamps?: readonly number[];
  /** Periods (days, with timestamps) in a year; 365 unless given. */
  readonly periodsPerYear?: number;
  /** Annual rate, e.g. 0.02. */
  readonly riskFreeAnnual?: number;
  /** Start of a compounding series, or fixed base of trades. */
  readonly capital?: number;
}

export interface SeriesPerformance extends Measured {
  readonly basis: Figures['basis'];
  readonly periodsPerYear: number;
  /** At least 30 observations. */
  readonly reliable: boolean;
}

const dayMs = 86_400_000;
const yearMs = 365.25 * dayMs;
const dayRule: DayRule = 'utc_365';
const defaultPeriods = 365;

/**
 * Every metric of a series, `null` with a reason where it is undefined.
 * @throws EngineError `ValueError` naming the field when the input is not one series of finite numbers.
 */
export function performanceOfSeries(input: SeriesInput): SeriesPerformance {
  const figures = seriesFigures(input);
  const { basis, periodsPerYear, days } = figures;
  const list = figures.benchmark === null ? metrics : [...metrics, ...benchmarkMetrics];
  return { ...measure(list, figures), basis, periodsPerYear, reliable: days.n >= 30 };
}

/** The figures of a series. Errors as `performanceOfSeries`. */
export function seriesFigures(input: SeriesInput): Figures {
  const given = (['returns', 'equity', 'trades'] as const).filter((name) => input[name] !== undefined);
  if (given.length !== 1)
    throw valueError('input', 'must have exactly one of returns, equity, trades', given.join(', '));
  if (input.benchmark !== undefined) requireNumbers('benchmark', input.benchmark);
  for (const name of given) requireNumbers(name, input[name] ?? []);
  requireTimes('timestamps', input.timestamps, (input.returns ?? input.equity ?? input.trades ?? []).length);
  requireTimes('benchmarkTimestamps', input.benchmarkTimestamps, input.benchmark?.length ?? 0);
  if (input.capital !== undefined && !(input.capital > 0)) {
    throw valueError('capital', 'must be greater than 0', input.capital);
  }
  if (input.trades !== undefined) return figuresOfTrades(input, input.trades);
  if (input.equity !== undefined) return figuresOfEquity(input, input.equity, input.timestamps ?? null, true);
  const { returns = [], timestamps } = input;
  const [values, times] = timestamps === undefined ? [returns, null] : byDay(returns, timestamps);
  const path = [input.capital ?? 1];
  for (const value of values) path.push((path[path.length - 1] as number) * (1 + value));
  const at = times === null || times.length === 0 ? null : [startOf(times), ...times];
  return figuresOfEquity(input, path, at, input.capital !== undefined);
}

function requireNumbers(name: string, values: readonly number[]): void {
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) throw valueError(`${name}[${i}]`, 'must be a finite number', value);
    if (name === 'equity' && i === 0 && value <= 0) throw valueError('equity[0]', 'must be greater than 0', value);
  });
}

function requireTimes(name: string, times: readonly number[] | undefined, length: number): void {
  if (times === undefined) return;
  if (times.length !== length) throw valueError(name, `must have one for each of the ${length} values`, times.length);
  times.forEach((time, i) => {
    if (!Number.isFinite(time) || time < (times[i - 1] ?? time))
      throw valueError(`${name}[${i}]`, 'must not fall', time);
  });
}

/** Compounds returns of one UTC day into one. */
function byDay(returns: readonly number[], timestamps: readonly number[]): [readonly number[], readonly number[]] {
  const values: number[] = [];
  const times: number[] = [];
  let day = Number.NaN;
  returns.forEach((value, i) => {
    const time = timestamps[i] as number;
    const isSameDay = Math.floor(time / dayMs) === day;
    day = Math.floor(time / dayMs);
    if (isSameDay) {
      values[values.length - 1] = (1 + (values[values.length - 1] as number)) * (1 + value) - 1;
      times[times.length - 1] = time;
      return;
    }
    values.push(value);
    times.push(time);
  });
  return [values, times];
}

/** Where the first period began: one mean period before its end. */
function startOf(times: readonly number[]): number {
  const first = times[0] as number;
  const last = times[times.length - 1] as number;
  return times.length < 2 ? first - dayMs : first - (last - first) / (times.length - 1);
}

function figuresOfTrades(input: SeriesInput, trades: readonly number[]): Figures {
  const book = createBook();
  trades.forEach((pnl, i) => {
    const timestampMs = input.timestamps?.[i] ?? i;
    const money = moneyOf(pnl, `trades[${i}]`);
    const same = { success: pnl > 0, isTrade: true, timeMicros: 0, currency: '', version: 1, symbol: null, regime: '' };
    addRow({ rows: 0, cells: 0 }, book, { seq: i, timestampMs, pnl: money, ...same }, halfDayOf(timestampMs));
  });
  const figures = figuresOf(book, {
    dayRule,
    periodsPerYear: input.periodsPerYear ?? null,
    riskFreeAnnual: input.riskFreeAnnual ?? 0,
    capital: input.capital ?? null,
    life: null,
    isComplete: true,
    benchmark: null,
  });
  const hasTimes = input.timestamps !== undefined;
  return hasTimes ? figures : { ...figures, ...timeless(figures.equity) };
}

/** Without times there are no days. */
function timeless(equity: EquityFigures): Pick<Figures, 'days' | 'spanMs' | 'equity'> {
  return { days: daysOf(new Float64Array(0)), spanMs: null, equity: { ...equity, drawdownDurationMs: null } };
}

const noTrades: TradeFigures = {
  executions: 0,
  successes: 0,
  unfilled: 0,
  timeMs: 0,
  trades: 0,
  wins: 0,
  losses: 0,
  total: 0,
  sumWins: 0,
  sumLosses: 0,
  deviation: 0,
  largestWin: 0,
  largestLoss: 0,
  maxWinsInRow: 0,
  maxLossesInRow: 0,
};

function figuresOfEquity(
  input: SeriesInput,
  given: readonly number[],
  times: readonly number[] | null,
  hasMoney: boolean,
): Figures {
  // Equity of 0 or less is ruin: nothing that follows is a return on anything.
  const ruin = given.findIndex((value) => value <= 0);
  const path = ruin < 0 ? given : given.slice(0, ruin + 1);
  const periodsPerYear = input.periodsPerYear ?? defaultPeriods;
  const returns = Float64Array.from(path.slice(1), (value, i) => value / (path[i] as number) - 1);
  const n = returns.length;
  const isEmpty = n === 0;
  const spanMs = times === null ? (n / periodsPerYear) * yearMs : (times[n] ?? 0) - (times[0] ?? 0);
  return {
    basis: 'capital',
    compounds: true,
    hasMoney,
    trades: noTrades,
    equity: equityOf(path, times),
    days: daysOf(returns),
    benchmark: benchmarkOf(input, returns, times, given.length - 1),
    periodsPerYear,
    riskFreeAnnual: input.riskFreeAnnual ?? 0,
    spanMs: isEmpty ? null : spanMs,
    isMixed: false,
    isOrderKnown: true,
    isFractionKnown: true,
    isComplete: true,
  };
}

/** The benchmark joined to the returns; days that only one of them has are left out. */
function benchmarkOf(
  input: SeriesInput,
  own: Float64Array,
  times: readonly number[] | null,
  n: number,
): Benchmark | null {
  const { benchmark, benchmarkTimestamps } = input;
  if (benchmark === undefined) return null;
  if (benchmarkTimestamps === undefined || times === null) {
    if (benchmark.length !== n) {
      throw valueError('benchmark', `must have one for each of the ${n} returns, or timestamps`, benchmark.length);
    }
    return { own, its: Float64Array.from(benchmark.slice(0, own.length)) };
  }
  const [values, days] = byDay(benchmark, benchmarkTimestamps);
  const byNumber = new Map(days.map((time, i) => [Math.floor(time / dayMs), values[i] as number]));
  const both = [...own.keys()].filter((i) => byNumber.has(dayAfter(times, i)));
  return {
    own: Float64Array.from(both, (i) => own[i] as number),
    its: Float64Array.from(both, (i) => byNumber.get(dayAfter(times, i)) as number),
  };
}

/** UTC day on which period i ended; the first time is that of the start. */
function dayAfter(times: readonly number[], i: number): number {
  return Math.floor((times[i + 1] ?? 0) / dayMs);
}

function daysOf(values: Float64Array): DayFigures {
  const n = values.length;
  if (n === 0) return { n, mean: 0, deviation: 0, downside: 0, values: () => values };
  let sum = 0;
  let losses = 0;
  for (const value of values) {
    sum += value;
    losses += Math.min(value, 0) ** 2;
  }
  const mean = sum / n;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = n < 2 ? 0 : Math.sqrt(squares / (n - 1));
  return { n, mean, deviation, downside: Math.sqrt(losses / n), values: () => values.slice() };
}

function equityOf(path: readonly number[], times: readonly number[] | null): EquityFigures {
  const start = path[0] as number;
  let peak = start;
  let peakAt = 0;
  let amount = 0;
  let fraction = 0;
  let longest = 0;
  path.forEach((value, i) => {
    const wasDown = i > peakAt + 1 || value < peak;
    if (times !== null && wasDown) longest = Math.max(longest, timeAt(times, i) - timeAt(times, peakAt));
    if (value >= peak) {
      peak = value;
      peakAt = i;
    }
    amount = Math.max(amount, peak - value);
    fraction = Math.max(fraction, Math.min(1, 1 - value / peak));
  });
  const end = path[path.length - 1] as number;
  return {
    total: end - start,
    totalReturn: end / start - 1,
    drawdownAmount: amount,
    currentDrawdownAmount: peak - end,
    drawdown: fraction,
    currentDrawdown: Math.min(1, 1 - end / peak),
    drawdownDurationMs: times === null ? null : longest,
  };
}

function timeAt(times: readonly number[], i: number): number {
  return times[i] ?? 0;
}
