/** Real bars from the reference material, oldest first; `null`, said loudly, where it is missing. */
import { readFileSync } from 'node:fs';
import type { Bar } from '../../src/core/domain/bar';
import { reference } from './references';

/** Reads `market/<path>` (columns time, open, high, low, close, volume), at most `limit` rows after `skip`. */
export function marketBars(path: string, timeframeMs: number, limit = Number.POSITIVE_INFINITY): readonly Bar[] | null {
  const file = reference(`market/${path}`);
  if (file === null) return null;
  const rows = readFileSync(file, 'utf8').trim().split(/\r?\n/).slice(1);
  return rows.slice(0, limit).map((row) => {
    const [time = '', open, high, low, close, volume] = row.split(',');
    const openMs = /^\d+$/.test(time) ? Number(time) : Date.parse(`${time.replace(' ', 'T').replace(/\.0+$/, '')}Z`);
    const when = {
      symbol: 'TEST',
      timeframe: timeframeMs === 60_000 ? '1m' : '1d',
      openMs,
      endMs: openMs + timeframeMs,
    };
    const prices = { open: Number(open), high: Number(high), low: Number(low), close: Number(close) };
    return { ...when, ...prices, volume: Number(volume), ticks: 0, conflated: false };
  });
}

export const marketFiles = {
  spy: () => marketBars('daily/SPY-1d-lean.csv', 86_400_000),
  goog: () => marketBars('daily/GOOG-1d-backtestingpy.csv', 86_400_000),
  btc: () => marketBars('minute/BTCPERP-1m-nautilus-202201.csv', 60_000, 6_000),
} as const;
