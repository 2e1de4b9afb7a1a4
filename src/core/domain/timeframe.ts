import { valueError } from './errors';

/** Length of a bar: a span of time aligned to UTC, or a number of ticks (`100t`). */
export interface Timeframe {
  readonly name: string;
  /** Milliseconds of a time bar; 0 for a tick-count bar. */
  readonly ms: number;
  /** Ticks of a tick-count bar; 0 for a time bar. */
  readonly ticks: number;
}

const spans: ReadonlyMap<string, number> = new Map([
  ['1s', 1_000],
  ['5s', 5_000],
  ['15s', 15_000],
  ['30s', 30_000],
  ['1m', 60_000],
  ['3m', 180_000],
  ['5m', 300_000],
  ['15m', 900_000],
  ['30m', 1_800_000],
  ['1h', 3_600_000],
  ['2h', 7_200_000],
  ['4h', 14_400_000],
  ['6h', 21_600_000],
  ['12h', 43_200_000],
  ['1d', 86_400_000],
]);

/** The names of the time bars that the outside may ask for. */
export const timeframeNames: readonly string[] = [...spans.keys()];

const tickCount = /^([1-9][0-9]{0,5})t$/;
const parsed = new Map<string, Timeframe>();

/** The timeframe of that name, or `null` when it has none. */
export function timeframeOf(name: string): Timeframe | null {
  const known = parsed.get(name);
  if (known) return known;
  const ms = spans.get(name);
  const ticks = ms === undefined ? Number(tickCount.exec(name)?.[1] ?? 0) : 0;
  if (ms === undefined && ticks === 0) return null;
  const timeframe = { name, ms: ms ?? 0, ticks };
  if (parsed.size < 1_000) parsed.set(name, timeframe);
  return timeframe;
}

/** As `timeframeOf`; throws a `ValueError` naming the field for a name that is none. */
export function parseTimeframe(name: string, path = 'timeframe'): Timeframe {
  const timeframe = timeframeOf(name);
  if (!timeframe)
    throw valueError(path, `must be one of ${timeframeNames.join(' ')} or a tick count such as 100t`, name);
  return timeframe;
}

/** The UTC-aligned open of the time bar that holds `timestampMs`. */
export function barOpenMs(timestampMs: number, timeframeMs: number): number {
  return Math.floor(timestampMs / timeframeMs) * timeframeMs;
}
