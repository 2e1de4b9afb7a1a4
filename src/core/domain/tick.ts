/** Market data as the core takes it: already validated, in milliseconds, with every hot field always present. */

export type AssetType = 'crypto' | 'forex' | 'commodity' | 'index' | 'equity';

export interface Quote {
  readonly bid: number;
  readonly ask: number;
  readonly bidSize: number | null;
  readonly askSize: number | null;
}

export interface MarketNews {
  readonly id: string;
  readonly kind: 'earnings' | 'policy' | 'news';
  readonly surprise: number | null;
  readonly unit: 'sigma' | 'raw' | null;
  readonly actual: number | null;
  readonly expected: number | null;
}

/** What few ticks carry, kept apart so that the common tick has one shape. */
export interface TickExtras {
  readonly id?: string;
  readonly seq?: number;
  readonly fundingRate?: number;
  readonly fundingIntervalH?: number;
  readonly sentiment?: number;
  readonly event?: MarketNews;
}

/** One trade print or quote. */
export interface Tick {
  readonly kind: 'tick';
  /** Upper-cased, as the contract's pattern has it; always a Map key. */
  readonly symbol: string;
  /** Which feed it came from; admission is per (symbol, source). */
  readonly source: string;
  /** Event time, integer ms since the epoch. */
  readonly timestampMs: number;
  /** False when the sender gave no timestamp and arrival time stands in. */
  readonly stamped: boolean;
  readonly price: number;
  readonly volume: number;
  readonly quote: Quote | null;
  /** Set when the sender said so; else derived from the symbol. */
  readonly assetType: AssetType | null;
  readonly extras: TickExtras | null;
}

/** A bar from outside. `timestampMs` is its open; usable from `timestampMs + timeframe`. */
export interface BarInput {
  readonly kind: 'bar';
  readonly symbol: string;
  readonly source: string;
  readonly timestampMs: number;
  readonly timeframe: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly isClosed: boolean;
  readonly assetType: AssetType | null;
  readonly id: string | null;
}

/** What overload made of several ticks of one symbol: nothing of their range is lost, and what it touches is marked. */
export interface PartialBar {
  readonly kind: 'partial';
  readonly symbol: string;
  readonly source: string;
  readonly firstMs: number;
  /** Event time of the last tick in it. */
  readonly timestampMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly count: number;
  readonly assetType: AssetType | null;
}

export type MarketItem = Tick | BarInput | PartialBar;

/** Where a batch stands in a file: rows already seen are skipped. */
export interface RowPosition {
  /** Name of the feed, for instance the file's content hash. */
  readonly feed: string;
  /** Row of the batch's first item; item i is row `row + i`. */
  readonly row: number;
}

/** Where a batch stands in a stream: a batch of whole entries, skipped when its last one was seen. */
export interface EntryPosition {
  /** Name of the feed, for instance the stream's key. */
  readonly feed: string;
  /** Id of the batch's last entry, `<ms>-<n>`. The batch's arrival is when its oldest entry was added. */
  readonly entry: string;
  /** Id of the entry before its first one, empty at the beginning: with it a batch that was cut anew is told. */
  readonly after?: string;
}

/** Where a batch stands in a feed that can be read again: what was seen already is skipped. */
export type FeedPosition = RowPosition | EntryPosition;

/** Whether entry id `a` comes after `b`; an empty one is before all. */
export function isLaterEntry(a: string, b: string): boolean {
  if (b === '') return a !== '';
  const [aMs = '0', aN = '0'] = a.split('-');
  const [bMs = '0', bN = '0'] = b.split('-');
  const byMs = BigInt(aMs) - BigInt(bMs);
  return byMs === 0n ? BigInt(aN) > BigInt(bN) : byMs > 0n;
}

/** When an entry was added to its stream, in ms: the first part of its id. */
export function addedMs(entryId: string): number {
  return Number(entryId.split('-')[0]);
}

/** The producer's number of a tick, apart from the tick. */
export interface TickNumber {
  readonly source: string;
  readonly symbol: string;
  readonly seq: number;
  readonly timestampMs: number;
}

/** A drained batch: the unit of evaluation and of the tape. */
export interface MarketBatch {
  readonly items: readonly MarketItem[];
  /** Where overload folded ticks into partial bars: the numbers of all that came, so that none of them passes for lost. */
  readonly numbers?: readonly TickNumber[];
  /** When its oldest item reached us, ms since the epoch (of the clock handed in). */
  readonly arrivalMs: number;
  /** When it was drained for evaluation; `evaluatedMs - arrivalMs` is what old signals are refused by. */
  readonly evaluatedMs: number;
  /** `live` doors (pub/sub, HTTP, wires) tolerate lateness and are closed by time; `ordered` ones (files, streams) are not. */
  readonly door: 'live' | 'ordered';
  readonly position: FeedPosition | null;
}
