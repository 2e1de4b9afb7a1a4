/**
 * From admitted items to closed bars, for all timeframes of a symbol at once. Ticks wait in the reorder buffer until the
 * symbol's watermark passes them and are then added in order of event time (ties in order of arrival), so inside the
 * allowed lateness bars do not depend on the order of arrival, nor on how the input was cut into batches; sums are taken
 * in that one order, bit for bit.
 *
 * A time bar `[open, end)` closes when the watermark reaches its end. A span without ticks makes no bar. A tick-count
 * bar closes with the tick that fills it; something conflated counts as the ticks in it, so such a bar may hold more.
 * Bars that close together come ordered by their end, then by the length of the timeframe (tick counts first).
 */
import { limits } from '../domain/limits';
import type { MarketItem } from '../domain/tick';
import { parseTimeframe, timeframeOf } from '../domain/timeframe';
import { widenHistory } from './history';
import type { ClosedBar } from './market';
import { advanceBars, attachFeed, feedBar } from './outside-bars';
import { first, insert, removeFirst, type TickItem, waiting } from './reorder';
import {
  addLate,
  addPartial,
  addToCountBar,
  addToTimeBar,
  closeForming,
  createSeries,
  formingEndMs,
  isForming,
  type Series,
} from './series';
import { cappedMs, latenessOf, sourceOf, watermarkOf } from './sources';
import { arrangeSeries, type SymbolMarket } from './symbol-state';

/**
 * Subscribes to a timeframe and answers its series, new or shared; `historyBars` is how many closed bars to remember
 * (within the limits). A bar of which ticks have passed already when the series is opened would be incomplete: the first
 * bar is the next one. Throws a `ValueError` for a timeframe that is none.
 */
export function openSeries(sm: SymbolMarket, timeframeName: string, historyBars: number): Series {
  const series = sm.series.find((known) => known.timeframe.name === timeframeName) ?? addSeries(sm, timeframeName);
  widenHistory(series.bars, historyBars);
  series.users++;
  return series;
}

function addSeries(sm: SymbolMarket, timeframeName: string): Series {
  const isTime = parseTimeframe(timeframeName).ms > 0;
  const series = createSeries(sm.symbol, timeframeName, 0, isTime && sm.appliedMs > 0 ? sm.appliedMs + 1 : 0);
  sm.series.push(series);
  let releasedEndMs = 0;
  for (const outside of sm.outside) releasedEndMs = Math.max(releasedEndMs, outside.releasedEndMs);
  attachFeed(sm, series, releasedEndMs);
  arrangeSeries(sm);
  return series;
}

/** Ends one subscription; with the last one the series and its history are gone, unless it is the symbol's own. */
export function closeSeries(sm: SymbolMarket, timeframeName: string): void {
  const series = sm.series.find((known) => known.timeframe.name === timeframeName);
  if (series === undefined) return;
  series.users = Math.max(0, series.users - 1);
  removeUnused(sm, series);
}

function removeUnused(sm: SymbolMarket, series: Series): void {
  if (series.users > 0 || series.timeframe.name === sm.ownTimeframe) return;
  sm.series.splice(sm.series.indexOf(series), 1);
  arrangeSeries(sm);
}

/** Makes that timeframe the one which is followed without a subscriber, so that every symbol has a regime. */
export function followOwn(sm: SymbolMarket, timeframeName: string): void {
  const before = sm.series.find((known) => known.timeframe.name === sm.ownTimeframe);
  sm.ownTimeframe = timeframeName;
  if (!sm.series.some((known) => known.timeframe.name === timeframeName)) addSeries(sm, timeframeName);
  if (before !== undefined) removeUnused(sm, before);
}

/** Ticks up to here are in the bars, and bars that end by then are closed; 0 before the first. */
export function symbolWatermarkMs(sm: SymbolMarket): number {
  return sm.watermarkMs;
}

/**
 * The latest time by `byMs` at which something happens: a waiting tick goes on, a bar closes; 0 when nothing does. Told
 * no more than that, ticks that come later are as much in time as before.
 */
export function dueMs(sm: SymbolMarket, byMs: number): number {
  let latestMs = 0;
  eachDue(sm, (ms) => {
    if (ms <= byMs && ms > latestMs) latestMs = ms;
  });
  return latestMs;
}

/** The first time at which something happens; infinite when nothing waits or forms. */
export function dueFromMs(sm: SymbolMarket): number {
  let firstMs = Number.POSITIVE_INFINITY;
  eachDue(sm, (ms) => {
    if (ms < firstMs) firstMs = ms;
  });
  return firstMs;
}

function eachDue(sm: SymbolMarket, due: (ms: number) => void): void {
  const { items, head } = sm.reorder;
  for (let i = head; i < items.length; i++) {
    const ms = (items[i] as TickItem).timestampMs;
    if (ms > sm.watermarkMs) due(ms);
  }
  for (const series of sm.series) {
    if (series.timeframe.ms === 0 || !isForming(series)) continue;
    due(formingEndMs(series) + (series.fedBy === '' ? 0 : (timeframeOf(series.fedBy)?.ms ?? 0)));
  }
  for (const { waiting } of sm.outside) for (const bar of waiting) due(bar.timestampMs + 1);
}

