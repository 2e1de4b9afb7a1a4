/**
 * The cost of admission and three timeframes on one tick, printed for orientation: `npm run build && node -r tsx/cjs
 * test/bench/market-cost.ts`. Beside it a yardstick that says how fast the machine is now.
 */
import type { MarketItem, Tick, TickExtras } from '../../src/core/domain/tick';
import type { Admitted, ClosedBar } from '../../src/core/market/market';
import { normals, t0 } from '../core/market/market-samples';
import { built } from './harness';

const { admit } = built<typeof import('../../src/core/market/admit')>('core/market/admit');
const { defaultPolicies } = built<typeof import('../../src/core/market/market')>('core/market/market');
const { createSymbolMarket, feed, openSeries } =
  built<typeof import('../../src/core/market/symbol-market')>('core/market/symbol-market');

const batches = 200;
const perBatch = 1_000;

/** One shape of literal, as the wire makes them: objects made by spreading cost three times as much to read. */
function literal(timestampMs: number, price: number, volume: number, extras: TickExtras | null): Tick {
  return {
    kind: 'tick',
    symbol: 'BTCUSDT',
    source: 'a',
    timestampMs,
    stamped: true,
    price,
    volume,
    quote: null,
    assetType: null,
    extras,
  };
}

/** CPU time; ticks are made batch by batch and so lie in the cache, as they do when they come from the wire. */
function nanosecondsPerTick(door: 'live' | 'ordered', withIds: boolean): number {
  const normal = normals(1);
  const sm = createSymbolMarket('BTCUSDT', defaultPolicies);
  for (const timeframe of ['1s', '1m', '1h']) openSeries(sm, timeframe, 64);
  const out: Admitted[] = [];
  const closed: ClosedBar[] = [];
  let price = 100;
  let microseconds = 0;
  for (let batch = 0; batch < batches; batch++) {
    const items: MarketItem[] = [];
    for (let i = 0; i < perBatch; i++) {
      price *= Math.exp(0.0001 * normal());
      const at = batch * perBatch + i;
      items.push(literal(t0 + at * 20, price, i / 7, withIds ? { id: `trade-${at}` } : null));
    }
    const begin = process.cpuUsage();
    for (const item of items) {
      // Popping keeps the array's store; `length = 0` would give it back and allocate it again for the next tick.
      while (out.length > 0) out.pop();
      while (closed.length > 0) closed.pop();
      admit(sm, item, door, 0, out);
      for (let i = 0; i < out.length; i++) feed(sm, (out[i] as Admitted).item, door, closed);
    }
    const used = process.cpuUsage(begin);
    if (batch >= batches / 10) microseconds += used.user + used.system;
  }
  return (microseconds * 1_000) / (batches * 0.9 * perBatch);
}

/** Dependent additions through an array. */
function yardstick(): number {
  const values = new Float64Array(1_024);
  let sum = 0;
  const begin = process.cpuUsage();
  for (let i = 0; i < 20_000_000; i++) {
    values[i & 1_023] = sum;
    sum += (values[(i * 7) & 1_023] as number) * 1e-9 + 1;
  }
  const used = process.cpuUsage(begin);
  return sum > 0 ? ((used.user + used.system) * 1_000) / 20_000_000 : 0;
}

function median(measure: () => number): string {
  const rounds = Array.from({ length: 7 }, measure).sort((a, b) => a - b);
  return (rounds[3] as number).toFixed(1);
}

console.log(`yardstick ${median(yardstick)} ns`);
console.log(`in order ${median(() => nanosecondsPerTick('ordered', false))} ns a tick`);
console.log(`in order, with ids ${median(() => nanosecondsPerTick('ordered', true))} ns a tick`);
console.log(`live, 2 s of reordering ${median(() => nanosecondsPerTick('live', false))} ns a tick`);
