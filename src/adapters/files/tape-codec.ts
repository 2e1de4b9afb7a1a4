import { crc32 } from 'node:zlib';
import { limits } from '../../core/domain/limits';
import type { AssetType, BarInput, MarketItem, PartialBar, Tick } from '../../core/domain/tick';
import type { TapeRecord } from '../../live/ports';
import { packExtras } from './tape-extras';
import type { SeriesTable } from './tape-series';

/*
 * A record, everything in multiples of 8 bytes and in the machine's byte order (a field added to the market's nouns goes
 * in here, in `tape-decode.ts`, and into the round-trip test):
 *   u32 length · u32 crc32 (of what follows, seeded with the length) · f64 position · f64 time
 *   u32 kind | door << 8 · u32 items · u32 doubles after the columns · u32 bytes of JSON · f64 evaluated
 *   u32 per item: series | flags << 24
 *   f64 columns: timestamp, price (close), volume
 *   f64 stream in item order: quote 4 · bar 3 · partial bar 5
 *   JSON: new series, extras in item order, position in the feed, numbers of conflated ticks
 * A plain tick costs 28 bytes.
 */
export const headerBytes = 48;
export const recordKind = { batch: 0, log: 1, advance: 2, closed: 3 } as const;
export const itemKind = { tick: 0, bar: 1, partial: 2 } as const;
export const flag = { stamped: 4, closed: 4, quote: 8, extras: 128 } as const;
export const assetShift = 4;
export const assetTypes: readonly (AssetType | null)[] = [null, 'crypto', 'forex', 'commodity', 'index', 'equity'];
/** Doubles an item can need at the most: three columns and a partial bar's five. */
const doublesPerItem = 8;

/** The JSON part of a record. */
export interface TapeJson {
  /** New rows of the series table. */
  t?: readonly (readonly [string, string, string | null])[];
  /** Extras of ticks and ids of bars. */
  x?: readonly unknown[];
  /** Source, symbol, number and time of ticks that were folded into partial bars. */
  n?: readonly (readonly [string, string, number, number])[];
  /** Feed, and row or entry. */
  p?: readonly [string, number | string];
}

export const align = (bytes: number): number => (bytes + 7) & ~7;

/** Checksum of the record of `length` bytes at `at`. */
export function crcOf(bytes: Uint8Array, at: number, length: number): number {
  return crc32(bytes.subarray(at + 8, at + length), length);
}

/** Encodes records into one reused buffer. What it adds to the series table stays until `rollback`. */
export class TapeEncoder {
  /** The table of the segment that is being written. */
  series: SeriesTable;
  bytes = new Uint8Array(65_536);
  private u32 = new Uint32Array(this.bytes.buffer);
  private f64 = new Float64Array(this.bytes.buffer);
  private rest = 0;
  private extras: unknown[] = [];
  private mark = 0;

  constructor(series: SeriesTable) {
    this.series = series;
  }

  /** Answers the record's length in `bytes`, or `null` when it is longer than a record may be. */
  encode(record: TapeRecord | { readonly kind: 'closed' }, position: number): number | null {
    this.mark = this.series.size;
    if (record.kind !== 'batch') {
      this.header(recordKind[record.kind], position, 0);
      if (record.kind === 'log') this.f64[2] = record.logSeq;
      if (record.kind === 'advance') {
        this.f64[2] = record.timestampMs;
        if (record.scope === 'live') this.u32[6] = recordKind.advance | 256;
      }
      return this.seal(headerBytes);
    }
    const { items, arrivalMs, evaluatedMs, door, numbers, position: feed } = record.batch;
    const columnsAt = align(headerBytes + items.length * 4);
    if (!this.reserve(columnsAt + items.length * doublesPerItem * 8)) return null;
    this.header(recordKind.batch | (door === 'live' ? 256 : 0), position, items.length);
    this.f64[2] = arrivalMs;
    this.f64[5] = evaluatedMs;
    this.u32[headerBytes / 4 + items.length] = 0;
    this.columns(items, columnsAt >> 3);
    const end = this.rest << 3;
    this.u32[8] = this.rest - ((columnsAt >> 3) + 3 * items.length);
    const json: TapeJson = {};
    if (this.series.size > this.mark) json.t = this.series.rowsFrom(this.mark);
    if (this.extras.length > 0) json.x = this.extras;
    if (feed) json.p = [feed.feed, 'entry' in feed ? feed.entry : feed.row];
    if (numbers) json.n = numbers.map((one) => [one.source, one.symbol, one.seq, one.timestampMs]);
    return json.t || json.x || json.p || json.n ? this.seal(end, JSON.stringify(json)) : this.seal(end);
  }

