/** A row's fields to an item: the wire's rules, with the plain bar taken by hand, since files hold millions. */
import type { BarInput, MarketItem } from '../../core/domain/tick';
import { parseMarketValue } from '../../wire/market-data';
import { canonicalSymbol } from '../../wire/symbol';

export type ReadItem =
  | { readonly kind: 'item'; readonly item: MarketItem }
  | { readonly kind: 'bad'; readonly path: string; readonly message: string };

/** What the file says of rows that do not say it themselves. */
export interface RowDefaults {
  readonly symbol: string;
  readonly source: string;
  /** Of bars, with its length; `null` and 0 where rows are no bars or name their own. */
  readonly timeframe: string | null;
  readonly timeframeMs: number;
}

/** Of a row that was just read: the defaults are written into it. */
type Fields = Record<string, unknown>;

/** Times that the wire reads as milliseconds, well inside its range. */
const timeMinMs = 1e11;
const timeMaxMs = 4e12;

function isPrice(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY;
}

function isTimeMs(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= timeMinMs && (value as number) < timeMaxMs;
}

/** Whether the row has what only the schema reads. */
function isRare(fields: Fields): boolean {
  return (
    fields.price !== undefined ||
    fields.bid !== undefined ||
    fields.ask !== undefined ||
    fields.bid_size !== undefined ||
    fields.ask_size !== undefined ||
    fields.id !== undefined ||
    fields.seq !== undefined ||
    fields.source !== undefined ||
    fields.timeframe !== undefined ||
    fields.is_closed !== undefined ||
    fields.asset_type !== undefined ||
    fields.funding_rate !== undefined ||
    fields.funding_interval_h !== undefined ||
    fields.sentiment !== undefined ||
    fields.event !== undefined
  );
}

function commonBar(fields: Fields, symbol: string, defaults: RowDefaults): BarInput | null {
  const { timestamp, open, high, low, close, volume = 0 } = fields;
  const { timeframe, timeframeMs, source } = defaults;
  if (timeframe === null || timeframeMs === 0 || !isTimeMs(timestamp) || timestamp % timeframeMs !== 0) return null;
  if (!isPrice(open) || !isPrice(high) || !isPrice(low) || !isPrice(close)) return null;
  if (typeof volume !== 'number' || !(volume >= 0 && volume < Number.POSITIVE_INFINITY)) return null;
  if (high < open || high < close || low > open || low > close || isRare(fields)) return null;
  return {
    kind: 'bar',
    symbol,
    source,
    timestampMs: timestamp,
    timeframe,
    open,
    high,
    low,
    close,
    volume: volume + 0,
    isClosed: true,
    assetType: null,
    id: null,
  };
}

/** The item, or the first thing that is wrong with the row and in which field. */
export function itemOf(fields: Fields, defaults: RowDefaults): ReadItem {
  const symbol = fields.symbol === undefined ? canonicalSymbol(defaults.symbol) : null;
  const bar = symbol && commonBar(fields, symbol, defaults);
  return bar ? { kind: 'item', item: bar } : itemByWire(fields, defaults);
}

/** As `itemOf`, by the wire alone: what decides whenever the short way does not apply. */
export function itemByWire(fields: Fields, defaults: RowDefaults): ReadItem {
  const { timeframe, source } = defaults;
  fields.symbol ??= defaults.symbol;
  if (timeframe !== null) fields.timeframe ??= timeframe;
  const { items, rejected } = parseMarketValue([fields], { arrivalMs: 0, source, door: 'ordered', pathPrefix: '' });
  const item = items[0];
  if (item) return { kind: 'item', item };
  return {
    kind: 'bad',
    path: (rejected[0]?.path ?? '').replace('[0].', ''),
    message: rejected[0]?.message ?? 'is bad',
  };
}
