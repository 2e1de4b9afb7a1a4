/** Recognises what the rows of a market file are: from the header where there is one, else from the rows themselves. */
import type { FileRecord } from './file-records';

/** A cell and the engine's name for it. */
export interface FileField {
  /** As on the wire: `open`, `bid_size`. */
  readonly name: string;
  /** Index of the cell, or the property's name in a JSON object. */
  readonly at: number | string;
  /** What a person finds it by in the file. */
  readonly column: string;
}

export type RowKind = 'bars' | 'quote bars' | 'trades' | 'quotes';

export interface RowFormat {
  readonly kind: RowKind;
  /** Records before the first row: a header and what stands above it. */
  readonly skip: number;
  readonly time: FileField;
  /** Time of day, where date and time are two columns. */
  readonly clock: FileField | null;
  readonly fields: readonly FileField[];
}

export type Recognition =
  | { readonly kind: 'format'; readonly format: RowFormat }
  | { readonly kind: 'refused'; readonly reason: string };

/** Column names of many vendors, lower-cased with underscores. */
const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    open: 'open o first_price',
    high: 'high h',
    low: 'low l',
    close: 'close c',
    volume: 'volume v vol tickvol tick_volume amount size qty quantity',
    price: 'price p last last_price trade_price',
    bid: 'bid bid_price',
    ask: 'ask ask_price',
    bid_size: 'bid_size bidsize bid_volume bid_qty',
    ask_size: 'ask_size asksize ask_volume ask_qty',
    id: 'id trade_id tradeid tid',
    symbol: 'symbol ticker instrument pair',
  }).flatMap(([name, spellings]) => spellings.split(' ').map((spelling) => [spelling, name] as const)),
);
/** Read only under the engine's own names. */
const ownNames: ReadonlySet<string> = new Set(
  'asset_type seq funding_rate funding_interval_h sentiment event timeframe is_closed source'.split(' '),
);
const quoteBarNames: readonly string[] = ['bid', 'ask'].flatMap((side) =>
  ['open', 'high', 'low', 'close'].map((part) => `${side}_${part}`),
);
/** First that is there wins: an exact timestamp before a date, an unnamed index last. */
const timeNames: readonly string[] =
  'timestamp timestamp_ms unix unix_timestamp ts datetime date_time open_time opentime date time t index unnamed_0'.split(
    ' ',
  );

const depthReason =
  'holds order book depth; the engine reads trades, quotes and bars (best bid and ask as columns bid and ask)';

interface Column {
  readonly name: string;
  readonly at: number | string;
  readonly column: string;
}

function normal(header: string): string {
  return header
    .trim()
    .toLowerCase()
    .replace(/^<|>$/g, '')
    .replace(/[^a-z0-9]+/g, '_');
}

function timeColumns(columns: readonly Column[]): { time: Column; clock: Column | null } | null {
  const named = timeNames.map((name) => columns.find((column) => column.name === name)).find(Boolean);
  const first = columns[0];
  const time = named ?? (first && first.name === '' ? first : undefined);
  if (!time) return null;
  const clock = time.name === 'date' ? columns.find((column) => column.name === 'time') : undefined;
  return { time, clock: clock ?? null };
}

function isDepth(names: ReadonlySet<string>): boolean {
  if (names.has('side') && ['update_type', 'level', 'first_update_id', 'action'].some((name) => names.has(name)))
    return true;
  return (names.has('bids') && names.has('asks')) || (names.has('topic') && names.has('data'));
}

function kindOf(fields: readonly FileField[]): RowKind | null {
  const has = (name: string) => fields.some((field) => field.name === name);
  if (['open', 'high', 'low', 'close'].every(has)) return 'bars';
  if (quoteBarNames.every(has)) return 'quote bars';
  if (has('price')) return 'trades';
  return has('bid') && has('ask') ? 'quotes' : null;
}

