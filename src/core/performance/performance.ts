/**
 * Performance from the ledger: every metric with its value, or `null` and why.
 *
 * **Life.** Days inside a strategy's life without a trade count as 0. A life is from registration (or an older
 * execution) to now; where all executions are older than the registration — a history brought in — it is from the first
 * of them to the last. A part of it (`sinceMs`, `untilMs`, both inclusive) starts afresh: drawdown is from the start of
 * the part, on the same fixed base.
 */
import type { Performance, PerformanceQuery, PerformanceResult } from '../domain/bodies';
import { limits } from '../domain/limits';
import { type Money, moneyToNumber } from '../domain/money';
import { type Book, createBook, isRetainedFrom } from './book';
import { figuresOf, type Life } from './book-figures';
import type { DayRule } from './day-rule';
import type { Figures } from './figures';
import type { LedgerView } from './ledger';
import { type Measured, measure } from './measure';
import { benchmarkMetrics, metrics, quickMetrics } from './metrics/registry';
import { type Slice, sliceOf } from './slice';
import { totalOf } from './tally';

export interface PerformanceOptions {
  /** Fixed base of returns and drawdown, in the currency of the P&L; `null` or absent: none is known. */
  readonly capital?: number | null;
  readonly dayRule: DayRule;
  /** Overrides the day rule's own. */
  readonly periodsPerYear?: number;
  /** Annual rate, e.g. 0.02; counts only with capital. */
  readonly riskFreeAnnual?: number;
  /** When the strategy was registered; absent: its life begins with its first execution. */
  readonly registeredMs?: number;
  /** Now; absent: its life ends with its last execution. */
  readonly asOfMs?: number;
  /** Daily returns of the benchmark that was asked for, by the rule's days. */
  readonly benchmark?: ReadonlyMap<number, number>;
}

/** Under this many daily observations a ratio is not to be relied on. */
const reliableDays = 30;

/** What one more execution is answered with: the metrics that need not read the whole series; O(1) when it came in time. */
export function newMetricsOf(view: LedgerView, options: PerformanceOptions): Measured {
  const book = view.book ?? createBook();
  return measure(quickMetrics, bookFigures(book, options, lifeOf(book, options), true));
}

/** Everything: metrics, groups and curve as the query asks. */
export function performanceOf(
  view: LedgerView,
  query: PerformanceQuery,
  options: PerformanceOptions,
): PerformanceResult {
  const whole = view.book ?? createBook();
  const life = lifeOf(whole, options);
  const isWhole = query.sinceMs === undefined && query.untilMs === undefined;
  const groups = query.by === undefined ? null : sliceOf(whole, query, query.by);
  const part: Slice = isWhole
    ? { book: whole, isComplete: true }
    : (sliceOf(whole, query).get('') ?? nothingOf(whole, query));
  return {
    strategyId: view.strategyId,
    ...performance(part, options, isWhole ? life : clip(life, query)),
    mode: view.mode,
    otherModes: view.others,
    ...(groups === null
      ? {}
      : { groups: new Map([...groups].map(([key, slice]) => [key, performance(slice, options, null)])) }),
    ...(query.curve === true ? { curve: curveOf(part.book) } : {}),
  };
}

function bookFigures(book: Book, options: PerformanceOptions, life: Life | null, isComplete: boolean): Figures {
  return figuresOf(book, {
    dayRule: options.dayRule,
    periodsPerYear: options.periodsPerYear ?? null,
    riskFreeAnnual: options.riskFreeAnnual ?? 0,
    capital: options.capital ?? null,
    life,
    isComplete,
    benchmark: options.benchmark ?? null,
  });
}

function performance({ book, isComplete }: Slice, options: PerformanceOptions, life: Life | null): Performance {
  const figures = bookFigures(book, options, life, isComplete);
  const currencies = [...book.tally.currencies.values()];
  return {
    ...measure(figures.benchmark === null ? metrics : [...metrics, ...benchmarkMetrics], figures),
    basis: figures.basis,
    periodsPerYear: figures.periodsPerYear,
    dayRule: options.dayRule,
    currency: currencies.length === 1 ? (currencies[0]?.currency ?? null) : null,
    totals: new Map(currencies.map((money) => [money.currency, moneyToNumber(totalOf(money))])),
    disagreements: book.tally.disagreements,
    reliable: figures.days.n >= reliableDays,
  };
}

function lifeOf(book: Book, { registeredMs, asOfMs }: PerformanceOptions): Life | null {
  if (book.tally.executions === 0) return null;
  const isHistory = registeredMs !== undefined && registeredMs > book.lastMs;
  return {
    fromMs: isHistory ? book.firstMs : Math.min(book.firstMs, registeredMs ?? book.firstMs),
    toMs: isHistory ? book.lastMs : Math.max(book.lastMs, asOfMs ?? book.lastMs),
  };
}

function clip(life: Life | null, { sinceMs, untilMs }: PerformanceQuery): Life | null {
  if (life === null) return null;
  return { fromMs: Math.max(life.fromMs, sinceMs ?? life.fromMs), toMs: Math.min(life.toMs, untilMs ?? life.toMs) };
}

/** A part without executions: complete unless it reaches into what is gone. */
function nothingOf(whole: Book, { sinceMs = Number.NEGATIVE_INFINITY }: PerformanceQuery): Slice {
  return { book: createBook(), isComplete: isRetainedFrom(whole, sinceMs) };
}

interface CurvePoint {
  readonly timestampMs: number;
  readonly total: Money;
}

/**
 * Realised P&L over time, at most `limits.curvePoints`: every trade, or past that the lowest and highest of each stretch
 * and the two ends, so that no drawdown is lost from sight. Empty when there are several currencies.
 */
function curveOf(book: Book): readonly { readonly timestamp: string; readonly pnl: number }[] {
  if (book.tally.currencies.size > 1) return [];
  let total = book.base.total;
  const points: CurvePoint[] = [];
  for (const row of book.rows) {
    if (!row.isTrade) continue;
    total += row.pnl;
    points.push({ timestampMs: row.timestampMs, total });
  }
  return thin(points, limits.curvePoints).map((point) => ({
    timestamp: new Date(point.timestampMs).toISOString(),
    pnl: moneyToNumber(point.total),
  }));
}

function thin(points: readonly CurvePoint[], most: number): readonly CurvePoint[] {
  if (points.length <= most) return points;
  const stretches = Math.floor(most / 2) - 1;
  const inner = points.length - 2;
  const kept = [points[0] as CurvePoint];
  for (let i = 0; i < stretches; i++) {
    const from = 1 + Math.floor((i * inner) / stretches);
    const to = 1 + Math.floor(((i + 1) * inner) / stretches);
    let low = from;
    let high = from;
    for (let at = from; at < to; at++) {
      const { total } = points[at] as CurvePoint;
      if (total < (points[low] as CurvePoint).total) low = at;
      if (total > (points[high] as CurvePoint).total) high = at;
    }
    kept.push(points[Math.min(low, high)] as CurvePoint);
    if (low !== high) kept.push(points[Math.max(low, high)] as CurvePoint);
  }
  kept.push(points[points.length - 1] as CurvePoint);
  return kept;
}
