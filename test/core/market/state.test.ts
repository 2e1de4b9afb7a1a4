import assert from 'node:assert/strict';
import fc from 'fast-check';
import { StateReader, StateWriter } from '../../../src/core/domain/state-codec';
import type { MarketItem } from '../../../src/core/domain/tick';
import { defaultPolicies } from '../../../src/core/market/market';
import {
  advance,
  createSymbolMarket,
  readSymbolMarket,
  writeSymbolMarket,
} from '../../../src/core/market/symbol-market';
import { bar, bytesOf, emptyRun, market, partial, play, revived, t0, tick, uniforms } from './market-samples';

/** A bit of everything: shuffled ticks of three feeds, repetitions, bad prints, level shifts, conflation, bars, silence. */
function mess(seed: number, count: number): (MarketItem | number)[] {
  const uniform = uniforms(seed);
  let ms = 0;
  let price = 100;
  const items: (MarketItem | number)[] = [];
  for (let i = 0; i < count; i++) {
    ms += Math.floor(uniform() * 400);
    price *= 1 + (uniform() - 0.5) / 300;
    if (i % 397 === 396) price *= 1.6;
    const dice = uniform();
    const source = uniform() < 0.2 ? 'b' : 'a';
    const at = Math.max(0, ms - Math.floor(uniform() * 2_500));
    if (dice < 0.02) items.push(tick(at, price * 30, { source }));
    else if (dice < 0.04) items.push(partial(at, ms, { source, open: price, high: price, low: price, close: price }));
    else if (dice < 0.06) items.push(bar(Math.floor(at / 60_000) * 60_000 - 60_000, '1m', price, { source }));
    else if (dice < 0.07) items.push(t0 + at);
    else if (dice < 0.08) items.push(tick(Math.max(0, ms - 4_500), price, { source: 'slow' }));
    else if (dice < 0.15 && items.length > 0) items.push(items[items.length - 1] as MarketItem | number);
    else if (dice < 0.5) items.push(tick(at, price, { source, id: `i${i}`, volume: uniform() }));
    else items.push(tick(at, price, { source, volume: uniform() }));
  }
  return items;
}

function playAll(sm: ReturnType<typeof market>, items: readonly (MarketItem | number)[], run = emptyRun()) {
  for (const item of items) {
    if (typeof item === 'number') advance(sm, item, run.closed);
    else play(sm, [item], 'live', run);
  }
  return run;
}

describe('market state as bytes', () => {
  it('restored goes on as if it had never stopped, wherever it was cut (property)', () => {
    const items = mess(5, 1_600);
    const whole = market(['1s', '1m', '15m', '9t']);
    const straight = playAll(whole, items);
    const kinds = new Set(straight.outcomes);
    for (const kind of ['accepted', 'duplicate', 'late', 'held', 'accepted_released', 'accepted_late'] as const) {
      assert.ok(kinds.has(kind), `the run shows ${kind}`);
    }
    assert.ok(straight.closed.length > 100);
    const property = fc.property(fc.integer({ min: 0, max: items.length }), (cut) => {
      const before = market(['1s', '1m', '15m', '9t']);
      const run = playAll(before, items.slice(0, cut));
      const after = revived(before);
      assert.deepEqual(bytesOf(after), bytesOf(before));
      playAll(after, items.slice(cut), run);
      assert.deepEqual(run, straight);
      assert.deepEqual(bytesOf(after), bytesOf(whole));
    });
    fc.assert(property, { seed: 45, numRuns: 25 });
  });

  it('is small for a quiet symbol', () => {
    assert.ok(bytesOf(createSymbolMarket('BTCUSDT', defaultPolicies)).length < 4_500);
  });

  it('of another version is refused', () => {
    const writer = new StateWriter();
    writer.u32(99);
    assert.throws(() => readSymbolMarket(new StateReader(writer.bytes()), defaultPolicies), /version 99/);
  });

  it('cut short is refused, at every length', () => {
    const sm = market(['1s']);
    playAll(sm, mess(6, 40));
    const writer = new StateWriter();
    writeSymbolMarket(sm, writer);
    const bytes = writer.bytes();
    for (let length = 0; length < bytes.length; length += 97) {
      assert.throws(() => readSymbolMarket(new StateReader(bytes.subarray(0, length)), defaultPolicies));
    }
  });
});
