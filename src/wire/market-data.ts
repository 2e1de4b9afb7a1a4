/** Market data from outside → what the core takes. Size, depth and count are checked before any item is looked at. */
import { assetTypeOf } from '../core/domain/asset-type';
import type { MarketDataInput, Rejection } from '../core/domain/bodies';
import { EngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import type { AssetType, MarketItem, Quote, Tick, TickExtras } from '../core/domain/tick';
import { parseJson, textProblem } from './json';
import { type ItemContext, type ItemResult, itemOf } from './market-item';
import { parseWith, receivedOf, valueErrorOf } from './problems';
import { marketDataBody } from './schemas/market-data';
import { canonicalSymbol } from './symbol';
import { parseTimestamp } from './time';

export interface MarketDataContext extends ItemContext {
  /** When given, items of other asset types are rejected. A message's own `asset_types` win. */
  readonly assetTypes?: readonly AssetType[];
  /** Asset type of a symbol whose item names none; the derivation from its spelling when absent. */
  readonly assetTypeOf?: (symbol: string) => AssetType;
  /** How paths begin; `market_data` when absent. */
  readonly pathPrefix?: string;
  /** Bytes of a text; `limits.bodyBytesMax` when absent. */
  readonly maxBytes?: number;
}

type RawItem = Readonly<Record<string, unknown>>;

/**
 * The text of one message: a tick or bar, an array of them, or `{"market_data": …}`. Bad items are listed in
 * `rejected`, beside the good ones.
 * @throws EngineError (and nothing else) when the whole cannot be used: `JSONDecodeError`, `PayloadTooLargeError`,
 * `ValueError`.
 */
export function parseMarketText(text: string, context: MarketDataContext): MarketDataInput {
  return parseMarketValue(parseJson(text, context.maxBytes), context);
}

/** A message of more characters is hardly one plain tick. */
const oneTickChars = 512;

/**
 * The one plain tick that nearly every message of a feed is, or `null` when `parseMarketText` has to look: the same
 * answer without the lists of a message that may hold many.
 */
export function parseOneTick(text: string, context: ItemContext): Tick | null {
  if (text.length > oneTickChars || text.charCodeAt(0) !== 0x7b || textProblem(text) !== null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return (value as RawItem).market_data === undefined ? commonTick(value, context) : null;
}

/** As `parseMarketText`, for a message that is a value already. It is only read. */
export function parseMarketValue(value: unknown, context: MarketDataContext): MarketDataInput {
  try {
    return readMessage(value, context);
  } catch (thrown) {
    if (thrown instanceof EngineError) throw thrown;
    // Only an object with getters or a proxy comes here; from JSON text nothing does.
    throw new EngineError('ValueError', 'the message cannot be read');
  }
}

function readMessage(value: unknown, context: MarketDataContext): MarketDataInput {
  const prefix = context.pathPrefix ?? 'market_data';
  if (typeof value !== 'object' || value === null) throw notMarketData(value);
  if (Array.isArray(value)) return readItems(value, prefix, context, context.assetTypes);
  const data = (value as RawItem).market_data;
  if (data === undefined) {
    if (context.pathPrefix === undefined && isNothingOfAnItem(value as RawItem)) {
      throw valueErrorOf([{ path: prefix, message: 'is required', received: undefined }]);
    }
    return readItems([value], prefix, context, context.assetTypes, true);
  }
  const types = (value as RawItem).asset_types;
  // An empty list asks for nothing in particular, like an absent one.
  const wanted = types === undefined || types === null ? context.assetTypes : readAssetTypes(types);
  if (Array.isArray(data)) return readItems(data, prefix, context, wanted);
  if (typeof data !== 'object' || data === null) {
    throw valueErrorOf([{ path: prefix, message: 'must be a tick or an array of ticks', received: receivedOf(data) }]);
  }
  return readItems([data], prefix, context, wanted, true);
}

/** An envelope that forgot its letter, rather than a tick that forgot its symbol. */
function isNothingOfAnItem(value: RawItem): boolean {
  return ['symbol', 'price', 'bid', 'ask', 'open', 'close'].every((name) => value[name] === undefined);
}

function notMarketData(value: unknown): EngineError {
  const message = 'must be a tick, an array of ticks, or an object with market_data';
  return valueErrorOf([{ path: '', message, received: receivedOf(value) }]);
}

function readAssetTypes(types: unknown): readonly AssetType[] | undefined {
  const wanted = parseWith(marketDataBody.shape.asset_types, types, 'asset_types');
  return wanted !== undefined && wanted.length > 0 ? wanted : undefined;
}

function readItems(
  raw: readonly unknown[],
  prefix: string,
  context: MarketDataContext,
  wanted: readonly AssetType[] | undefined,
  single = false,
): MarketDataInput {
  if (raw.length > limits.ticksPerRequest) {
    const message = `${prefix} must have at most ${limits.ticksPerRequest} entries, not ${raw.length}`;
    throw new EngineError('PayloadTooLargeError', message);
  }
  const items: MarketItem[] = [];
  const indexes: number[] = [];
  const rejected: Rejection[] = [];
  for (let index = 0; index < raw.length; index++) {
    const one = raw[index];
    const tick = commonTick(one, context);
    const result: ItemResult = tick ? { item: tick, problem: null } : itemOf(one, context);
    if (result.problem === null && isWanted(result.item, wanted, context)) {
      items.push(result.item);
      indexes.push(index);
      continue;
    }
    const at = single ? prefix : `${prefix}[${index}]`;
    rejected.push(rejectionOf(result, index, at, wanted, context));
  }
  return { items, indexes, rejected, received: raw.length, door: context.door, arrivalMs: context.arrivalMs };
}

function isWanted(item: MarketItem, wanted: readonly AssetType[] | undefined, context: MarketDataContext): boolean {
  return wanted === undefined || wanted.includes(typeOf(item, context));
}

function typeOf(item: MarketItem, context: MarketDataContext): AssetType {
  const named = item.kind === 'partial' ? null : item.assetType;
  return named ?? (context.assetTypeOf ?? assetTypeOf)(item.symbol);
}

function rejectionOf(
  result: ItemResult,
  index: number,
  at: string,
  wanted: readonly AssetType[] | undefined,
  context: MarketDataContext,
): Rejection {
  if (result.problem === null) {
    const type = typeOf(result.item, context);
    const message = `is of asset type ${type}, which is not among asset_types (${(wanted ?? []).join(', ')})`;
    return { index, path: `${at}.symbol`, message, received: result.item.symbol };
  }
  const { path, message, received } = result.problem;
  const whole = path === '' ? at : `${at}.${path}`;
  return received === undefined ? { index, path: whole, message } : { index, path: whole, message, received };
}

/**
 * The tick that almost every message is: its fields have their plain types and nothing rare is there. Whatever is not
 * exactly that is `null`, and the full reading decides. The literal's key order is the one of `Tick`, so that all ticks share
 * one shape.
 */
function commonTick(raw: unknown, context: ItemContext): Tick | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const fields = raw as RawItem;
  const { symbol: spelling, price, volume, timestamp } = fields;
  if (typeof spelling !== 'string' || typeof price !== 'number' || !(price > 0 && price < Infinity)) return null;
  if (volume !== undefined && !(typeof volume === 'number' && volume >= 0 && volume < Infinity)) return null;
  if (hasRareField(fields)) return null;
  const source = fields.source === undefined ? context.source : plainText(fields.source, limits.sourceChars);
  const symbol = canonicalSymbol(spelling);
  if (symbol === null || source === null) return null;
  const stamped = timestamp !== undefined;
  const timestampMs = stamped ? commonTime(timestamp, context) : context.arrivalMs;
  const quote = commonQuote(fields);
  const extras = commonExtras(fields);
  if (timestampMs === null || quote === undefined || extras === undefined) return null;
  return {
    kind: 'tick',
    symbol,
    source,
    timestampMs,
    stamped,
    price,
    volume: volume === undefined ? 0 : volume + 0,
    quote,
    assetType: null,
    extras,
  };
}

function hasRareField(fields: RawItem): boolean {
  return (
    fields.timeframe !== undefined ||
    fields.asset_type !== undefined ||
    fields.funding_rate !== undefined ||
    fields.funding_interval_h !== undefined ||
    fields.sentiment !== undefined ||
    fields.event !== undefined
  );
}

/** Text that needs no closer look: letters, digits and a few signs. */
const plain = /^[A-Za-z0-9_.:/-]+$/;

function plainText(value: unknown, maxChars: number): string | null {
  return typeof value === 'string' && value.length <= maxChars && plain.test(value) ? value : null;
}

function commonTime(timestamp: unknown, context: ItemContext): number | null {
  const ms = isPlainMs(timestamp) ? timestamp : msOf(timestamp);
  return ms !== null && context.door === 'live' && ms > context.arrivalMs + limits.futureMs ? null : ms;
}

/** Whole milliseconds, as they are from 1973 to 2100. */
function isPlainMs(timestamp: unknown): timestamp is number {
  return (
    typeof timestamp === 'number' &&
    timestamp >= 1e11 &&
    timestamp < limits.eventTimeMaxMs &&
    Math.floor(timestamp) === timestamp
  );
}

function msOf(timestamp: unknown): number | null {
  const time = parseTimestamp(timestamp);
  return 'error' in time ? null : time.ms;
}

/** `undefined` when it takes the full reading to tell. */
function commonQuote(fields: RawItem): Quote | null | undefined {
  const { bid, ask, bid_size: bidSize, ask_size: askSize } = fields;
  if (bid === undefined && ask === undefined && bidSize === undefined && askSize === undefined) return null;
  if (typeof bid !== 'number' || typeof ask !== 'number' || !(bid > 0 && bid <= ask && ask < Infinity))
    return undefined;
  if (!isSize(bidSize) || !isSize(askSize)) return undefined;
  return {
    bid,
    ask,
    bidSize: bidSize === undefined ? null : bidSize + 0,
    askSize: askSize === undefined ? null : askSize + 0,
  };
}

function isSize(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && value >= 0 && value < Infinity);
}

/** `undefined` when it takes the full reading to tell. */
function commonExtras(fields: RawItem): TickExtras | null | undefined {
  const { id, seq } = fields;
  if (id === undefined && seq === undefined) return null;
  if (seq !== undefined && !(typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0)) return undefined;
  if (id === undefined) return seq === undefined ? null : { seq: seq + 0 };
  const text = plainText(id, limits.idChars);
  if (text === null) return undefined;
  return seq === undefined ? { id: text } : { id: text, seq: seq + 0 };
}
