/**
 * The ledger as bytes and back. What can be folded again from the rest (state of the retained rows, daily sums by rule)
 * is not written; everything else is, so a restored ledger answers as one that was never stopped.
 */
import type { StateReader, StateWriter } from '../domain/state-codec';
import { type Book, createBook } from './book';
import type { Ledger, ModeBooks } from './ledger';
import type { ExecutionMode, LedgerRow } from './row';

/** Places of a row's pieces in its record of doubles. */
const rowWidth = 7;
const namesMax = 2 ** 20;

/** Symbols, regimes and currencies are written once and referred to by number. */
type Names = Map<string | null, number>;

function numberOf(names: Names, name: string | null): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}

/** Writes the whole ledger into a snapshot. */
export function writeLedger(ledger: Ledger, out: StateWriter): void {
  out.json([...ledger.capitals]);
  out.u32(ledger.strategies.size);
  for (const [strategyId, modes] of ledger.strategies) {
    out.str(strategyId);
    writeModes(modes, out);
  }
  writeModes(ledger.all, out);
}

/** Fills a fresh ledger; its own bounds stay. */
export function readLedger(ledger: Ledger, input: StateReader): void {
  for (const [id, capital] of input.json() as [string | null, number | null][]) ledger.capitals.set(id, capital);
  const count = input.u32();
  for (let i = 0; i < count; i++) {
    const modes: ModeBooks = new Map();
    ledger.strategies.set(input.str(), modes);
    readModes(modes, input, ledger.own);
  }
  readModes(ledger.all, input, ledger.together);
}

function writeModes(modes: ModeBooks, out: StateWriter): void {
  out.u32(modes.size);
  for (const [mode, book] of modes) {
    out.str(mode);
    writeRows(book.rows, out);
    out.str(JSON.stringify(book, packed));
  }
}

function readModes(modes: ModeBooks, input: StateReader, held: Ledger['own']): void {
  const count = input.u32();
  for (let i = 0; i < count; i++) {
    const mode = input.str() as ExecutionMode;
    const book = createBook();
    book.rows = readRows(input);
    Object.assign(book, JSON.parse(input.str(), unpacked));
    book.order.state = { ...book.base };
    modes.set(mode, book);
    held.rows += book.rows.length;
    held.cells += book.cells.size;
  }
}

function writeRows(rows: readonly LedgerRow[], out: StateWriter): void {
  const names: Names = new Map();
  const large: [number, string][] = [];
  const values = new Float64Array(rows.length * rowWidth);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as LedgerRow;
    const pnl = Number(row.pnl);
    // A double holds 53 bits and money has 64: the few amounts beyond go as text.
    if (!Number.isSafeInteger(pnl)) large.push([i, String(row.pnl)]);
    values[at] = row.seq;
    values[at + 1] = row.timestampMs;
    values[at + 2] = pnl;
    values[at + 3] = row.timeMicros;
    values[at + 4] = row.version * 4 + (row.success ? 2 : 0) + (row.isTrade ? 1 : 0);
    values[at + 5] = numberOf(names, row.symbol) * namesMax + numberOf(names, row.regime);
    values[at + 6] = numberOf(names, row.currency);
    at += rowWidth;
  }
  out.json([...names.keys()]);
  out.json(large);
  out.f64s(values);
}

function readRows(input: StateReader): LedgerRow[] {
  const names = input.json() as (string | null)[];
  const large = new Map(input.json() as [number, string][]);
  const values = input.f64s();
  const rows: LedgerRow[] = [];
  for (let at = 0; at < values.length; at += rowWidth) {
    const flags = (values[at + 4] as number) % 4;
    const packedNames = values[at + 5] as number;
    rows.push({
      seq: values[at] as number,
      timestampMs: values[at + 1] as number,
      pnl: BigInt(large.get(rows.length) ?? (values[at + 2] as number)),
      timeMicros: values[at + 3] as number,
      version: Math.floor((values[at + 4] as number) / 4),
      success: flags >= 2,
      isTrade: flags % 2 === 1,
      symbol: names[Math.floor(packedNames / namesMax)] ?? null,
      regime: names[packedNames % namesMax] ?? '',
      currency: names[values[at + 6] as number] ?? '',
    });
  }
  return rows;
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
