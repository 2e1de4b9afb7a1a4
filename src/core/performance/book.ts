/**
 * One book of the ledger: executions in the order of event time, with the sums that hold for its whole life.
 */
import { type Money, moneyOf } from '../domain/money';
import { type DayRule, dayIndex, halfDayOf } from './day-rule';
import { addHalf, addToDay, type Days, daysOf, type HalfDays } from './days';
import { createOrder, type OrderState, stepOrder } from './order';
import { isBefore, type LedgerRow, type Place } from './row';
import { countRow, createTally, type Tally } from './tally';

/** Executions of half a day that share everything a query can ask for. */
export interface Cell {
  readonly halfDay: number;
  readonly version: number;
  readonly symbol: string | null;
  readonly regime: string;
  firstMs: number;
  lastMs: number;
  readonly tally: Tally;
}

interface OrderCache {
  /** Rows folded so far. */
  upTo: number;
  state: OrderState;
  /** States before every `checkpointRows`-th row, for refolding after a late row. */
  readonly checkpoints: { readonly row: number; readonly state: OrderState }[];
}

export interface Book {
  /** Retained executions, by event time and place in the log. */
  rows: LedgerRow[];
  /** Of the whole life. */
  readonly tally: Tally;
  /** Daily P&L by currency. */
  readonly halfDays: Map<string, HalfDays>;
  firstMs: number;
  lastMs: number;
  /** What depends on order, of the rows that are gone. */
  base: OrderState;
  /** The last row that is gone. */
  baseEnd: Place | null;
  /** An execution older than the retained rows arrived: what depends on order is no longer known. */
  isOrderLost: boolean;
  /** The capital that fractions in `base` are of. */
  baseCapital: number | null;
  /** `base` was folded with more than one capital. */
  isFractionLost: boolean;
  readonly cells: Map<string, Cell>;
  /** Cells at or before this moment are gone too. */
  cellsGoneThroughMs: number;
  /** Fixed base of fractions in currency units, and as money. */
  capital: number | null;
  capitalMoney: Money | null;
  order: OrderCache;
  days: Days | null;
}

/** Rows between two checkpoints of what depends on order. */
const checkpointRows = 1_024;

/** How much is held, against the bounds. */
export interface Held {
  rows: number;
  cells: number;
}

/** An empty book. */
export function createBook(): Book {
  return {
    rows: [],
    tally: createTally(),
    halfDays: new Map(),
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: Number.NEGATIVE_INFINITY,
    base: createOrder(),
    baseEnd: null,
    isOrderLost: false,
    baseCapital: null,
    isFractionLost: false,
    cells: new Map(),
    cellsGoneThroughMs: Number.NEGATIVE_INFINITY,
    capital: null,
    capitalMoney: null,
    order: { upTo: 0, state: createOrder(), checkpoints: [] },
    days: null,
  };
}

/** Counts one execution. One older than all retained rows goes straight to its cell. */
export function addRow(held: Held, book: Book, row: LedgerRow, halfDay: number): void {
  countRow(book.tally, row);
  if (row.timestampMs < book.firstMs) book.firstMs = row.timestampMs;
  if (row.timestampMs > book.lastMs) book.lastMs = row.timestampMs;
  if (row.isTrade) {
    addHalf(book.halfDays, row.currency, halfDay, row.pnl);
    if (book.tally.currencies.size > 1) book.days = null;
    if (book.days !== null) addToDay(book.days, dayIndex(book.days.rule, row.timestampMs), row.pnl);
  }
  if (book.baseEnd !== null && isBefore(row, book.baseEnd)) {
    if (row.isTrade) book.isOrderLost = true;
    held.cells += addToCell(book, row, halfDay);
    return;
  }
  insert(book, row);
  held.rows++;
}

function insert(book: Book, row: LedgerRow): void {
  const { rows, order } = book;
  const last = rows.at(-1);
  if (last === undefined || isBefore(last, row)) {
    rows.push(row);
    return;
  }
  const at = placeOf(rows, row);
  rows.splice(at, 0, row);
  if (at >= order.upTo) return;
  while ((order.checkpoints.at(-1)?.row ?? 0) > at) order.checkpoints.pop();
  const checkpoint = order.checkpoints.at(-1);
  order.upTo = checkpoint?.row ?? 0;
  order.state = { ...(checkpoint?.state ?? book.base) };
}

