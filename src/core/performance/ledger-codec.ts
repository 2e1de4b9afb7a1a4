/**
 * The ledger as bytes and back. What can be folded again from the rest (state of the retained rows, daily sums by rule)
 * is not written; everything else is, so a restored ledger answers as one that was never stopped.
 */
import type { StateReader, StateWriter } from '../domain/state-codec';
import { type Book, createBook } from './book';
import type { Ledger, ModeBooks } from './ledger';
import type { ExecutionMode, LedgerRow } from './row';

/** Places of a row's pieces in its record of doubles. */
const rowWidth = 8;

/** Strings are written once and referred to by number. */
type Names = Map<string, number>;

function numberOf(names: Names, name: string | null): number {
  if (name === null) return -1;
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}

export function writeLedger(ledger: Ledger, out: StateWriter): void {
  out.json([...ledger.capitals]);
  const rows = new Map<number, LedgerRow>();
  const books = [...ledger.strategies.values(), ledger.all].flatMap((modes) => [...modes.values()]);
  for (const book of books) for (const row of book.rows) rows.set(row.seq, row);
  const names: Names = new Map();
  const values = new Float64Array(rows.size * rowWidth);
  let at = 0;
  for (const row of rows.values()) {
    writeRow(values, at, row, names);
    at += rowWidth;
  }
  out.json([...names.keys()]);
  out.f64s(values);
  out.u32(ledger.strategies.size);
  for (const [strategyId, modes] of ledger.strategies) {
    out.str(strategyId);
    writeModes(modes, out);
  }
  writeModes(ledger.all, out);
}

/** Fills a fresh ledger; its own bounds stay. */
export function readLedger(ledger: Ledger, input: StateReader): void {
  for (const [id, capital] of input.json() as [string | null, number | null][]) {
    ledger.capitals.set(id, capital);
  }
  const names = input.json() as string[];
  const values = input.f64s();
  const rows = new Map<number, LedgerRow>();
  for (let at = 0; at < values.length; at += rowWidth) {
    const row = readRow(values, at, names);
    rows.set(row.seq, row);
  }
  const count = input.u32();
  for (let i = 0; i < count; i++) {
    const modes: ModeBooks = new Map();
    ledger.strategies.set(input.str(), modes);
    readModes(modes, input, rows);
    hold(ledger.own, modes);
  }
  readModes(ledger.all, input, rows);
  hold(ledger.together, ledger.all);
}

function hold(held: Ledger['own'], modes: ModeBooks): void {
  for (const book of modes.values()) {
    held.rows += book.rows.length;
    held.cells += book.cells.size;
  }
}

function writeRow(values: Float64Array, at: number, row: LedgerRow, names: Names): void {
  values[at] = row.seq;
  values[at + 1] = row.timestampMs;
  // A double holds 53 bits and money has 64: in two halves.
  values[at + 2] = Number(row.pnl >> 32n);
  values[at + 3] = Number(row.pnl & 0xffff_ffffn);
  values[at + 4] = row.timeMicros;
  values[at + 5] = row.version * 4 + (row.success ? 2 : 0) + (row.isTrade ? 1 : 0);
  values[at + 6] = (numberOf(names, row.symbol) + 1) * 2 ** 26 + numberOf(names, row.regime);
  values[at + 7] = numberOf(names, row.currency);
}

function readRow(values: Float64Array, at: number, names: readonly string[]): LedgerRow {
  const value = (place: number) => values[at + place] as number;
  const flags = value(5) % 4;
  const symbol = Math.floor(value(6) / 2 ** 26) - 1;
  return {
    seq: value(0),
    timestampMs: value(1),
    pnl: (BigInt(value(2)) << 32n) + BigInt(value(3)),
    timeMicros: value(4),
    version: Math.floor(value(5) / 4),
    success: flags >= 2,
    isTrade: flags % 2 === 1,
    symbol: names[symbol] ?? null,
    regime: names[value(6) % 2 ** 26] ?? '',
    currency: names[value(7)] ?? '',
  };
}

function writeModes(modes: ModeBooks, out: StateWriter): void {
  out.u32(modes.size);
  for (const [mode, book] of modes) {
    out.str(mode);
    out.f64s(Float64Array.from(book.rows, (row) => row.seq));
    out.str(JSON.stringify(book, packed));
  }
}

function readModes(modes: ModeBooks, input: StateReader, rows: ReadonlyMap<number, LedgerRow>): void {
  const count = input.u32();
  for (let i = 0; i < count; i++) {
    const mode = input.str() as ExecutionMode;
    const book = createBook();
    for (const seq of input.f64s()) book.rows.push(rows.get(seq) as LedgerRow);
    Object.assign(book, JSON.parse(input.str(), unpacked));
    book.order.state = { ...book.base };
    modes.set(mode, book);
  }
}

/** Written on their own, or folded again. */
const derived: ReadonlySet<string> = new Set<keyof Book>(['rows', 'order', 'days']);

/** What JSON cannot hold, as objects with one tagged field; everything else of a book is plain. */
function packed(key: string, value: unknown): unknown {
  if (derived.has(key)) return undefined;
  if (typeof value === 'bigint') return { $money: String(value) };
  if (value instanceof Map) return { $map: [...value] };
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) };
  return value;
}

function unpacked(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$money' in value) return BigInt(String(value.$money));
  if ('$map' in value) return new Map(value.$map as [unknown, unknown][]);
  if ('$number' in value) return Number(value.$number);
  return value;
}
