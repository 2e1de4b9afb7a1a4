/** Waiting ticks as bytes: a busy symbol has thousands of them in every snapshot, and nearly all are plain. */
import type { StateReader, StateWriter } from '../domain/state-codec';
import type { Tick } from '../domain/tick';
import type { TickItem } from './reorder';

/** A tick that is only time, price and volume, of the same source as the one before. */
function isPlain(item: Tick, source: string): boolean {
  return item.source === source && item.quote === null && item.extras === null && item.assetType === null;
}

/** The fields in one order, whoever made the tick: the same state is the same bytes. */
function inOrder(item: TickItem): TickItem {
  if (item.kind === 'partial') return item;
  const { kind, symbol, source, timestampMs, stamped, price, volume, quote, assetType, extras } = item;
  return { kind, symbol, source, timestampMs, stamped, price, volume, quote, assetType, extras };
}

/** Writes items of one symbol. */
export function writeTickItems(items: readonly TickItem[], from: number, out: StateWriter): void {
  out.u32(items.length - from);
  let source = '';
  for (let i = from; i < items.length; i++) {
    const item = items[i] as TickItem;
    if (item.kind === 'tick' && isPlain(item, source)) {
      out.u32(item.stamped ? 2 : 1);
      out.f64(item.timestampMs);
      out.f64(item.price);
      out.f64(item.volume);
    } else {
      out.u32(0);
      out.json(inOrder(item));
      source = item.source;
    }
  }
}

/** Reads what `writeTickItems` wrote. */
export function readTickItems(input: StateReader, symbol: string): TickItem[] {
  const items: TickItem[] = [];
  const count = input.u32();
  let source = '';
  for (let i = 0; i < count; i++) {
    const form = input.u32();
    if (form === 0) {
      const item = input.json() as TickItem;
      source = item.source;
      items.push(item);
      continue;
    }
    const timestampMs = input.f64();
    const price = input.f64();
    const volume = input.f64();
    const rest = { quote: null, assetType: null, extras: null };
    items.push({ kind: 'tick', symbol, source, timestampMs, stamped: form === 2, price, volume, ...rest });
  }
  return items;
}