/** Index of the first row that comes after this one. */
function placeOf(rows: readonly LedgerRow[], row: LedgerRow): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(rows[middle] as LedgerRow, row)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What depends on order, up to the last row, with drawdown in fractions of `capital`. */
export function orderOf(book: Book, capital: number | null): OrderState {
  useCapital(book, capital);
  const { order, rows } = book;
  for (let i = order.upTo; i < rows.length; i++) {
    if (i % checkpointRows === 0 && i > (order.checkpoints.at(-1)?.row ?? 0))
      order.checkpoints.push({ row: i, state: { ...order.state } });
    stepOrder(order.state, rows[i] as LedgerRow, book.capitalMoney);
  }
  order.upTo = rows.length;
  return order.state;
}

/** Changes the base of fractions; what is retained is folded again when it is next asked for. */
export function useCapital(book: Book, capital: number | null): void {
  if (capital === book.capital) return;
  book.capital = capital;
  book.capitalMoney = capital === null ? null : moneyOf(capital, 'capital');
  book.order = { upTo: 0, state: { ...book.base }, checkpoints: [] };
}

/** Whether drawdown as a fraction of this capital is known: what is gone was folded with another capital otherwise. */
export function isFractionKnown(book: Book): boolean {
  return book.baseEnd === null || (!book.isFractionLost && book.baseCapital === book.capital);
}

/** Whether everything from a moment on is retained, one by one or as sums. */
export function isRetainedFrom(book: Book, sinceMs: number): boolean {
  return book.cellsGoneThroughMs === Number.NEGATIVE_INFINITY || sinceMs > book.cellsGoneThroughMs;
}

/** Daily P&L of the whole life by a rule; empty when there are several currencies, which nothing can add. */
export function bookDays(book: Book, rule: DayRule): Days {
  if (book.days === null || book.days.rule !== rule) {
    const [halfDays] = book.halfDays.values();
    book.days = daysOf(rule, book.halfDays.size === 1 ? (halfDays ?? new Map()) : new Map());
  }
  return book.days;
}

/** Answers how many cells it made. */
function addToCell(book: Book, row: LedgerRow, halfDay: number): 0 | 1 {
  const key = JSON.stringify([halfDay, row.version, row.symbol, row.regime]);
  const known = book.cells.get(key);
  let cell = known;
  if (cell === undefined) {
    if (row.timestampMs <= book.cellsGoneThroughMs) return 0;
    const { version, symbol, regime } = row;
    cell = {
      halfDay,
      version,
      symbol,
      regime,
      firstMs: row.timestampMs,
      lastMs: row.timestampMs,
      tally: createTally(),
    };
    book.cells.set(key, cell);
  }
  cell.firstMs = Math.min(cell.firstMs, row.timestampMs);
  cell.lastMs = Math.max(cell.lastMs, row.timestampMs);
  countRow(cell.tally, row);
  return known === undefined ? 1 : 0;
}

/** Lets the oldest quarter of the rows go into cells and a checkpoint. */
export function letRowsGo(held: Held, book: Book): void {
  const count = Math.ceil(book.rows.length / 4);
  const gone = book.rows.slice(0, count);
  // Fractions already folded are of one capital; with another one they are unknown for what is gone.
  if (book.baseEnd === null) book.baseCapital = book.capital;
  else if (book.baseCapital !== book.capital) book.isFractionLost = true;
  for (const row of gone) {
    stepOrder(book.base, row, book.capitalMoney);
    held.cells += addToCell(book, row, halfDayOf(row.timestampMs));
  }
  const last = gone.at(-1) as LedgerRow;
  book.baseEnd = { timestampMs: last.timestampMs, seq: last.seq };
  book.rows = book.rows.slice(count);
  held.rows -= count;
  book.order = { upTo: 0, state: { ...book.base }, checkpoints: [] };
}

/** Lets the oldest quarter of the cells go. */
export function letCellsGo(held: Held, book: Book): void {
  const oldest = [...book.cells].sort(([, a], [, b]) => a.lastMs - b.lastMs);
  for (const [key, cell] of oldest.slice(0, Math.ceil(oldest.length / 4))) {
    book.cells.delete(key);
    held.cells--;
    book.cellsGoneThroughMs = Math.max(book.cellsGoneThroughMs, cell.lastMs);
  }
}
