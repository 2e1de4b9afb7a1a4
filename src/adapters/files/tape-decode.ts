import { limits } from '../../core/domain/limits';
import type { FeedPosition, MarketItem, TickNumber } from '../../core/domain/tick';
import type { TapeRecord } from '../../live/ports';
import {
  align,
  assetShift,
  assetTypes,
  crcOf,
  flag,
  headerBytes,
  itemKind,
  recordKind,
  type TapeJson,
} from './tape-codec';
import { unpackExtras } from './tape-extras';
import type { Series, SeriesTable } from './tape-series';

/** A stretch of a segment in memory, readable as bytes, words and doubles. `bytes` starts at a multiple of 8. */
export class TapeWindow {
  readonly bytes: Uint8Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;

  constructor(length: number) {
    this.bytes = new Uint8Array(align(length));
    this.u32 = new Uint32Array(this.bytes.buffer);
    this.f64 = new Float64Array(this.bytes.buffer);
  }
}

/** Length of the record that starts at `at`, or 0 when no record can start like this. */
export function recordLength(window: TapeWindow, at: number): number {
  const length = window.u32[at >> 2] as number;
  return length >= headerBytes && length <= limits.tapeRecordBytes && (length & 7) === 0 ? length : 0;
}

/** Whether the record at `at`, which lies in the window whole, is as it was written. */
export function isWhole(window: TapeWindow, at: number, length: number): boolean {
  return window.u32[(at >> 2) + 1] === crcOf(window.bytes, at, length);
}

/** What a whole record says. */
export interface DecodedRecord {
  readonly position: number;
  /** It is only the mark of an orderly close, and bears the position of the record before it. */
  readonly isMark: boolean;
  /** `null` for a mark and for what was skipped. */
  readonly record: TapeRecord | null;
}

/**
 * Decodes a whole record. With `skip` only the series table is carried on. `null` when it contradicts the table, which
 * a record of this segment cannot.
 */
export function decodeTapeRecord(
  window: TapeWindow,
  at: number,
  series: SeriesTable,
  skip: boolean,
): DecodedRecord | null {
  const { u32, f64 } = window;
  const word = at >> 2;
  const position = f64[(at >> 3) + 1] as number;
  const time = f64[(at >> 3) + 2] as number;
  const kind = (u32[word + 6] as number) & 255;
  const live = (u32[word + 6] as number) >= 256;
  const isMark = kind === recordKind.closed;
  if (isMark) return { position, isMark, record: null };
  if (kind === recordKind.log) return { position, isMark, record: { kind: 'log', logSeq: time } };
  if (kind === recordKind.advance)
    return { position, isMark, record: { kind: 'advance', timestampMs: time, scope: live ? 'live' : 'all' } };
  const count = u32[word + 7] as number;
  const columnsAt = align(at + headerBytes + count * 4) >> 3;
  const jsonAt = (columnsAt + 3 * count + (u32[word + 8] as number)) << 3;
  const jsonBytes = u32[word + 9] as number;
  let json: TapeJson = {};
  if (jsonBytes > 0) {
    const text = Buffer.from(window.bytes.buffer, jsonAt, jsonBytes).toString('utf8');
    json = JSON.parse(text) as TapeJson;
    for (const [symbol, source, timeframe] of json.t ?? []) series.add(symbol, source, timeframe);
  }
  if (skip) return { position, isMark, record: null };
  const items = decodeItems(window, word + headerBytes / 4, columnsAt, count, series, json.x ?? []);
  if (!items) return null;
  const evaluatedMs = f64[(at >> 3) + 5] as number;
  const batch = {
    items,
    arrivalMs: time,
    evaluatedMs,
    door: live ? ('live' as const) : ('ordered' as const),
    position: positionOf(json.p),
    ...(json.n === undefined ? {} : { numbers: json.n.map(numberOf) }),
  };
  return { position, isMark, record: { kind: 'batch', batch } };
}

function numberOf([source, symbol, seq, timestampMs]: readonly [string, string, number, number]): TickNumber {
  return { source, symbol, seq, timestampMs };
}

function positionOf(position: TapeJson['p']): FeedPosition | null {
  if (position === undefined) return null;
  const [feed, at] = position;
  return typeof at === 'string' ? { feed, entry: at } : { feed, row: at };
}

/** One segment's columns while they are read in item order. */
class ItemReader {
  private readonly window: TapeWindow;
  private readonly extras: readonly unknown[];
  private rest: number;
  private extra = 0;

  constructor(window: TapeWindow, restAt: number, extras: readonly unknown[]) {
    this.window = window;
    this.rest = restAt;
    this.extras = extras;
  }

  private next(): number {
    return this.window.f64[this.rest++] as number;
  }

  private size(): number | null {
    const size = this.next();
    return Number.isNaN(size) ? null : size;
  }

  item(flags: number, row: Series, timestampMs: number, price: number, volume: number): MarketItem {
    const { symbol, source } = row;
    const assetType = assetTypes[(flags >> assetShift) & 7] ?? null;
    if ((flags & 3) === itemKind.tick) {
      const stamped = (flags & flag.stamped) !== 0;
      const quote =
        (flags & flag.quote) === 0
          ? null
          : { bid: this.next(), ask: this.next(), bidSize: this.size(), askSize: this.size() };
      const extras = (flags & flag.extras) === 0 ? null : unpackExtras(this.extras[this.extra++]);
      return { kind: 'tick', symbol, source, timestampMs, stamped, price, volume, quote, assetType, extras };
    }
    const prices = { open: this.next(), high: this.next(), low: this.next(), close: price };
    if ((flags & 3) === itemKind.partial) {
      const firstMs = this.next();
      return {
        kind: 'partial',
        symbol,
        source,
        firstMs,
        timestampMs,
        ...prices,
        volume,
        count: this.next(),
        assetType,
      };
    }
    const isClosed = (flags & flag.closed) !== 0;
    const id = (flags & flag.extras) === 0 ? null : String(this.extras[this.extra++]);
    const timeframe = row.timeframe ?? '';
    return { kind: 'bar', symbol, source, timestampMs, timeframe, ...prices, volume, isClosed, assetType, id };
  }
}

function decodeItems(
  window: TapeWindow,
  wordsAt: number,
  columnsAt: number,
  count: number,
  series: SeriesTable,
  extras: readonly unknown[],
): MarketItem[] | null {
  const { u32, f64 } = window;
  const reader = new ItemReader(window, columnsAt + 3 * count, extras);
  const items: MarketItem[] = [];
  for (let i = 0; i < count; i++) {
    const word = u32[wordsAt + i] as number;
    const row = series.at(word & 0xffffff);
    if (!row) return null;
    const at = columnsAt + i;
    items.push(
      reader.item(word >>> 24, row, f64[at] as number, f64[at + count] as number, f64[at + 2 * count] as number),
    );
  }
  return items;
}
