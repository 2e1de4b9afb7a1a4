/**
 * Bars of the past, handed over when a strategy is registered: they are remembered by a series as if it had seen them,
 * so that whoever attaches next warms up on them. They are no feed: ticks go on making the bars that follow.
 */
import type { Bar } from '../domain/bar';
import type { BarInput } from '../domain/tick';
import { timeframeOf } from '../domain/timeframe';
import type { ClosedBar } from './market';
import { addOwnBar, addShorterBar, createSeries, formingOpenMs, remember, type Series } from './series';

/**
 * Fills a series that has closed no bar yet, from closed bars of its own timeframe or of one that divides it; others are
 * left out, and so is what lies within or behind the bar that forms. Any order. Answers how many bars came of it.
 */
export function fillSeries(series: Series, bars: readonly BarInput[]): number {
  if (series.lastEndMs > 0) return 0;
  const formingMs = formingOpenMs(series);
  const past = closedBars(series, bars).filter(({ endMs }) => formingMs === null || endMs <= formingMs);
  for (const bar of past) remember(series, bar);
  // A bar of ticks that began within the last of them would be incomplete.
  if (formingMs === null) series.fromMs = Math.max(series.fromMs, series.lastEndMs);
  return past.length;
}

function closedBars(series: Series, bars: readonly BarInput[]): Bar[] {
  const { symbol, timeframe } = series;
  const scratch = createSeries(symbol, timeframe.name, bars.length, 0);
  const closed: ClosedBar[] = [];
  const ordered = bars.filter(({ isClosed }) => isClosed).sort((a, b) => a.timestampMs - b.timestampMs);
  for (const bar of ordered) {
    const ms = timeframeOf(bar.timeframe)?.ms ?? 0;
    const endMs = bar.timestampMs + ms;
    if (bar.timeframe === timeframe.name) addOwnBar(scratch, bar, endMs, closed);
    else if (canMake(bar.timeframe, timeframe.name)) addShorterBar(scratch, bar, endMs, closed);
  }
  return closed.map(({ bar }) => bar);
}

/** Whether bars of one timeframe say all about bars of the other. */
export function canMake(part: string, whole: string): boolean {
  const partMs = timeframeOf(part)?.ms ?? 0;
  const wholeMs = timeframeOf(whole)?.ms ?? 0;
  return part === whole || (partMs > 0 && wholeMs > partMs && wholeMs % partMs === 0);
}
