/** One item of market data, whatever its form: for everything that is not the common tick, and to say what is wrong. */

import { limits } from '../core/domain/limits';
import type { BarInput, MarketItem, MarketNews, Quote, Tick, TickExtras } from '../core/domain/tick';
import { timeframeOf } from '../core/domain/timeframe';
import { type BarFields, type ItemProblem, readBarFields, readTickFields, type TickFields } from './market-fields';
import { receivedOf } from './problems';
import { formatTimestamp } from './time';

/** What the door knows that the message does not say. */
export interface ItemContext {
  /** When the message reached us, ms; the time of a tick that has none. */
  readonly arrivalMs: number;
  /** Source of items that name none. */
  readonly source: string;
  /** Live doors refuse what is stamped more than `limits.futureMs` ahead of its arrival. */
  readonly door: 'live' | 'ordered';
  /** Whether prices of this (upper-cased) symbol may be 0 or below; no, when absent. */
  readonly allowNegativePrice?: (symbol: string) => boolean;
}

export type ItemResult =
  | { readonly item: MarketItem; readonly problem: null }
  | { readonly item: null; readonly problem: ItemProblem };

/** A tick or bar, or the first thing that is wrong with it. Never throws for input that can be read at all. */
export function itemOf(raw: unknown, context: ItemContext): ItemResult {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return refuse('', 'must be an object: a tick or a bar', raw);
  }
  const object = raw as Readonly<Record<string, unknown>>;
  if (isBar(object)) {
    const fields = readBarFields(object);
    return 'message' in fields ? { item: null, problem: fields } : barItem(fields, context);
  }
  const fields = readTickFields(object);
  return 'message' in fields ? { item: null, problem: fields } : tickItem(fields, context);
}

/** A bar has the four prices; a tick may carry an exchange's daily ones beside its price, without a timeframe. */
function isBar(raw: Readonly<Record<string, unknown>>): boolean {
  const some = raw.open !== undefined || raw.high !== undefined || raw.low !== undefined || raw.close !== undefined;
  if (!some) return false;
  if (raw.timeframe === undefined) {
    return raw.price === undefined && (raw.bid === undefined || raw.ask === undefined);
  }
  const all = raw.open !== undefined && raw.high !== undefined && raw.low !== undefined && raw.close !== undefined;
  return all || raw.price === undefined;
}

function refuse(path: string, message: string, received?: unknown): ItemResult {
  return { item: null, problem: { path, message, received: receivedOf(received) } };
}

function isPriceAllowed(price: number, symbol: string, context: ItemContext): boolean {
  return price > 0 || context.allowNegativePrice?.(symbol) === true;
}

function isTooEarly(timestampMs: number, context: ItemContext): boolean {
  return context.door === 'live' && timestampMs > context.arrivalMs + limits.futureMs;
}

function refuseFuture(timestampMs: number): ItemResult {
  const minutes = limits.futureMs / 60_000;
  const message = `must not be more than ${minutes} minutes ahead of its arrival`;
  return refuse('timestamp', message, formatTimestamp(timestampMs));
}

/** It says that it is closed, and cannot be: evaluated now, its real end would be refused as a repetition later. */
function refuseUnended(openMs: number, spanMs: number): ItemResult {
  const message = `opens a bar that ends at ${formatTimestamp(openMs + spanMs)}, ahead of its arrival: until then is_closed is false`;
  return refuse('timestamp', message, formatTimestamp(openMs));
}

function tickItem(fields: TickFields, context: ItemContext): ItemResult {
  const { symbol, bid, ask } = fields;
  if (bid !== undefined && !isPriceAllowed(bid, symbol, context)) return refuse('bid', mustBePositive, bid);
  if (ask !== undefined && !isPriceAllowed(ask, symbol, context)) return refuse('ask', mustBePositive, ask);
  if (bid !== undefined && ask !== undefined && bid > ask) return refuse('bid', 'must not be above ask', bid);
  const both = bid !== undefined && ask !== undefined;
  const price = fields.price ?? (both ? bid + (ask - bid) / 2 : undefined);
  if (price === undefined) return refuse('price', 'is required, or bid and ask');
  if (!Number.isFinite(price) || !isPriceAllowed(price, symbol, context)) return refuse('price', mustBePositive, price);
  if (fields.funding_rate !== undefined && fields.funding_interval_h === undefined) {
    return refuse('funding_interval_h', 'is required beside funding_rate');
  }
  const timestampMs = fields.timestamp ?? context.arrivalMs;
  if (isTooEarly(timestampMs, context)) return refuseFuture(timestampMs);
  const quote: Quote | null = both
    ? { bid, ask, bidSize: fields.bid_size ?? null, askSize: fields.ask_size ?? null }
    : null;
  const item: Tick = {
    kind: 'tick',
    symbol,
    source: fields.source ?? context.source,
    timestampMs,
    stamped: fields.timestamp !== undefined,
    price,
    volume: fields.volume ?? 0,
    quote,
    assetType: fields.asset_type ?? null,
    extras: extrasOf(fields),
  };
  return { item, problem: null };
}

const mustBePositive = 'must be greater than 0';

function extrasOf(fields: TickFields): TickExtras | null {
  const { id, seq, funding_rate, funding_interval_h, sentiment, event } = fields;
  const extras: TickExtras = {
    ...(id === undefined ? {} : { id }),
    ...(seq === undefined ? {} : { seq }),
    ...(funding_rate === undefined ? {} : { fundingRate: funding_rate }),
    ...(funding_interval_h === undefined ? {} : { fundingIntervalH: funding_interval_h }),
    ...(sentiment === undefined ? {} : { sentiment }),
    ...(event === undefined ? {} : { event: newsOf(event) }),
  };
  for (const _ in extras) return extras;
  return null;
}

function newsOf(event: NonNullable<TickFields['event']>): MarketNews {
  return {
    id: event.id,
    kind: event.kind,
    surprise: event.surprise ?? null,
    unit: event.unit ?? null,
    actual: event.actual ?? null,
    expected: event.expected ?? null,
  };
}

function barItem(fields: BarFields, context: ItemContext): ItemResult {
  const { symbol, open, high, low, close } = fields;
  if (!isPriceAllowed(low, symbol, context)) return refuse('low', mustBePositive, low);
  if (low > Math.min(open, close, high)) return refuse('low', 'must not be above open, high or close', low);
  if (high < Math.max(open, close)) return refuse('high', 'must not be below open or close', high);
  const span = timeframeOf(fields.timeframe)?.ms ?? 0;
  if (span > 0 && fields.timestamp % span !== 0) {
    const message = `must be the bar's open, aligned to ${fields.timeframe} in UTC`;
    return refuse('timestamp', message, formatTimestamp(fields.timestamp));
  }
  if (isTooEarly(fields.timestamp, context)) return refuseFuture(fields.timestamp);
  const isClosed = fields.is_closed ?? true;
  if (isClosed && isTooEarly(fields.timestamp + span, context)) return refuseUnended(fields.timestamp, span);
  const item: BarInput = {
    kind: 'bar',
    symbol,
    source: fields.source ?? context.source,
    timestampMs: fields.timestamp,
    timeframe: fields.timeframe,
    open,
    high,
    low,
    close,
    volume: fields.volume ?? 0,
    isClosed,
    assetType: fields.asset_type ?? null,
    id: fields.id ?? null,
  };
  return { item, problem: null };
}