function named(columns: readonly Column[], skip: number): Recognition {
  const names = new Set(columns.map((column) => column.name));
  if (isDepth(names)) return { kind: 'refused', reason: depthReason };
  const times = timeColumns(columns);
  const fields: FileField[] = [];
  for (const column of columns) {
    const name =
      quoteBarNames.includes(column.name) || ownNames.has(column.name) ? column.name : aliases.get(column.name);
    if (name === undefined || column === times?.time || column === times?.clock) continue;
    if (!fields.some((field) => field.name === name)) fields.push({ ...column, name });
  }
  const kind = kindOf(fields);
  const listed = columns
    .map((column) => column.column)
    .join(', ')
    .slice(0, 200);
  if (!kind) {
    const wanted = 'open, high, low and close; price; or bid and ask';
    return { kind: 'refused', reason: `has columns that are not market data (${listed}); needed are ${wanted}` };
  }
  if (!times) return { kind: 'refused', reason: `has no column of times (${listed})` };
  return { kind: 'format', format: { kind, skip, time: times.time, clock: times.clock, fields } };
}

function isNumeric(cell: unknown): boolean {
  return typeof cell === 'number' || (typeof cell === 'string' && cell.trim() !== '' && Number.isFinite(Number(cell)));
}

function positional(kind: RowKind, at: Readonly<Record<string, number>>): Recognition {
  const fields = Object.entries(at).map(([name, index]) => ({ name, at: index, column: `column ${index + 1}` }));
  const time = { name: 'timestamp', at: 0, column: 'column 1' };
  return { kind: 'format', format: { kind, skip: 0, time, clock: null, fields } };
}

/** Share of rows whose cells 2 to 5 are ordered as open, high, low, close. */
function ohlcShare(rows: readonly (readonly unknown[])[]): number {
  const ordered = rows.filter((cells) => {
    const [open, high, low, close] = cells.slice(1, 5).map(Number) as [number, number, number, number];
    return high >= Math.max(open, close) && low <= Math.min(open, close);
  });
  return ordered.length / rows.length;
}

function unnamed(rows: readonly (readonly unknown[])[]): Recognition {
  const widths = rows.map((cells) => cells.length).sort((a, b) => a - b);
  const width = widths[widths.length >> 1] ?? 0;
  const typical = rows.filter((cells) => cells.length === width);
  const numeric = (index: number) => typical.filter((cells) => isNumeric(cells[index])).length * 2 > typical.length;
  const sides = typical.filter((cells) => cells[3] === 'buy' || cells[3] === 'sell').length;
  if (width >= 6 && sides * 2 > typical.length) return positional('trades', { id: 1, price: 4, volume: 5 });
  if (width >= 5 && [1, 2, 3, 4].every(numeric) && ohlcShare(typical) > 0.5)
    return positional('bars', {
      open: 1,
      high: 2,
      low: 3,
      close: 4,
      ...(width > 5 && numeric(5) ? { volume: 5 } : {}),
    });
  if (width === 4 && typical.some((cells) => /^\d{8} \d{9}$/.test(String(cells[0]))))
    return positional('quotes', { bid: 1, ask: 2 });
  if (width === 3 && [1, 2].every(numeric)) return positional('trades', { price: 1, volume: 2 });
  return { kind: 'refused', reason: `has no header, and rows of ${width} cells that are not known market data` };
}

/** What the rows are, from the first records of the file. */
export function recognise(head: readonly FileRecord[]): Recognition {
  const rows = head.flatMap((record) => (Array.isArray(record.cells) ? [record.cells as readonly unknown[]] : []));
  const objects = head.flatMap((record) => (record.cells instanceof Map ? [record.cells] : []));
  if (objects.length > 0) {
    const keys = [...new Set(objects.flatMap((object) => [...object.keys()]))];
    return named(
      keys.map((key) => ({ name: normal(key), at: key, column: key })),
      0,
    );
  }
  if (rows.length === 0) return { kind: 'refused', reason: 'holds no rows' };
  // Some vendors write a line about themselves above the header.
  const at = rows.findIndex((cells) => cells.length >= 3);
  const first = rows[at];
  if (!first || at > 3) return { kind: 'refused', reason: 'holds no rows of at least three cells' };
  const isHeader = first.every((cell) => typeof cell === 'string' && !isNumeric(cell));
  if (!isHeader) return unnamed(rows.slice(at));
  const columns = first.map((cell, index) => {
    const text = String(cell);
    return { name: normal(text), at: index, column: text.trim() === '' ? `column ${index + 1}` : text.trim() };
  });
  return named(columns, at + 1);
}
