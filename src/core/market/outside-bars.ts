/**
 * Bars that come from outside. A bar's event time is its end, its identity (symbol, timeframe, open): a second one of
 * the same span, whoever sends it, is a duplicate and never used, because a span has one bar. Late is a bar behind one
 * that was passed on, or more than the allowed lateness behind the latest; it is never used whatever the policy, because
 * history must stay in order. Being told the time makes no bar late: exchanges send them seconds after their end.
 *
 * Which series they feed: the one of their own timeframe, and longer ones that the timeframe divides, unless those have
 * bars of their own or another timeframe that came first. A series fed by bars takes no more ticks. When its feed
 * changes, the bar in progress mixes both and is never closed.
 *
 * A bar waits for the one before it only while that would not be late yet: within an allowed lateness of 2 s only bars
 * of a second wait at all, and only behind a hole.
 */
import { limits } from '../domain/limits';
import type { BarInput } from '../domain/tick';
import { parseTimeframe, timeframeOf } from '../domain/timeframe';
import type { ClosedBar, Outcome } from './market';
import { addOwnBar, addShorterBar, closeForming, formingEndMs, isForming, restartSeries, type Series } from './series';
import { cappedMs } from './sources';
import { arrangeSeries, type OutsideBars, type SymbolMarket } from './symbol-state';

function endMsOf(bar: BarInput, outside: OutsideBars): number {
  return bar.timestampMs + outside.ms;
}

function find(sm: SymbolMarket, timeframe: string): OutsideBars | null {
  for (const outside of sm.outside) if (outside.timeframe === timeframe) return outside;
  return null;
}

function isRemembered(outside: OutsideBars, openMs: number): boolean {
  const known = Math.min(outside.admitted, outside.opens.length);
  for (let i = 0; i < known; i++) if (outside.opens[i] === openMs) return true;
  return false;
}

/** The outcome of a bar; an accepted one is remembered. Throws a `ValueError` for a timeframe that is none. */
export function admitBar(sm: SymbolMarket, bar: BarInput, latenessMs: number): Outcome {
  if (!bar.isClosed) return 'forming_bar';
  const outside = find(sm, bar.timeframe) ?? addOutside(sm, bar);
  const endMs = endMsOf(bar, outside);
  if (endMs <= outside.maxEndMs) {
    // Bars of a tick count may open in the same millisecond; of a span of time there is one.
    if (outside.ms > 0 && isRemembered(outside, bar.timestampMs)) return 'duplicate';
    const isPassed = outside.ms > 0 ? endMs <= outside.releasedEndMs : endMs < outside.releasedEndMs;
    if (isPassed || endMs < outside.maxEndMs - latenessMs) return 'late';
  }
  outside.opens[outside.admitted % outside.opens.length] = bar.timestampMs;
  outside.admitted++;
  return 'accepted';
}

function addOutside(sm: SymbolMarket, bar: BarInput): OutsideBars {
  const timeframe = parseTimeframe(bar.timeframe);
  const outside: OutsideBars = {
    timeframe: timeframe.name,
    ms: timeframe.ms,
    maxEndMs: 0,
    releasedEndMs: 0,
    waiting: [],
    opens: new Float64Array(limits.outsideBarsRemembered),
    admitted: 0,
  };
  sm.outside.push(outside);
  for (const series of sm.series) attachFeed(sm, series, isForming(series) ? bar.timestampMs : 0);
  arrangeSeries(sm);
  return outside;
}

/** Decides what feeds a series; `fromMs` is where the new feed begins. */
export function attachFeed(sm: SymbolMarket, series: Series, fromMs: number): void {
  const { name, ms } = series.timeframe;
  let feed = series.fedBy;
  for (const outside of sm.outside) {
    if (outside.timeframe === name) feed = name;
    else if (feed === '' && outside.ms > 0 && ms > outside.ms && ms % outside.ms === 0) feed = outside.timeframe;
  }
  if (feed === series.fedBy) return;
  series.fedBy = feed;
  restartSeries(series, fromMs);
}

/** Takes in an admitted bar; what it closes, itself included, is appended to `closed`. */
export function feedBar(sm: SymbolMarket, bar: BarInput, latenessMs: number, closed: ClosedBar[]): void {
  const outside = find(sm, bar.timeframe);
  if (outside === null) return;
  const endMs = endMsOf(bar, outside);
  const seenMs = cappedMs(sm, endMs);
  if (seenMs > outside.maxEndMs) outside.maxEndMs = seenMs;
  if (latenessMs === 0 && outside.waiting.length === 0) {
    pass(sm, outside, bar, closed);
    return;
  }
  const waiting = outside.waiting;
  let at = waiting.length;
  while (at > 0 && (waiting[at - 1] as BarInput).timestampMs > bar.timestampMs) at--;
  waiting.splice(at, 0, bar);
  passWaiting(sm, outside, outside.maxEndMs - latenessMs, closed);
}

function passWaiting(sm: SymbolMarket, outside: OutsideBars, settledMs: number, closed: ClosedBar[]): void {
  for (;;) {
    const next = outside.waiting[0];
    if (next === undefined) return;
    const isNext = next.timestampMs === outside.releasedEndMs || next.timestampMs < settledMs;
    if (!isNext && outside.waiting.length <= limits.outsideBarsWaiting) return;
    outside.waiting.shift();
    pass(sm, outside, next, closed);
  }
}

function pass(sm: SymbolMarket, outside: OutsideBars, bar: BarInput, closed: ClosedBar[]): void {
  const endMs = endMsOf(bar, outside);
  if (endMs > outside.releasedEndMs) outside.releasedEndMs = endMs;
  for (const series of sm.series) {
    if (series.fedBy !== outside.timeframe) continue;
    if (series.timeframe.name === outside.timeframe) addOwnBar(series, bar, endMs, closed);
    else addShorterBar(series, bar, endMs, closed);
  }
}

/**
 * Time was told: bars that waited for a missing one go on, and a longer bar still without its last part closes one part
 * later, because the part itself arrives only after its end.
 */
export function advanceBars(sm: SymbolMarket, toMs: number, closed: ClosedBar[]): void {
  for (const outside of sm.outside) passWaiting(sm, outside, toMs, closed);
  for (const series of sm.series) {
    if (series.fedBy === '' || !isForming(series)) continue;
    const partMs = timeframeOf(series.fedBy)?.ms ?? 0;
    if (formingEndMs(series) + partMs <= toMs) closeForming(series, closed);
  }
}
