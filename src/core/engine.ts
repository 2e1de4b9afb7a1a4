/**
 * The core's table of contents: the way of one tick, in its order. A pure state machine: same inputs, same outputs,
 * whatever the chunking; time is the event's, and a quiet market moves by an explicit `advance`.
 *
 * One item: admit → positions (pending orders fill, stops and targets) → tick strategies → reorder and bars → for every
 * bar that closed: features, regime, bar strategies. Nothing is emitted sideways: the answer is what one call did.
 */
import { limits } from './domain/limits';
import type {
  BarInput,
  EntryPosition,
  FeedPosition,
  MarketBatch,
  MarketItem,
  PartialBar,
  RowPosition,
} from './domain/tick';
import { isLaterEntry } from './domain/tick';
import { timeframeOf } from './domain/timeframe';
import { move } from './execution/book';
import { admit } from './market/admit';
import { advance as advanceMarket, dueFromMs, dueMs, feed, symbolWatermarkMs } from './market/bars';
import { settleGaps, trackSequence } from './market/gaps';
import { type Admitted, type Outcome, outcomes } from './market/market';
import { tellExit } from './risk/propose';
import { type CoreState, clearEffects, type Effects, notClocked, type SymbolRuntime, touch } from './state';
import { rehome, retire, runningOf } from './strategies/attach';
import { headlineRegime, onBar, onTick } from './strategies/evaluate';
import { symbolOf } from './symbols';

/** A live item stamped this close to its arrival says that its symbol's time is the clock's. */
const clockedMs = 300_000;

/** Evaluates one batch. The answer is reused by the next call. */
export function onBatch(core: CoreState, batch: MarketBatch): Effects {
  const { effects } = core;
  clearEffects(effects);
  const { items, position } = batch;
  core.dataAgeMs = isAged(batch) ? batch.evaluatedMs - batch.arrivalMs : 0;
  core.ticksTotal += items.length;
  for (const { source, symbol, seq, timestampMs } of batch.numbers ?? []) {
    trackSequence(core.gaps, source, symbol, seq, timestampMs, effects.gaps);
  }
  const skip = position === null ? 0 : takePosition(core, position, items.length);
  for (let i = 0; i < skip; i++) drop(core, i, 'duplicate');
  let touched: SymbolRuntime | null = null;
  for (let i = skip; i < items.length; i++) {
    const item = items[i] as MarketItem;
    const symbol: SymbolRuntime | null =
      touched !== null && touched.market.symbol === item.symbol ? touched : symbolOf(core, item);
    if (symbol === null) {
      drop(core, i, 'symbol_limit');
      continue;
    }
    if (onItem(core, symbol, item, batch, i) && symbol !== touched) {
      touched = symbol;
      effects.touched.add(symbol);
    }
  }
  return effects;
}

/** Files are history, and never old in this sense; what a live door or a stream held up is. */
export function isAged({ door, position }: MarketBatch): boolean {
  return door === 'live' || (position !== null && 'entry' in position);
}

/** How many items of the batch were taken before; notes the rest as taken. */
function takePosition(core: CoreState, position: FeedPosition, count: number): number {
  return 'entry' in position ? takeEntry(core, position, count) : takeRow(core, position, count);
}

function takeEntry(core: CoreState, { feed, entry }: EntryPosition, count: number): number {
  if (!isLaterEntry(entry, core.entries.get(feed) ?? '')) return count;
  core.entries.delete(feed);
  core.entries.set(feed, entry);
  if (core.entries.size > limits.feeds) core.entries.delete(core.entries.keys().next().value as string);
  return 0;
}

function takeRow(core: CoreState, { feed, row }: RowPosition, count: number): number {
  const seen = core.rows.get(feed) ?? 0;
  // Set anew, so that the one unused for longest comes first.
  core.rows.delete(feed);
  core.rows.set(feed, Math.max(seen, row + count - 1));
  if (core.rows.size > limits.feeds) core.rows.delete(core.rows.keys().next().value as string);
  return Math.min(count, Math.max(0, seen - row + 1));
}

