/**
 * The last closed bars of one series, in rows of doubles: a strategy registered later warms up on them at once. The
 * ring starts small and grows to its capacity, because most symbols never have that many bars.
 */
import type { Bar } from '../domain/bar';
import { limits } from '../domain/limits';
import type { Regime } from '../domain/regime';
import type { StateReader, StateWriter } from '../domain/state-codec';

const columns = 11;
const startRows = 16;

/** Row `(next - stored + i) mod rows` is the i-th oldest. */
export interface BarHistory {
  capacity: number;
  rows: Float64Array;
  stored: number;
  next: number;
}

/** As many bars as asked for, but at least `limits.barHistoryMin` and at most `limits.barHistoryMax`. */
function capacityFor(bars: number): number {
  return Math.min(limits.barHistoryMax, Math.max(limits.barHistoryMin, Math.ceil(bars)));
}

/** An empty history for `bars` bars. */
export function createHistory(bars: number): BarHistory {
  return { capacity: capacityFor(bars), rows: new Float64Array(startRows * columns), stored: 0, next: 0 };
}

/** Makes room for `bars` bars; never shrinks, since others rely on what they asked for. */
export function widenHistory(history: BarHistory, bars: number): void {
  history.capacity = Math.max(history.capacity, capacityFor(bars));
}

function grow(history: BarHistory): void {
  const rows = history.rows.length / columns;
  const grown = new Float64Array(Math.min(history.capacity, rows * 2) * columns);
  for (let i = 0; i < history.stored; i++) {
    const from = rowOf(history, i);
    grown.set(history.rows.subarray(from, from + columns), i * columns);
  }
  history.rows = grown;
  history.next = history.stored;
}

/** The figures of a regime, as they were when a bar closed. */
export type RegimeFigures = Pick<Regime, 'trendT' | 'volatilityRatio'>;

/** Keeps a closed bar and its regime's figures, forgetting the oldest when full. */
export function pushBar(history: BarHistory, bar: Bar, regime: RegimeFigures): void {
  if (history.stored * columns === history.rows.length && history.stored < history.capacity) grow(history);
  const rows = history.rows.length / columns;
  const values = history.rows;
  const at = history.next * columns;
  values[at] = bar.openMs;
  values[at + 1] = bar.endMs;
  values[at + 2] = bar.open;
  values[at + 3] = bar.high;
  values[at + 4] = bar.low;
  values[at + 5] = bar.close;
  values[at + 6] = bar.volume;
  values[at + 7] = bar.ticks;
  values[at + 8] = bar.conflated ? 1 : 0;
  values[at + 9] = regime.trendT ?? Number.NaN;
  values[at + 10] = regime.volatilityRatio ?? Number.NaN;
  history.next = (history.next + 1) % rows;
  if (history.stored < rows) history.stored++;
}

function rowOf(history: BarHistory, i: number): number {
  const rows = history.rows.length / columns;
  return ((history.next - history.stored + i + rows) % rows) * columns;
}

/** The figures kept with the i-th bar, 0 = oldest; `null` outside `[0, stored)`. */
export function figuresAt(history: BarHistory, i: number): RegimeFigures | null {
  if (!(i >= 0 && i < history.stored)) return null;
  const at = rowOf(history, i);
  const [trendT, volatilityRatio] = [history.rows[at + 9] as number, history.rows[at + 10] as number];
  return {
    trendT: Number.isNaN(trendT) ? null : trendT,
    volatilityRatio: Number.isNaN(volatilityRatio) ? null : volatilityRatio,
  };
}

/** The i-th kept bar, 0 = oldest; `null` outside `[0, stored)`. */
export function barAt(history: BarHistory, i: number, symbol: string, timeframe: string): Bar | null {
  if (!(i >= 0 && i < history.stored)) return null;
  const at = rowOf(history, i);
  const values = history.rows;
  return {
    symbol,
    timeframe,
    openMs: values[at] as number,
    endMs: values[at + 1] as number,
    open: values[at + 2] as number,
    high: values[at + 3] as number,
    low: values[at + 4] as number,
    close: values[at + 5] as number,
    volume: values[at + 6] as number,
    ticks: values[at + 7] as number,
    conflated: values[at + 8] === 1,
  };
}

/** Writes capacity and rows as they are. */
export function writeHistory(history: BarHistory, writer: StateWriter): void {
  writer.u32(history.capacity);
  writer.u32(history.stored);
  writer.u32(history.next);
  writer.f64s(history.rows);
}

/** Reads what `writeHistory` wrote. */
export function readHistory(reader: StateReader): BarHistory {
  const capacity = reader.u32();
  const stored = reader.u32();
  const next = reader.u32();
  return { capacity, stored, next, rows: reader.f64s() };
}
