import assert from 'node:assert/strict';
import type { MarketItem } from '../../../src/core/domain/tick';
import { admit } from '../../../src/core/market/admit';
import type { Admitted, ClosedBar } from '../../../src/core/market/market';
import { feed } from '../../../src/core/market/symbol-market';
import { market, normals, tick } from './market-samples';

const batches = 40;
const perBatch = 1_000;

/** CPU time; ticks are made batch by batch and so lie in the cache, as they do when they come from the wire. */
function nanosecondsPerTick(door: 'live' | 'ordered', withIds: boolean): number {
  const normal = normals(1);
  const sm = market(['1s', '1m', '1h']);
  const out: Admitted[] = [];
  const closed: ClosedBar[] = [];
  let price = 100;
  let microseconds = 0;
  for (let batch = 0; batch < batches; batch++) {
    const items: MarketItem[] = [];
    for (let i = 0; i < perBatch; i++) {
      price *= Math.exp(0.0001 * normal());
      const at = batch * perBatch + i;
      items.push(tick(at * 20, price, { volume: Math.abs(normal()), ...(withIds ? { id: `trade-${at}` } : {}) }));
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
    if (batch >= batches / 4) microseconds += used.user + used.system;
  }
  assert.ok(sm.watermarkMs > 0);
  return (microseconds * 1_000) / (batches * 0.75 * perBatch);
}

/** Dependent additions through an array: how fast this machine is now, beside which the other figures mean something. */
function yardstick(): number {
  const values = new Float64Array(1_024);
  let sum = 0;
  const begin = process.cpuUsage();
  for (let i = 0; i < 2_000_000; i++) {
    values[i & 1_023] = sum;
    sum += (values[(i * 7) & 1_023] as number) * 1e-9 + 1;
  }
  const used = process.cpuUsage(begin);
  assert.ok(sum > 0);
  return ((used.user + used.system) * 1_000) / 2_000_000;
}

describe('the cost of admission and three timeframes', () => {
  it('is printed, for orientation: the machine is shared', () => {
    console.log(`      yardstick: ${yardstick().toFixed(2)} ns`);
    console.log(`      in order: ${nanosecondsPerTick('ordered', false).toFixed(0)} ns a tick`);
    console.log(`      in order, with ids: ${nanosecondsPerTick('ordered', true).toFixed(0)} ns a tick`);
    console.log(
      `      through a live door, 2 s of reordering: ${nanosecondsPerTick('live', false).toFixed(0)} ns a tick`,
    );
  });
});