/** Takes in an admitted item; appends the bars that close by it to `closed`, which it does not clear. */
export function feed(sm: SymbolMarket, item: MarketItem, door: 'live' | 'ordered', closed: ClosedBar[]): void {
  const before = closed.length;
  if (item.kind === 'bar') {
    // Ticks may never come to a symbol that gets bars.
    if (sm.outside.length === 1 && sm.ownTimeframe !== item.timeframe) followOwn(sm, item.timeframe);
    feedBar(sm, item, latenessOf(sm, door), closed);
  } else feedTick(sm, item, latenessOf(sm, door), closed);
  if (closed.length - before > 1) sortClosed(closed, before);
}

function feedTick(sm: SymbolMarket, item: TickItem, latenessMs: number, closed: ClosedBar[]): void {
  const ms = item.timestampMs;
  if (ms < sm.watermarkMs) {
    foldLate(sm, item);
    return;
  }
  const source = sourceOf(sm, item.source);
  const seenMs = cappedMs(sm, ms);
  if (seenMs > source.fedMs) source.fedMs = seenMs;
  source.latenessMs = latenessMs;
  const watermarkMs = watermarkOf(sm);
  if (ms <= watermarkMs && waiting(sm.reorder) === 0) {
    apply(sm, item, closed);
    if (ms === watermarkMs) {
      // The common case: in order, and it has itself closed what ended by now.
      sm.watermarkMs = ms;
      return;
    }
  } else insert(sm.reorder, item);
  settle(sm, watermarkMs, closed);
  if (waiting(sm.reorder) > limits.reorderTicks) {
    const oldest = first(sm.reorder);
    if (oldest !== null) settle(sm, oldest.timestampMs, closed);
  }
}

/**
 * Time is told: every tick before `toMs` is late from now on, what waited goes on, and bars that ended by then close.
 * Bars are appended to `closed`.
 */
export function advance(sm: SymbolMarket, toMs: number, closed: ClosedBar[]): void {
  const before = closed.length;
  if (toMs > sm.toldMs) sm.toldMs = toMs;
  settle(sm, toMs, closed);
  if (sm.outside.length > 0) advanceBars(sm, toMs, closed);
  if (closed.length - before > 1) sortClosed(closed, before);
}

/** Moves the watermark: waiting ticks up to it are added, bars that end by it close. */
function settle(sm: SymbolMarket, watermarkMs: number, closed: ClosedBar[]): void {
  if (watermarkMs <= sm.watermarkMs) return;
  for (;;) {
    const item = first(sm.reorder);
    if (item === null || item.timestampMs > watermarkMs) break;
    removeFirst(sm.reorder);
    apply(sm, item, closed);
  }
  sm.watermarkMs = watermarkMs;
  // A tick at the watermark has closed what ended by then.
  if (sm.appliedMs === watermarkMs) return;
  for (const series of sm.timeFed) {
    if (formingEndMs(series) <= watermarkMs && isForming(series)) closeForming(series, closed);
  }
}

function apply(sm: SymbolMarket, item: TickItem, closed: ClosedBar[]): void {
  const ms = item.timestampMs;
  sm.appliedMs = ms;
  if (item.kind === 'partial') {
    for (const series of sm.timeFed) addPartial(series, item, closed);
    for (const series of sm.countFed) addPartial(series, item, closed);
    return;
  }
  const timeFed = sm.timeFed;
  for (let i = 0; i < timeFed.length; i++) addToTimeBar(timeFed[i] as Series, ms, item.price, item.volume, closed);
  const countFed = sm.countFed;
  for (let i = 0; i < countFed.length; i++) addToCountBar(countFed[i] as Series, ms, item.price, item.volume, closed);
}

/** A tick behind the watermark: bars that still form take its range and volume. */
function foldLate(sm: SymbolMarket, item: TickItem): void {
  const isTick = item.kind === 'tick';
  const range = isTick
    ? { high: item.price, low: item.price, open: item.price, close: item.price, volume: item.volume }
    : item;
  const ticks = isTick ? 1 : item.count;
  let isInBar = false;
  for (const series of sm.timeFed) if (addLate(series, item.timestampMs, range, ticks)) isInBar = true;
  if (!isInBar) sm.outsideBars++;
}

/** Stable, by end and then by length; a handful of bars at most, so by insertion. */
function sortClosed(closed: ClosedBar[], from: number): void {
  for (let i = from + 1; i < closed.length; i++) {
    const moved = closed[i] as ClosedBar;
    let at = i;
    while (at > from && isAfter(closed[at - 1] as ClosedBar, moved)) {
      closed[at] = closed[at - 1] as ClosedBar;
      at--;
    }
    closed[at] = moved;
  }
}

function isAfter(a: ClosedBar, b: ClosedBar): boolean {
  if (a.bar.endMs !== b.bar.endMs) return a.bar.endMs > b.bar.endMs;
  return (timeframeOf(a.bar.timeframe)?.ms ?? 0) > (timeframeOf(b.bar.timeframe)?.ms ?? 0);
}
