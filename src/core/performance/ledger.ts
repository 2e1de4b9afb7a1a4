/**
 * The ledger: a fold of `execution_tracked` events, one book per strategy and one for all together, each per mode.
 *
 * **Memory is bounded.** A book keeps its executions as rows in the order of event time. Past the bound on rows the
 * largest book lets its oldest quarter go: their effect on drawdown and streaks stays as a checkpoint, their sums as one
 * cell per half day, version, symbol, regime and currency; past the bound on cells the oldest go too. Totals, counts and
 * daily P&L of the whole life stay exact for ever; a query that reaches into what is gone says `not_retained` and
 * never guesses.
 *
 * **Order does not matter.** Sums are integers, and what depends on order folds the ordered rows: an execution that
 * arrives late gives the same result as one that came in time.
 */

import { limits } from '../domain/limits';
import type { ExecutionTracked } from '../domain/log-event';
import { type Money, moneyToNumber } from '../domain/money';
import { addRow, type Book, createBook, type Held, letCellsGo, letRowsGo, useCapital } from './book';
import { halfDayOf } from './day-rule';
import { type ExecutionMode, rowOf } from './row';

export { readLedger, writeLedger } from './ledger-codec';

export type ModeBooks = Map<ExecutionMode, Book>;

export interface LedgerBounds {
  /** Rows over all strategies; the book of all together has as many. */
  readonly rows: number;
  /** Cells over all strategies; the book of all together has as many. */
  readonly cells: number;
}

export interface Ledger {
  readonly bounds: LedgerBounds;
  readonly strategies: Map<string, ModeBooks>;
  readonly all: ModeBooks;
  /** By strategy id; `null` is all together. */
  readonly capitals: Map<string | null, number | null>;
  /** Held by the books of strategies, and by the books of all together. */
  readonly own: Held;
  readonly together: Held;
}

/** What the ledger takes of an event of the log. */
export interface ExecutionEvent {
  readonly seq: number;
  readonly data: ExecutionTracked;
}

export function createLedger(bounds: Partial<LedgerBounds> = {}): Ledger {
  return {
    bounds: { rows: limits.ledgerRows, cells: limits.ledgerCells, ...bounds },
    strategies: new Map(),
    all: new Map(),
    capitals: new Map(),
    own: { rows: 0, cells: 0 },
    together: { rows: 0, cells: 0 },
  };
}

/** Folds one execution. Each event must be handed over once: the log has already refused what it has seen. */
export function applyExecution(ledger: Ledger, event: ExecutionEvent): void {
  const row = rowOf(event.seq, event.data);
  const halfDay = halfDayOf(row.timestampMs);
  const { strategyId, mode } = event.data;
  addRow(ledger.own, bookOf(ledger, strategyId, mode), row, halfDay);
  addRow(ledger.together, bookOf(ledger, null, mode), row, halfDay);
  trim(ledger.own, ledger.bounds, ownBooks(ledger));
  trim(ledger.together, ledger.bounds, ledger.all.values());
}

/**
 * Sets the fixed base that returns and drawdown of a strategy (`null`: of all together) are fractions of; `null` takes
 * it away. What is retained is folded again.
 */
export function setCapital(ledger: Ledger, strategyId: string | null, capital: number | null): void {
  ledger.capitals.set(strategyId, capital);
  const books = strategyId === null ? ledger.all : ledger.strategies.get(strategyId);
  for (const book of books?.values() ?? []) useCapital(book, capital);
}

function bookOf(ledger: Ledger, strategyId: string | null, mode: ExecutionMode): Book {
  let books = strategyId === null ? ledger.all : ledger.strategies.get(strategyId);
  if (books === undefined) {
    books = new Map();
    ledger.strategies.set(strategyId as string, books);
  }
  let book = books.get(mode);
  if (book === undefined) {
    book = createBook();
    useCapital(book, ledger.capitals.get(strategyId) ?? null);
    books.set(mode, book);
  }
  return book;
}

function* ownBooks(ledger: Ledger): Iterable<Book> {
  for (const books of ledger.strategies.values()) yield* books.values();
}

function trim(held: Held, bounds: LedgerBounds, books: Iterable<Book>): void {
  if (held.rows <= bounds.rows && held.cells <= bounds.cells) return;
  const list = [...books];
  while (held.rows > bounds.rows) letRowsGo(held, largest(list, rowsOf));
  while (held.cells > bounds.cells) letCellsGo(held, largest(list, cellsOf));
}

function largest(books: readonly Book[], sizeOf: (book: Book) => number): Book {
  return books.reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a));
}

const rowsOf = (book: Book) => book.rows.length;
const cellsOf = (book: Book) => book.cells.size;

/** Which executions a question is answered from. */
export interface LedgerView {
  /** `null` for all strategies together. */
  readonly strategyId: string | null;
  readonly mode: ExecutionMode;
  /** `null` before the first execution. */
  readonly book: Book | null;
  /** Executions of the other modes, which are not counted. */
  readonly others: ReadonlyMap<ExecutionMode, number>;
}

const modes = ['live', 'paper', 'shadow'] as const;

/**
 * The executions of one strategy, or with `null` of all. Real and simulated results are never added: without a `mode`
 * the most real one that counts something (`live`, else `paper`, else `shadow`), and the others are told by number.
 */
export function ledgerView(ledger: Ledger, strategyId: string | null, mode?: ExecutionMode): LedgerView {
  const books: ModeBooks | undefined = strategyId === null ? ledger.all : ledger.strategies.get(strategyId);
  const counted = mode ?? modes.find((one) => books?.has(one)) ?? 'live';
  const others = new Map<ExecutionMode, number>();
  for (const [other, book] of books ?? []) if (other !== counted) others.set(other, book.tally.executions);
  return { strategyId, mode: counted, book: books?.get(counted) ?? null, others };
}

/**
 * Tracked P&L of all strategies on the UTC day of a moment, in currency units, for loss limits. Shadow executions do not
 * count. With several currencies it is that of the worst one: a limit may trip early, never late.
 */
export function dayPnl(ledger: Ledger, timestampMs: number): number {
  const day = 2 * Math.floor(timestampMs / 86_400_000);
  const { book, mode } = ledgerView(ledger, null);
  if (book === null || mode === 'shadow') return 0;
  let worst: Money | null = null;
  for (const halfDays of book.halfDays.values()) {
    const pnl = (halfDays.get(day) ?? 0n) + (halfDays.get(day + 1) ?? 0n);
    if (worst === null || pnl < worst) worst = pnl;
  }
  return moneyToNumber(worst ?? 0n);
}
