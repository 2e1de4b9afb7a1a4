/**
 * One timeframe of one symbol: the bar that forms, the bars that closed, and what they say. The forming bar lies in one
 * slab of doubles, because every tick writes it for every subscribed timeframe.
 */
import type { Bar } from '../domain/bar';
import type { Regime } from '../domain/regime';
import type { StateReader, StateWriter } from '../domain/state-codec';
import type { BarInput, PartialBar } from '../domain/tick';
import { barOpenMs, parseTimeframe, type Timeframe } from '../domain/timeframe';
import { createFeatures, type Features, updateFeatures } from './features';
import {
  type BarHistory,
  barAt,
  createHistory,
  figuresAt,
  pushBar,
  type RegimeFigures,
  readHistory,
  writeHistory,
} from './history';
import type { ClosedBar } from './market';
import { classify, createRegimeState, type RegimeState, unknownRegime } from './regime';

const OPEN_MS = 0;
const END_MS = 1;
const OPEN = 2;
const HIGH = 3;
const LOW = 4;
const CLOSE = 5;
const VOLUME = 6;
/** Ticks in the forming bar. */
const TICKS = 7;
/** Contributions of any kind; 0 = nothing is forming. */
const PARTS = 8;
const CONFLATED = 9;
const slabLength = 10;

/** `regime` and `features` are of the last closed bar. */
export interface Series {
  readonly symbol: string;
  readonly timeframe: Timeframe;
  /** How many subscribed to it. */
  users: number;
  /** Timeframe of the bars from outside that feed it; '' = ticks do. */
  fedBy: string;
  /** Bars that opened before this are incomplete (the series was opened, or its feed changed, within them) and never closed. */
  fromMs: number;
  /** End of the last closed bar; 0 before the first. */
  lastEndMs: number;
  readonly forming: Float64Array;
  readonly bars: BarHistory;
  features: Features;
  regimeState: RegimeState;
  regime: Regime;
}

/** A series that closes its first bar at the earliest for a bar opening at `fromMs`. Throws a `ValueError` for a timeframe that is none. */
export function createSeries(symbol: string, timeframeName: string, historyBars: number, fromMs: number): Series {
  return {
    symbol,
    timeframe: parseTimeframe(timeframeName),
    users: 0,
    fedBy: '',
    fromMs,
    lastEndMs: 0,
    forming: new Float64Array(slabLength),
    bars: createHistory(historyBars),
    features: createFeatures(),
    regimeState: createRegimeState(),
    regime: unknownRegime,
  };
}

/** The i-th remembered closed bar, 0 = oldest; `null` outside `[0, historyLength)`. */
export function history(series: Series, i: number): Bar | null {
  return barAt(series.bars, i, series.symbol, series.timeframe.name);
}

/** What a strategy may know of the regime when the i-th remembered bar closed; `null` outside `[0, historyLength)`. */
export function historyRegime(series: Series, i: number): RegimeFigures | null {
  return figuresAt(series.bars, i);
}

/** How many closed bars are remembered. */
export function historyLength(series: Series): number {
  return series.bars.stored;
}

/** Whether a bar is forming. */
export function isForming(series: Series): boolean {
  return (series.forming[PARTS] as number) > 0;
}

/** Open of the forming bar; `null` when none is forming. */
export function formingOpenMs(series: Series): number | null {
  return isForming(series) ? (series.forming[OPEN_MS] as number) : null;
}

/** End of the forming time bar (of the last one when none is forming). */
export function formingEndMs(series: Series): number {
  return series.forming[END_MS] as number;
}

/** Forgets the forming bar, and every bar that opens before `fromMs`. */
export function restartSeries(series: Series, fromMs: number): void {
  series.forming.fill(0);
  series.fromMs = Math.max(series.fromMs, fromMs);
}

function keep(series: Series, bar: Bar, origin: ClosedBar['origin'], closed: ClosedBar[]): void {
  closed.push({ bar, origin, regime: remember(series, bar) });
}

/** Takes in a bar as the last closed one: remembered, features and regime up to date. Answers the regime. */
export function remember(series: Series, bar: Bar): Regime {
  series.lastEndMs = bar.endMs;
  updateFeatures(series.features, bar.high, bar.low, bar.close);
  const regime = classify(series.regimeState, series.features, bar.endMs, series.regime);
  series.regime = regime;
  pushBar(series.bars, bar, regime);
  return regime;
}

/** Closes the forming bar: remembered, features and regime updated, appended to `closed`. Nothing when none is forming. */
export function closeForming(series: Series, closed: ClosedBar[]): void {
  const f = series.forming;
  if (f[PARTS] === 0) return;
  f[PARTS] = 0;
  const openMs = f[OPEN_MS] as number;
  if (openMs < series.fromMs) return;
  const bar: Bar = {
    symbol: series.symbol,
    timeframe: series.timeframe.name,
    openMs,
    endMs: f[END_MS] as number,
    open: f[OPEN] as number,
    high: f[HIGH] as number,
    low: f[LOW] as number,
    close: f[CLOSE] as number,
    volume: f[VOLUME] as number,
    ticks: f[TICKS] as number,
    conflated: f[CONFLATED] === 1,
  };
  keep(series, bar, series.fedBy === '' ? 'ticks' : 'bars', closed);
}

function start(series: Series, ms: number, open: number): void {
  const f = series.forming;
  const span = series.timeframe.ms;
  const openMs = span > 0 ? barOpenMs(ms, span) : ms;
  f[OPEN_MS] = openMs;
  f[END_MS] = openMs + span;
  f[OPEN] = open;
  f[HIGH] = open;
  f[LOW] = open;
  f[VOLUME] = 0;
  f[TICKS] = 0;
  f[CONFLATED] = 0;
}

