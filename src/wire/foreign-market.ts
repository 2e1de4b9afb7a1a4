/**
 * Market data in the forms in which others send it (exchanges' streams, ccxt, a bare number) → the contract's own raw
 * items. Only names and places change here; whether an item is valid is decided where all items are read.
 */
import { timeframeOf } from '../core/domain/timeframe';
import { parseJson } from './json';

export const marketForms = [
  'own',
  'number',
  'ccxt-ticker',
  'ccxt-trades',
  'ccxt-ohlcv',
  'binance',
  'kraken',
  'alpaca',
] as const;
export type MarketForm = (typeof marketForms)[number];

export interface ForeignContext {
  /** Symbol of items that name none, or of all when `overrideSymbol`. */
  readonly symbol: string | null;
  readonly overrideSymbol: boolean;
  /** Of bars that do not say theirs. */
  readonly timeframe: string | null;
  /** Own field name → place in the data, `data.0.p`. Only for the form `own`. */
  readonly fields: ReadonlyMap<string, string>;
  readonly arrivalMs: number;
}

type Raw = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);
const isDefined = (value: unknown) => value !== undefined && value !== null;

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Without the properties that are not there, so that "absent" stays absent. */
function compact(raw: Record<string, unknown>): Raw {
  for (const key of Object.keys(raw)) if (!isDefined(raw[key])) delete raw[key];
  return raw;
}

/** The value at `a.0.b`; own properties only. */
export function valueAt(value: unknown, place: string): unknown {
  let at = value;
  for (const part of place.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Raw)[part];
  }
  return at;
}

function isStillForming(openMs: unknown, timeframe: string | null, arrivalMs: number): boolean {
  const span = timeframe === null ? 0 : (timeframeOf(timeframe)?.ms ?? 0);
  return typeof openMs === 'number' && span > 0 && openMs + span > arrivalMs;
}

function own(value: unknown, context: ForeignContext): readonly unknown[] {
  const data = isObject(value) && value.market_data !== undefined ? value.market_data : value;
  return listOf(data).map((item) => {
    if (typeof item === 'number' || typeof item === 'string') return { price: item };
    if (!isObject(item) || context.fields.size === 0) return item;
    const renamed: Record<string, unknown> = { ...item };
    for (const [name, place] of context.fields) renamed[name] = valueAt(item, place);
    return compact(renamed);
  });
}

function ccxtTickers(value: unknown): readonly unknown[] {
  // fetchTickers answers them by symbol.
  const isMany = isObject(value) && value.symbol === undefined && Object.values(value).every(isObject);
  const list = isMany ? Object.values(value) : listOf(value);
  return list.map((item) => {
    if (!isObject(item)) return item;
    // Volumes of a ticker are of 24 hours, not of this price: none is taken.
    const { symbol, timestamp, last, close, bid, ask, bidVolume, askVolume } = item;
    const sides = isDefined(bid) && isDefined(ask);
    const quote = sides ? { bid, ask, bid_size: bidVolume, ask_size: askVolume } : {};
    return compact({ symbol, timestamp, price: last ?? close, ...quote });
  });
}

function ccxtTrades(value: unknown): readonly unknown[] {
  return listOf(value).map((item) => {
    if (!isObject(item)) return item;
    const { symbol, timestamp, price, amount, id } = item;
    return compact({ symbol, timestamp, price, volume: amount, id });
  });
}

function ccxtBars(value: unknown, context: ForeignContext): readonly unknown[] {
  const rows = Array.isArray(value) && !Array.isArray(value[0]) ? [value] : listOf(value);
  return rows.map((row) => {
    if (!Array.isArray(row)) return row;
    const [timestamp, open, high, low, close, volume] = row;
    const { timeframe } = context;
    const isClosed = !isStillForming(timestamp, timeframe, context.arrivalMs);
    return compact({ timestamp, open, high, low, close, volume, timeframe, is_closed: isClosed });
  });
}

function binance(value: unknown): readonly unknown[] {
  return listOf(value).flatMap((message) => {
    const event = isObject(message) && isObject(message.data) ? message.data : message;
    if (!isObject(event)) return [event];
    const { e: kind, s: symbol, k } = event;
    if (kind === 'trade')
      return [compact({ symbol, price: event.p, volume: event.q, timestamp: event.T, id: event.t })];
    if (kind === 'aggTrade')
      return [compact({ symbol, price: event.p, volume: event.q, timestamp: event.T, id: event.a })];
    if (kind === 'kline' && isObject(k)) {
      const { t: timestamp, i: timeframe, o: open, h: high, l: low, c: close, v: volume, x: isClosed } = k;
      return [compact({ symbol, timestamp, timeframe, open, high, low, close, volume, is_closed: isClosed })];
    }
    if (
      isDefined(event.b) &&
      isDefined(event.a) &&
      (kind === '24hrTicker' || kind === 'bookTicker' || kind === undefined)
    ) {
      const quote = { bid: event.b, ask: event.a, bid_size: event.B, ask_size: event.A };
      return [compact({ symbol, timestamp: event.E ?? event.T, price: event.c, ...quote })];
    }
    // Answers to subscriptions, and kinds that hold no price of a trade or quote.
    return isDefined(kind) || 'result' in event ? [] : [event];
  });
}

