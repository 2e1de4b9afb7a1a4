import type { Bar } from '../domain/bar';

/** A market made up of calm, trending and wild stretches; always the same. */
export function sampleBars(count = 1_200): readonly Bar[] {
  const bars: Bar[] = [];
  let seed = 12_345;
  const next = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 4_294_967_296;
  };
  let close = 100;
  for (let i = 0; i < count; i++) {
    const open = close;
    const drift = [0, 0.002, 0, -0.002, 0, 0][Math.floor(i / 100) % 6] as number;
    const volatility = i % 300 < 150 ? 0.004 : 0.01;
    close = open * (1 + drift + volatility * (next() + next() + next() - 1.5));
    const high = Math.max(open, close) * (1 + 0.002 * next());
    const low = Math.min(open, close) * (1 - 0.002 * next());
    bars.push(sampleBar(i, open, high, low, close, Math.round(1_000 * (0.5 + next()))));
  }
  return bars;
}

/** One bar of it; `i` counts minutes. */
export function sampleBar(i: number, open: number, high: number, low: number, close: number, volume: number): Bar {
  const openMs = 1_700_000_040_000 + i * 60_000;
  const when = { symbol: 'SAMPLE', timeframe: '1m', openMs, endMs: openMs + 60_000 };
  return { ...when, open, high, low, close, volume, ticks: 0, conflated: false };
}