/** Feeds one tick, in event-time order, to a series of time bars; a bar that it lies behind closes first. */
export function addToTimeBar(series: Series, ms: number, price: number, volume: number, closed: ClosedBar[]): void {
  const f = series.forming;
  if (ms >= (f[END_MS] as number) || f[PARTS] === 0) {
    closeForming(series, closed);
    start(series, ms, price);
  } else if (price > (f[HIGH] as number)) f[HIGH] = price;
  else if (price < (f[LOW] as number)) f[LOW] = price;
  f[CLOSE] = price;
  f[VOLUME] = (f[VOLUME] as number) + volume;
  f[TICKS] = (f[TICKS] as number) + 1;
  f[PARTS] = (f[PARTS] as number) + 1;
}

/** Feeds one tick to a series of tick-count bars; the bar closes with the tick that fills it and ends at its time. */
export function addToCountBar(series: Series, ms: number, price: number, volume: number, closed: ClosedBar[]): void {
  const f = series.forming;
  if (f[PARTS] === 0) start(series, ms, price);
  else if (price > (f[HIGH] as number)) f[HIGH] = price;
  else if (price < (f[LOW] as number)) f[LOW] = price;
  f[CLOSE] = price;
  f[VOLUME] = (f[VOLUME] as number) + volume;
  f[TICKS] = (f[TICKS] as number) + 1;
  f[PARTS] = (f[PARTS] as number) + 1;
  f[END_MS] = ms;
  if ((f[TICKS] as number) >= series.timeframe.ticks) closeForming(series, closed);
}

interface Range {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

function widen(f: Float64Array, range: Range): void {
  f[HIGH] = Math.max(f[HIGH] as number, range.high);
  f[LOW] = Math.min(f[LOW] as number, range.low);
  f[VOLUME] = (f[VOLUME] as number) + range.volume;
  f[PARTS] = (f[PARTS] as number) + 1;
}

/**
 * Feeds what overload conflated: range, volume and count go into the bar of its last tick, which is marked; a bar still
 * forming in which it began is marked too, because part of it lies there.
 */
export function addPartial(series: Series, partial: PartialBar, closed: ClosedBar[]): void {
  const f = series.forming;
  const ms = partial.timestampMs;
  const isTime = series.timeframe.ms > 0;
  if (f[PARTS] === 0 || (isTime && ms >= (f[END_MS] as number))) {
    if (f[PARTS] !== 0 && partial.firstMs < (f[END_MS] as number)) f[CONFLATED] = 1;
    closeForming(series, closed);
    start(series, ms, partial.open);
  }
  widen(f, partial);
  f[CLOSE] = partial.close;
  f[TICKS] = (f[TICKS] as number) + partial.count;
  f[CONFLATED] = 1;
  if (isTime) return;
  f[END_MS] = ms;
  if ((f[TICKS] as number) >= series.timeframe.ticks) closeForming(series, closed);
}

/** Feeds a shorter bar from outside to a series it divides; the longer bar closes with its last part. */
export function addShorterBar(series: Series, bar: BarInput, endMs: number, closed: ClosedBar[]): void {
  const f = series.forming;
  if (endMs <= series.lastEndMs) return;
  if (f[PARTS] === 0 || bar.timestampMs >= (f[END_MS] as number)) {
    closeForming(series, closed);
    start(series, bar.timestampMs, bar.open);
  }
  widen(f, bar);
  f[CLOSE] = bar.close;
  if (endMs >= (f[END_MS] as number)) closeForming(series, closed);
}

/** Takes over a bar from outside of the series' own timeframe; one that ends within what is closed already is left out. */
export function addOwnBar(series: Series, bar: BarInput, endMs: number, closed: ClosedBar[]): void {
  if (endMs < series.lastEndMs || (series.timeframe.ms > 0 && endMs === series.lastEndMs)) return;
  series.forming[PARTS] = 0;
  const taken: Bar = {
    symbol: series.symbol,
    timeframe: series.timeframe.name,
    openMs: bar.timestampMs,
    endMs,
    open: bar.open,
    high: bar.high,
    low: bar.low,
    close: bar.close,
    volume: bar.volume,
    ticks: 0,
    conflated: false,
  };
  keep(series, taken, 'bars', closed);
}

/**
 * Adds a late tick that a policy admitted: range, volume and count only, since open and close belong to others. Only the
 * bar that is still forming takes it.
 */
export function addLate(series: Series, ms: number, range: Range, ticks: number): boolean {
  const f = series.forming;
  if (f[PARTS] === 0 || ms < (f[OPEN_MS] as number)) return false;
  widen(f, range);
  f[TICKS] = (f[TICKS] as number) + ticks;
  return true;
}

/** Writes all of the series but its symbol. */
export function writeSeries(series: Series, writer: StateWriter): void {
  writer.str(series.timeframe.name);
  writer.u32(series.users);
  writer.str(series.fedBy);
  writer.f64(series.fromMs);
  writer.f64(series.lastEndMs);
  writer.f64s(series.forming);
  writeHistory(series.bars, writer);
  writer.shape(series.features);
  writer.shape(series.regimeState);
  writer.json(series.regime);
}

/** Reads what `writeSeries` wrote. */
export function readSeries(reader: StateReader, symbol: string): Series {
  const timeframe = parseTimeframe(reader.str());
  const users = reader.u32();
  const fedBy = reader.str();
  const fromMs = reader.f64();
  const lastEndMs = reader.f64();
  const forming = reader.f64s();
  const bars = readHistory(reader);
  const features = createFeatures();
  reader.shape(features);
  const regimeState = createRegimeState();
  reader.shape(regimeState);
  const regime = reader.json() as Regime;
  return { symbol, timeframe, users, fedBy, fromMs, lastEndMs, forming, bars, features, regimeState, regime };
}