  /** Forgets the series that the last record brought: it did not get onto the tape. */
  rollback(): void {
    this.series.truncate(this.mark);
  }

  private header(kindAndDoor: number, position: number, items: number): void {
    this.f64[1] = position;
    this.f64[2] = 0;
    this.u32[6] = kindAndDoor;
    this.u32[7] = items;
    this.u32[8] = 0;
    this.u32[9] = 0;
    this.f64[5] = 0;
  }

  private columns(items: readonly MarketItem[], columnsAt: number): void {
    const { f64, u32, series } = this;
    const n = items.length;
    const wordsAt = headerBytes / 4;
    this.rest = columnsAt + 3 * n;
    if (this.extras.length > 0) this.extras = [];
    for (let i = 0; i < n; i++) {
      const item = items[i] as MarketItem;
      f64[columnsAt + i] = item.timestampMs;
      f64[columnsAt + 2 * n + i] = item.volume;
      if (item.kind === 'tick') {
        f64[columnsAt + n + i] = item.price;
        const index = series.indexOf(item.symbol, item.source, null);
        u32[wordsAt + i] = (index | (this.tick(item) << 24)) >>> 0;
      } else {
        f64[columnsAt + n + i] = item.close;
        const index = series.indexOf(item.symbol, item.source, item.kind === 'bar' ? item.timeframe : null);
        u32[wordsAt + i] = (index | (this.bar(item) << 24)) >>> 0;
      }
    }
  }

  private tick(item: Tick): number {
    let flags = item.stamped ? flag.stamped : 0;
    if (item.assetType !== null) flags |= assetTypes.indexOf(item.assetType) << assetShift;
    if (item.quote !== null) {
      flags |= flag.quote;
      this.f64[this.rest++] = item.quote.bid;
      this.f64[this.rest++] = item.quote.ask;
      this.f64[this.rest++] = item.quote.bidSize ?? Number.NaN;
      this.f64[this.rest++] = item.quote.askSize ?? Number.NaN;
    }
    if (item.extras !== null) {
      flags |= flag.extras;
      this.extras.push(packExtras(item.extras));
    }
    return flags;
  }

  private bar(item: BarInput | PartialBar): number {
    this.f64[this.rest++] = item.open;
    this.f64[this.rest++] = item.high;
    this.f64[this.rest++] = item.low;
    const assetFlags = assetTypes.indexOf(item.assetType) << assetShift;
    if (item.kind === 'partial') {
      this.f64[this.rest++] = item.firstMs;
      this.f64[this.rest++] = item.count;
      return itemKind.partial | assetFlags;
    }
    let flags = itemKind.bar | assetFlags;
    if (item.isClosed) flags |= flag.closed;
    if (item.id !== null) {
      flags |= flag.extras;
      this.extras.push(item.id);
    }
    return flags;
  }

  private reserve(bytes: number): boolean {
    if (bytes > limits.tapeRecordBytes) return false;
    if (bytes <= this.bytes.length) return true;
    const grown = new Uint8Array(align(Math.min(limits.tapeRecordBytes, Math.max(bytes, this.bytes.length * 2))));
    grown.set(this.bytes);
    this.bytes = grown;
    this.u32 = new Uint32Array(grown.buffer);
    this.f64 = new Float64Array(grown.buffer);
    return true;
  }

  private seal(end: number, json?: string): number | null {
    let length = end;
    if (json !== undefined) {
      const text = Buffer.from(json);
      length = align(end + text.length);
      if (!this.reserve(length)) return null;
      this.bytes.fill(0, length - 8, length);
      this.bytes.set(text, end);
      this.u32[9] = text.length;
    }
    this.u32[0] = length;
    this.u32[1] = crcOf(this.bytes, 0, length);
    return length;
  }
}
