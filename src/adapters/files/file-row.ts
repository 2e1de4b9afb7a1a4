/** One record of a market file to the engine's own field names; what they may hold is the wire's business. */
import { parseTimestamp } from '../../wire/time';
import { parseFileDate } from './file-date';
import type { FileField, RowFormat } from './file-format';
import type { FileRecord } from './file-records';

/** A row in the wire's field names, or what is wrong with it and where. */
export type FileRow =
  | { readonly kind: 'row'; readonly fields: Record<string, unknown> }
  | { readonly kind: 'bad'; readonly column: string; readonly message: string };

type Cells = NonNullable<FileRecord['cells']>;

function cellOf(cells: Cells, field: FileField): unknown {
  return cells instanceof Map ? cells.get(field.at) : (cells as readonly unknown[])[field.at as number];
}

/** Second character of numbers in other bases, which JavaScript reads and no market file means. */
const otherBases = /^.[xXoObB]/;

/** Numbers as numbers; what is none stays text, so that its refusal can repeat it; an empty cell is an absent field. */
function valueOfCell(cell: unknown): unknown {
  if (cell === null) return undefined;
  if (typeof cell !== 'string') return cell;
  const value = Number(cell);
  if (Number.isFinite(value) && value !== 0 && !otherBases.test(cell)) return value;
  const text = cell.trim();
  if (text === '') return undefined;
  return value === 0 && !otherBases.test(text) ? 0 : text;
}

/** Every field a row can have: one shape for all rows keeps reading them fast. */
function emptyRow(timestamp: unknown): Record<string, unknown> {
  return {
    symbol: undefined,
    timestamp,
    price: undefined,
    volume: undefined,
    open: undefined,
    high: undefined,
    low: undefined,
    close: undefined,
    bid: undefined,
    ask: undefined,
    bid_size: undefined,
    ask_size: undefined,
    id: undefined,
    seq: undefined,
    source: undefined,
    timeframe: undefined,
    is_closed: undefined,
    asset_type: undefined,
    funding_rate: undefined,
    funding_interval_h: undefined,
    sentiment: undefined,
    event: undefined,
  };
}

/** Below this the contract's magnitudes would take milliseconds for seconds. */
const secondsBelow = 1e11;

/** The row's time in the wire's magnitudes or as text, or what is wrong with it. */
function timestampOf(cells: Cells, format: RowFormat): FileRow | number | string {
  const day = cellOf(cells, format.time);
  const clock = format.clock ? cellOf(cells, format.clock) : undefined;
  const bad = (message: string): FileRow => ({ kind: 'bad', column: format.time.column, message });
  if (typeof day === 'number' && clock === undefined) return day;
  if (day === undefined || day === null) return bad('is required');
  if (typeof day !== 'string' && typeof day !== 'number') return bad('is not a date');
  const date = parseFileDate(clock === undefined ? String(day) : `${day} ${String(clock)}`);
  if (date.kind === 'bad') return bad(date.message);
  // Digits past a double's precision (nanoseconds) stay text, which the wire reads exactly.
  if (date.kind === 'number') return Number.isSafeInteger(date.value) ? date.value : String(day).trim();
  return Math.abs(date.ms) < secondsBelow ? new Date(date.ms).toISOString() : date.ms;
}

const parts = ['open', 'high', 'low', 'close'] as const;

/** Bars of the middle between bid and ask. A side is never repaired: a crossed quote is refused. */
function middle(fields: Record<string, unknown>, format: RowFormat): FileRow {
  const row = emptyRow(fields.timestamp);
  row.symbol = fields.symbol;
  row.volume = 0;
  for (const part of parts) {
    const bid = fields[`bid_${part}`];
    const ask = fields[`ask_${part}`];
    for (const [side, value] of [
      ['bid', bid],
      ['ask', ask],
    ] as const) {
      if (typeof value === 'number') continue;
      const column = format.fields.find((field) => field.name === `${side}_${part}`)?.column ?? `${side}_${part}`;
      return { kind: 'bad', column, message: value === undefined ? 'is required' : 'must be a number' };
    }
    if ((ask as number) < (bid as number)) {
      const column = format.fields.find((field) => field.name === `ask_${part}`)?.column ?? `ask_${part}`;
      return { kind: 'bad', column, message: `is below the bid of ${bid}: a crossed quote` };
    }
    row[part] = ((bid as number) + (ask as number)) / 2;
  }
  return { kind: 'row', fields: row };
}

/** The record's fields by their wire names, its time in the wire's magnitudes. */
export function readRow(record: FileRecord, format: RowFormat): FileRow {
  const { cells } = record;
  if (!cells) return { kind: 'bad', column: '', message: record.error ?? 'cannot be read' };
  const timestamp = timestampOf(cells, format);
  if (typeof timestamp === 'object') return timestamp;
  const fields = emptyRow(timestamp);
  for (const field of format.fields) {
    const cell = cellOf(cells, field);
    // Ids are names, whatever they look like.
    const value = field.name === 'id' && cell !== null && cell !== '' ? cell : valueOfCell(cell);
    if (value !== undefined) fields[field.name] = value;
  }
  if (format.kind === 'quote bars') return middle(fields, format);
  const { bid, ask } = fields;
  if (format.kind === 'quotes' && typeof bid === 'number' && typeof ask === 'number')
    fields.price = bid + (ask - bid) / 2;
  const missing = format.kind === 'bars' ? parts.find((part) => fields[part] === undefined) : undefined;
  if (missing === undefined || fields.price !== undefined) return { kind: 'row', fields };
  return { kind: 'bad', column: columnOf(missing, format), message: 'is required' };
}

/** When the row is, in ms since the epoch, whatever else is wrong with it; `null` when that is unreadable. */
export function rowTimeMs(record: FileRecord, format: RowFormat): number | null {
  const timestamp = record.cells ? timestampOf(record.cells, format) : null;
  if (timestamp === null || typeof timestamp === 'object') return null;
  const parsed = parseTimestamp(timestamp);
  return 'ms' in parsed ? parsed.ms : null;
}

/** The column that a field of the wire was read from. */
export function columnOf(path: string, format: RowFormat): string {
  if (path === 'timestamp') return format.time.column;
  return format.fields.find((field) => field.name === path)?.column ?? path;
}