/** An item that no symbol's market has judged. */
function drop(core: CoreState, index: number, outcome: Outcome): void {
  core.unjudged.set(outcome, (core.unjudged.get(outcome) ?? 0) + 1);
  core.effects.dropped.push({ index, outcome });
}

/** Admits one item and evaluates what may be used of it and of what waited for it. False when nothing was. */
function onItem(core: CoreState, symbol: SymbolRuntime, item: MarketItem, batch: MarketBatch, index: number): boolean {
  const { effects } = core;
  const { admitted } = core.scratch;
  touch(symbol);
  if (item.kind === 'tick' && item.extras !== null && item.extras.seq !== undefined) {
    trackSequence(core.gaps, item.source, item.symbol, item.extras.seq, item.timestampMs, effects.gaps);
  }
  // Popping is several times cheaper than setting a length, and there is one to pop nearly always.
  while (admitted.length > 0) admitted.pop();
  const outcome = admit(symbol.market, item, batch.door, batch.arrivalMs, admitted);
  if (admitted.length === 0) {
    if (outcome === 'held') effects.accepted++;
    else effects.dropped.push({ index, outcome });
    return false;
  }
  effects.accepted++;
  for (let i = 0; i < admitted.length; i++) take(core, symbol, (admitted[i] as Admitted).item, batch.door);
  symbol.lagMs = lagOf(symbol, item, batch);
  return true;
}

function lagOf(symbol: SymbolRuntime, item: MarketItem, { door, arrivalMs }: MarketBatch): number {
  if (door !== 'live' || Math.abs(arrivalMs - item.timestampMs) >= clockedMs) return notClocked;
  const newestMs = Math.max(symbol.lastMs, endOf(item));
  return Math.max(0, arrivalMs - newestMs);
}

function take(core: CoreState, symbol: SymbolRuntime, item: MarketItem, door: MarketBatch['door']): void {
  if (item.timestampMs > symbol.lastMs) symbol.lastMs = item.timestampMs;
  if (item.kind === 'bar') rehome(core, symbol, item.timeframe);
  if (symbol.live.length > 0) movePositions(core, symbol, item);
  if (item.kind === 'tick' && symbol.tickGroups.length > 0) onTick(core, symbol, item);
  const { closed } = core.scratch;
  feed(symbol.market, item, door, closed);
  if (closed.length > 0) barsClosed(core, symbol, item.source);
}

/** Bars that closed, oldest first; their features and regime are up to date already. */
function barsClosed(core: CoreState, symbol: SymbolRuntime, source: string): void {
  for (const one of core.scratch.closed) {
    const group = symbol.bars.get(one.bar.timeframe);
    if (group !== undefined) onBar(core, symbol, group, one, source);
  }
  while (core.scratch.closed.length > 0) core.scratch.closed.pop();
}

function movePositions(core: CoreState, symbol: SymbolRuntime, item: MarketItem): void {
  const { move: market } = core.scratch;
  if (item.kind === 'tick') {
    market.open = item.price;
    market.high = item.price;
    market.low = item.price;
    market.close = item.price;
  } else setRange(core, item);
  market.timestampMs = item.kind === 'partial' ? item.firstMs : item.timestampMs;
  market.endMs = endOf(item);
  for (let i = symbol.live.length - 1; i >= 0; i--) {
    const book = symbol.live[i] as (typeof symbol.live)[number];
    const exit = move(book, market, symbol.costs, core.effects.fills);
    if (exit !== null) {
      if (book.source === 'assumed') released(core, exit.exposure);
      tellStop(core, symbol, book.strategyId, exit, item);
    }
    if (book.exposure !== 0 || book.pending !== null) continue;
    symbol.live.splice(i, 1);
    retire(symbol, book.strategyId);
  }
}

function released(core: CoreState, exposure: number): void {
  core.totalExposure -= Math.abs(exposure);
  core.openPositions--;
  if (core.openPositions === 0) core.totalExposure = 0;
}

function endOf(item: MarketItem): number {
  return item.kind === 'bar' ? item.timestampMs + (timeframeOf(item.timeframe)?.ms ?? 0) : item.timestampMs;
}