const krakenFrames: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [1, '1m'],
  [5, '5m'],
  [15, '15m'],
  [30, '30m'],
  [60, '1h'],
  [240, '4h'],
  [1440, '1d'],
]);

function krakenItem(channel: unknown, item: unknown, arrivalMs: number): unknown {
  if (!isObject(item)) return item;
  const { symbol, timestamp } = item;
  if (channel === 'trade') {
    return compact({ symbol, timestamp, price: item.price, volume: item.qty, id: item.trade_id });
  }
  if (channel === 'ticker') {
    const quote = { bid: item.bid, ask: item.ask, bid_size: item.bid_qty, ask_size: item.ask_qty };
    return compact({ symbol, timestamp, price: item.last, ...quote });
  }
  const timeframe = krakenFrames.get(item.interval) ?? null;
  const openMs = Date.parse(String(item.interval_begin));
  const { open, high, low, close, volume } = item;
  const isClosed = !isStillForming(openMs, timeframe, arrivalMs);
  return compact({
    symbol,
    timestamp: item.interval_begin,
    timeframe,
    open,
    high,
    low,
    close,
    volume,
    is_closed: isClosed,
  });
}

function kraken(value: unknown, context: ForeignContext): readonly unknown[] {
  return listOf(value).flatMap((message) => {
    if (!isObject(message)) return [message];
    const { channel, data } = message;
    if (channel !== 'trade' && channel !== 'ticker' && channel !== 'ohlc') {
      return isDefined(channel) || 'method' in message ? [] : [message];
    }
    return listOf(data).map((item) => krakenItem(channel, item, context.arrivalMs));
  });
}

function alpaca(value: unknown): readonly unknown[] {
  return listOf(value).flatMap((item) => {
    if (!isObject(item)) return [item];
    const { T: kind, S: symbol, t: timestamp } = item;
    if (kind === 't') {
      // Trade ids are unique per exchange and day only.
      const id = isDefined(item.i) ? `${item.x ?? ''}${item.i}@${timestamp}` : undefined;
      return [compact({ symbol, timestamp, price: item.p, volume: item.s, id })];
    }
    if (kind === 'q') {
      return [compact({ symbol, timestamp, bid: item.bp, ask: item.ap, bid_size: item.bs, ask_size: item.as })];
    }
    if (kind === 'b') {
      const { o: open, h: high, l: low, c: close, v: volume } = item;
      return [compact({ symbol, timestamp, timeframe: '1m', open, high, low, close, volume })];
    }
    // success, subscription, corrections, bars that replace an earlier one, statuses.
    return isDefined(kind) ? [] : [item];
  });
}

function itemsOf(form: MarketForm, value: unknown, context: ForeignContext): readonly unknown[] {
  switch (form) {
    case 'number':
      return [isObject(value) ? { price: value.value ?? value.state } : { price: value }];
    case 'ccxt-ticker':
      return ccxtTickers(value);
    case 'ccxt-trades':
      return ccxtTrades(value);
    case 'ccxt-ohlcv':
      return ccxtBars(value, context);
    case 'binance':
      return binance(value);
    case 'kraken':
      return kraken(value, context);
    case 'alpaca':
      return alpaca(value);
    default:
      return own(value, context);
  }
}

const bareNumber = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i;

function payloadValue(payload: unknown): unknown {
  const text = Buffer.isBuffer(payload) ? payload.toString('utf8') : payload;
  return typeof text !== 'string' || bareNumber.test(text) ? text : parseJson(text);
}

/**
 * What a message of that form holds, as raw items of the contract's form; none for heartbeats and the like. Text is
 * taken as JSON, unless it is a number. The payload is not changed.
 * @throws EngineError `JSONDecodeError`, `PayloadTooLargeError` for text.
 */
export function foreignItems(form: MarketForm, payload: unknown, context: ForeignContext): readonly unknown[] {
  const items = itemsOf(form, payloadValue(payload), context);
  return items.map((item) => {
    if (!isObject(item)) return item;
    const symbol = context.overrideSymbol ? (context.symbol ?? item.symbol) : (item.symbol ?? context.symbol);
    const isBar = item.open !== undefined && item.close !== undefined && item.timeframe === undefined;
    const timeframe = isBar && context.timeframe !== null ? { timeframe: context.timeframe } : {};
    return isDefined(symbol) ? { ...item, ...timeframe, symbol } : { ...item, ...timeframe };
  });
}
