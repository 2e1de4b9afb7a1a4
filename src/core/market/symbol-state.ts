/** All market state of one symbol: plain data, touched only by the functions of this folder. */
import type { BarInput } from '../domain/tick';
import { type Band, createBand } from './band';
import { createDuplicateWindow, type DuplicateWindow } from './duplicates';
import { type MarketPolicies, type Outcome, outcomes } from './market';
import { createReorder, type Reorder, type TickItem } from './reorder';
import type { Series } from './series';

/** One feed of the symbol. */
export interface SourceState {
  readonly name: string;
  /** Never reused, so that what an evicted source left in the duplicate memory is nobody's. */
  readonly number: number;
  /** Largest event time admitted: the source's watermark is this less the lateness. */
  maxMs: number;
  /** Largest event time that went on to the bars. */
  fedMs: number;
  /** Allowed lateness of the door it came through last. */
  latenessMs: number;
}

/** Bars from outside of one timeframe. */
export interface OutsideBars {
  readonly timeframe: string;
  /** Length; 0 for tick-count bars. */
  readonly ms: number;
  /** Largest end admitted, and end of the last one that went on to the series. */
  maxEndMs: number;
  releasedEndMs: number;
  /** Admitted ones that wait for an earlier one, ascending. */
  waiting: BarInput[];
  /** Opens of the last admitted, a ring: what repeats one is a duplicate. */
  readonly opens: Float64Array;
  admitted: number;
}

export interface SymbolMarket {
  readonly symbol: string;
  readonly policies: MarketPolicies;
  readonly sources: SourceState[];
  /** Index of the source that spoke last. */
  sourceAt: number;
  sourcesSeen: number;
  readonly duplicates: DuplicateWindow;
  readonly band: Band;
  /** Held back as off-market, in order of arrival. */
  held: TickItem[];
  readonly reorder: Reorder;
  /** Ticks up to here are in the bars, and bars that end by then are closed; 0 before the first. */
  watermarkMs: number;
  /** Largest time that was told (`advance`): ticks before it are late. */
  toldMs: number;
  /** Event time of the last tick that went into bars, which series opened later have not seen. */
  appliedMs: number;
  /** Live arrival time of the last item; a stamp beyond it moves no watermark. 0 = do not care. */
  arrivalMs: number;
  /** Ascending by timeframe: tick counts, then time bars by length. */
  readonly series: Series[];
  /** Those of `series` that ticks feed, apart: time bars and tick counts. */
  readonly timeFed: Series[];
  readonly countFed: Series[];
  readonly outside: OutsideBars[];
  /** Timeframe that is followed without a subscriber, so every symbol has a regime: one minute, or the first bars from outside. */
  ownTimeframe: string;
  /** By index of `outcomes`: every item that is not held back is in exactly one. */
  readonly counts: Float64Array;
  /** Ticks that were used though behind the watermark, and whose bars had all closed: tick strategies saw them, no bar did. */
  outsideBars: number;
}

/** State of a symbol of which nothing is known, without a series of its own. */
export function emptySymbolMarket(symbol: string, policies: MarketPolicies): SymbolMarket {
  return {
    symbol,
    policies,
    sources: [],
    sourceAt: 0,
    sourcesSeen: 0,
    duplicates: createDuplicateWindow(),
    band: createBand(),
    held: [],
    reorder: createReorder(),
    watermarkMs: 0,
    toldMs: 0,
    appliedMs: 0,
    arrivalMs: 0,
    series: [],
    timeFed: [],
    countFed: [],
    outside: [],
    ownTimeframe: '',
    counts: new Float64Array(outcomes.length),
    outsideBars: 0,
  };
}

/** How many items ended in that outcome. */
export function outcomeCount(sm: SymbolMarket, outcome: Outcome): number {
  return sm.counts[outcomes.indexOf(outcome)] ?? 0;
}

/** How many items are held back, their outcome still open. */
export function heldCount(sm: SymbolMarket): number {
  return sm.held.length;
}

/** Sorts series by timeframe and tells apart which ones ticks feed; to be called when that changes. */
export function arrangeSeries(sm: SymbolMarket): void {
  sm.series.sort((a, b) => a.timeframe.ms - b.timeframe.ms || a.timeframe.ticks - b.timeframe.ticks);
  sm.timeFed.length = 0;
  sm.countFed.length = 0;
  for (const series of sm.series) {
    if (series.fedBy === '') (series.timeframe.ms > 0 ? sm.timeFed : sm.countFed).push(series);
  }
}