function setRange(core: CoreState, item: BarInput | PartialBar): void {
  const { move: market } = core.scratch;
  market.open = item.open;
  market.high = item.high;
  market.low = item.low;
  market.close = item.close;
}

function tellStop(
  core: CoreState,
  symbol: SymbolRuntime,
  strategyId: string,
  exit: NonNullable<ReturnType<typeof move>>,
  item: MarketItem,
): void {
  const all = runningOf(symbol, strategyId);
  const running = all.find((one) => one.version.version === exit.strategyVersion) ?? all[0];
  if (running === undefined) return;
  tellExit(core, symbol, running, exit, {
    timestampMs: endOf(item),
    price: exit.price,
    priceKind: 'stop',
    source: item.source,
    bar: null,
    conflated: item.kind === 'partial',
    regime: symbol.bars.get(running.timeframe)?.series.regime ?? headlineRegime(symbol),
  });
}

/**
 * Tells the time: bars that end by then close. `all` is a person's or a file's word; `live` is the clock's: it moves only
 * symbols whose event time runs with it, each as far behind it as its feed is (a delayed one, a sender's clock that is
 * slow), and none further than to what is due, because ticks before a time that was told are late.
 */
export function advance(core: CoreState, timestampMs: number, scope: 'all' | 'live'): Effects {
  clearEffects(core.effects);
  core.dataAgeMs = 0;
  for (const symbol of core.symbols.values()) {
    if (scope === 'all') {
      if (timestampMs > symbolWatermarkMs(symbol.market)) tell(core, symbol, timestampMs);
    } else if (isDue(core, symbol, timestampMs)) tellDue(core, symbol, clockOf(core, symbol, timestampMs));
  }
  if (scope === 'live') settleGaps(core.gaps, timestampMs, core.effects.gaps);
  return core.effects;
}

/** The event time of a symbol by which nothing earlier is waited for any more, by the clock. */
function clockOf(core: CoreState, { lagMs }: SymbolRuntime, nowMs: number): number {
  return nowMs - lagMs - core.settings.policies.latenessMs;
}

/** From one thing that is due to the next: a tick that goes on may begin a bar that is over, too. */
function tellDue(core: CoreState, symbol: SymbolRuntime, byMs: number): void {
  let toldMs = 0;
  for (;;) {
    const toMs = dueMs(symbol.market, byMs);
    if (toMs <= toldMs) return;
    tell(core, symbol, toMs);
    toldMs = toMs;
  }
}

function tell(core: CoreState, symbol: SymbolRuntime, toMs: number): void {
  advanceMarket(symbol.market, toMs, core.scratch.closed);
  touch(symbol);
  if (core.scratch.closed.length > 0) barsClosed(core, symbol, 'clock');
}

/** Whether telling the time would change anything: a quiet symbol whose bar is over, or ticks that wait for their turn. */
export function isTimeDue(core: CoreState, nowMs: number): boolean {
  for (const symbol of core.symbols.values()) if (isDue(core, symbol, nowMs)) return true;
  return false;
}

/** Asked of every symbol at every beat, so it looks into a market only when something of it changed. */
function isDue(core: CoreState, symbol: SymbolRuntime, nowMs: number): boolean {
  if (symbol.lagMs === notClocked) return false;
  if (symbol.dueFromMs === 0) symbol.dueFromMs = dueFromMs(symbol.market);
  return symbol.dueFromMs <= clockOf(core, symbol, nowMs);
}

/** How every item ended, by outcome; with what is held back now (`held`) they are all that ever came. */
export function outcomeTotals(core: CoreState): Map<Outcome | 'held', number> {
  const totals = new Map<Outcome | 'held', number>(core.unjudged);
  const add = (outcome: Outcome | 'held', count: number) => {
    if (count > 0) totals.set(outcome, (totals.get(outcome) ?? 0) + count);
  };
  for (const { market } of core.symbols.values()) {
    outcomes.forEach((outcome, i) => {
      add(outcome, market.counts[i] ?? 0);
    });
    add('held', market.held.length);
  }
  return totals;
}
