/** Ticks, bars and whole runs for the tests of the market side. */
import { StateReader, StateWriter } from '../../../src/core/domain/state-codec';
import type { BarInput, MarketItem, PartialBar, Tick, TickExtras } from '../../../src/core/domain/tick';
import { admit } from '../../../src/core/market/admit';
import { type Admitted, type ClosedBar, defaultPolicies, type Outcome } from '../../../src/core/market/market';
import {
  advance,
  createSymbolMarket,
  feed,
  openSeries,
  readSymbolMarket,
  type SymbolMarket,
  writeSymbolMarket,
} from '../../../src/core/market/symbol-market';

/** 2024-01-01T00:00:00Z, the open of every timeframe's bar. */
export const t0 = 1_704_067_200_000;

export function tick(ms: number, price: number, rest: Partial<Tick> & { id?: string } = {}): Tick {
  const { id, ...fields } = rest;
  const extras: TickExtras | null = id === undefined ? null : { id };
  const base = { kind: 'tick', symbol: 'BTCUSDT', source: 'a', stamped: true, quote: null, assetType: null } as const;
  return { ...base, timestampMs: t0 + ms, price, volume: 1, extras, ...fields };
}

export function partial(firstMs: number, lastMs: number, rest: Partial<PartialBar> = {}): PartialBar {
  return {
    kind: 'partial',
    symbol: 'BTCUSDT',
    source: 'a',
    firstMs: t0 + firstMs,
    timestampMs: t0 + lastMs,
    open: 100,
    high: 102,
    low: 99,
    close: 101,
    volume: 10,
    count: 5,
    assetType: null,
    ...rest,
  };
}

export function bar(openMs: number, timeframe: string, close: number, rest: Partial<BarInput> = {}): BarInput {
  return {
    kind: 'bar',
    symbol: 'BTCUSDT',
    source: 'a',
    timestampMs: t0 + openMs,
    timeframe,
    open: close,
    high: close + 1,
    low: close - 1,
    close,
    volume: 2,
    isClosed: true,
    assetType: null,
    id: null,
    ...rest,
  };
}

/** A market with these series open. */
export function market(timeframes: readonly string[], policies: Partial<typeof defaultPolicies> = {}): SymbolMarket {
  const sm = createSymbolMarket('BTCUSDT', { ...defaultPolicies, ...policies });
  for (const timeframe of timeframes) openSeries(sm, timeframe, 64);
  return sm;
}

/** What a run of items gave. */
export interface Run {
  readonly outcomes: (Outcome | 'held')[];
  readonly admitted: Admitted[];
  readonly dropped: Admitted[];
  readonly closed: ClosedBar[];
}

export function emptyRun(): Run {
  return { outcomes: [], admitted: [], dropped: [], closed: [] };
}

/** One by one as the engine does it: admitted, then fed. `arrivalMs` is far ahead, so no stamp is in the future. */
export function play(
  sm: SymbolMarket,
  items: readonly MarketItem[],
  door: 'live' | 'ordered',
  run: Run = emptyRun(),
  arrivalMs = t0 * 2,
): Run {
  for (const item of items) {
    const out: Admitted[] = [];
    run.outcomes.push(admit(sm, item, door, arrivalMs, out, run.dropped));
    for (const one of out) {
      run.admitted.push(one);
      feed(sm, one.item, door, run.closed);
    }
  }
  return run;
}

/** Tells the time at the end of a run. */
export function finish(sm: SymbolMarket, ms: number, run: Run): Run {
  advance(sm, t0 + ms, run.closed);
  return run;
}

export function bytesOf(sm: SymbolMarket): Uint8Array {
  const writer = new StateWriter();
  writeSymbolMarket(sm, writer);
  return writer.bytes();
}

export function revived(sm: SymbolMarket): SymbolMarket {
  return readSymbolMarket(new StateReader(bytesOf(sm)), sm.policies);
}

/** Bars of one timeframe without what is the same in all of them. */
export function barsOf(run: Run, timeframe: string): unknown[] {
  return run.closed.filter((one) => one.bar.timeframe === timeframe).map((one) => one.bar);
}

/** mulberry32: uniform numbers in (0, 1) from a seed. */
export function uniforms(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296;
  };
}

/** Standard normal numbers from a seed (Box-Muller). */
export function normals(seed: number): () => number {
  const uniform = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Uneven ticks in order, no two of the same instant. */
export function walk(seed: number, count: number, stepMs: number): Tick[] {
  const uniform = uniforms(seed);
  let ms = 0;
  let price = 100;
  return Array.from({ length: count }, (_, i) => {
    ms += 1 + Math.floor(-Math.log(uniform()) * stepMs);
    price *= 1 + (uniform() - 0.5) / 500;
    return tick(ms, price, { volume: uniform() * 3, id: `t${i}` });
  });
}
