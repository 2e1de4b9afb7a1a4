/** Market data as the outside reads it: the contract's tick and bar, ready to come in again. */
import type { BarInput, MarketItem, Tick } from '../core/domain/tick';
import { toWire } from './case';
import { formatTimestamp } from './time';

export type WireItem = Readonly<Record<string, unknown>>;

function tickToWire(tick: Tick): WireItem {
  const wire: Record<string, unknown> = {
    symbol: tick.symbol,
    price: tick.price,
    volume: tick.volume,
    timestamp: formatTimestamp(tick.timestampMs),
    source: tick.source,
  };
  if (tick.quote) {
    wire.bid = tick.quote.bid;
    wire.ask = tick.quote.ask;
    if (tick.quote.bidSize !== null) wire.bid_size = tick.quote.bidSize;
    if (tick.quote.askSize !== null) wire.ask_size = tick.quote.askSize;
  }
  if (tick.assetType !== null) wire.asset_type = tick.assetType;
  if (tick.extras) Object.assign(wire, toWire(tick.extras));
  return wire;
}

function barToWire(bar: BarInput): WireItem {
  const { symbol, timeframe, open, high, low, close, volume, source } = bar;
  const wire: Record<string, unknown> = {
    symbol,
    timeframe,
    timestamp: formatTimestamp(bar.timestampMs),
    open,
    high,
    low,
    close,
    volume,
    is_closed: bar.isClosed,
    source,
  };
  if (bar.assetType !== null) wire.asset_type = bar.assetType;
  if (bar.id !== null) wire.id = bar.id;
  return wire;
}

/** A tick or bar by its contract names. A partial bar, which has no form outside, goes as its last price. */
export function marketItemToWire(item: MarketItem): WireItem {
  if (item.kind === 'tick') return tickToWire(item);
  if (item.kind === 'bar') return barToWire(item);
  const { symbol, close, volume, timestampMs, source } = item;
  return { symbol, price: close, volume, timestamp: formatTimestamp(timestampMs), source, conflated: true };
}
