/** Parts of a book: a stretch of time, or groups by version, symbol or regime. */
import type { PerformanceQuery } from '../domain/bodies';
import { addRow, type Book, type Cell, createBook, type Held, isRetainedFrom } from './book';
import { halfDayOf } from './day-rule';
import { addHalf } from './days';
import type { LedgerRow } from './row';
import { addTally, totalOf } from './tally';

export interface Slice {
  readonly book: Book;
  /** False when the part reaches into what is no longer retained: then nothing of it is told. */
  readonly isComplete: boolean;
}

type GroupBy = NonNullable<PerformanceQuery['by']>;

/** Executions that name no symbol. */
const noSymbol = 'unspecified';

function keyOf(of: LedgerRow | Cell, by: GroupBy | undefined): string {
  if (by === 'version') return String(of.version);
  if (by === 'symbol') return of.symbol ?? noSymbol;
  return by === 'regime' ? of.regime : '';
}

/**
 * The executions in `[sinceMs, untilMs]`, by group (`''` without one). What is kept only as sums of half a day counts
 * when all of it lies inside; where it straddles a limit the part is incomplete.
 */
export function sliceOf(book: Book, query: PerformanceQuery, by?: GroupBy): ReadonlyMap<string, Slice> {
  const { sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = query;
  const slices = new Map<string, { book: Book; isComplete: boolean }>();
  const sliceFor = (of: LedgerRow | Cell) => {
    const key = keyOf(of, by);
    let slice = slices.get(key);
    if (slice === undefined) {
      slice = { book: createBook(), isComplete: isRetainedFrom(book, sinceMs) };
      slices.set(key, slice);
    }
    return slice;
  };
  for (const cell of book.cells.values()) {
    if (cell.lastMs < sinceMs || cell.firstMs > untilMs) continue;
    const slice = sliceFor(cell);
    if (cell.firstMs < sinceMs || cell.lastMs > untilMs) slice.isComplete = false;
    addCell(slice.book, cell);
  }
  const held: Held = { rows: 0, cells: 0 };
  for (const row of book.rows) {
    if (row.timestampMs < sinceMs || row.timestampMs > untilMs) continue;
    addRow(held, sliceFor(row).book, row, halfDayOf(row.timestampMs));
  }
  return slices;
}

function addCell(book: Book, cell: Cell): void {
  addTally(book.tally, cell.tally);
  book.firstMs = Math.min(book.firstMs, cell.firstMs);
  book.lastMs = Math.max(book.lastMs, cell.lastMs);
  for (const money of cell.tally.currencies.values()) {
    addHalf(book.halfDays, money.currency, cell.halfDay, totalOf(money));
    book.isOrderLost = true;
  }
}
