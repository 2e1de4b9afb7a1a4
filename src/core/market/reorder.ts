/**
 * Ticks that wait until no earlier one can be expected: sorted by event time, ties in order of arrival. With an allowed
 * lateness of 0 nothing ever waits, and the buffer is not touched.
 */
import type { MarketItem, PartialBar, Tick } from '../domain/tick';

/** What the reorder buffer holds: ticks and what was conflated of them. */
export type TickItem = Tick | PartialBar;

/** `items[head…]` are waiting, ascending by `timestampMs`. */
export interface Reorder {
  items: TickItem[];
  head: number;
}

/** An empty buffer. */
export function createReorder(): Reorder {
  return { items: [], head: 0 };
}

/** How many wait. */
export function waiting(reorder: Reorder): number {
  return reorder.items.length - reorder.head;
}

/** Puts an item in its place: behind all that are not later. */
export function insert(reorder: Reorder, item: TickItem): void {
  const items = reorder.items;
  let low = reorder.head;
  let high = items.length;
  if (high > low && (items[high - 1] as TickItem).timestampMs <= item.timestampMs) low = high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle] as TickItem).timestampMs <= item.timestampMs) low = middle + 1;
    else high = middle;
  }
  if (low === items.length) items.push(item);
  else items.splice(low, 0, item);
}

/** The earliest waiting item, or `null`. */
export function first(reorder: Reorder): TickItem | null {
  return reorder.head < reorder.items.length ? (reorder.items[reorder.head] as TickItem) : null;
}

/** Takes the earliest waiting item out. */
export function removeFirst(reorder: Reorder): void {
  reorder.head++;
  if (reorder.head === reorder.items.length) {
    reorder.items.length = 0;
    reorder.head = 0;
  } else if (reorder.head >= 1_024) {
    reorder.items.splice(0, reorder.head);
    reorder.head = 0;
  }
}

/** The event time by which an item is ordered and judged late: of a bar its end. */
export function isTickItem(item: MarketItem): item is TickItem {
  return item.kind !== 'bar';
}
