/** Daily returns of a symbol, from the closed bars that are remembered of it: what a strategy is compared with. */
import { type DayRule, dayIndex } from '../performance/day-rule';
import { history, historyLength, type Series } from './series';
import type { SymbolMarket } from './symbol-state';

/** The series of time bars that covers most time; `null` when none has a bar. */
function longestOf(sm: SymbolMarket): Series | null {
  let longest: Series | null = null;
  let longestMs = 0;
  for (const series of sm.series) {
    const oldest = series.timeframe.ms > 0 ? history(series, 0) : null;
    const newest = history(series, historyLength(series) - 1);
    if (oldest === null || newest === null || newest.endMs - oldest.openMs <= longestMs) continue;
    longest = series;
    longestMs = newest.endMs - oldest.openMs;
  }
  return longest;
}

/**
 * Day (by the rule) → close over the close of the last day before it that has one, less 1. The first day has none; days
 * whose prices are not positive have none either.
 */
export function dailyReturns(sm: SymbolMarket, rule: DayRule): ReadonlyMap<number, number> {
  const returns = new Map<number, number>();
  const series = longestOf(sm);
  if (series === null) return returns;
  let day = Number.NEGATIVE_INFINITY;
  let before = 0;
  let close = 0;
  for (let i = 0; i < historyLength(series); i++) {
    const bar = history(series, i);
    if (bar === null) continue;
    // A bar that ends at midnight is of the day that it closes.
    const ofDay = dayIndex(rule, bar.endMs - 1);
    if (ofDay !== day) before = close;
    day = ofDay;
    close = bar.close;
    if (before > 0 && close > 0) returns.set(day, close / before - 1);
  }
  return returns;
}
