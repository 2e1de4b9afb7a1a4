import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Bar } from '../../../src/core/domain/bar';
import { limits } from '../../../src/core/domain/limits';
import type { MarketItem, Tick } from '../../../src/core/domain/tick';
import { historyLength, historyRegime } from '../../../src/core/market/series';
import { advance, openSeries, symbolWatermarkMs } from '../../../src/core/market/symbol-market';
import { barsOf, emptyRun, finish, market, partial, play, t0, tick, uniforms, walk } from './market-samples';

const timeframes = ['1s', '3m', '5m', '1m', '7t'];

/** Sorts every tick by its time plus up to `windowMs`: a late one is never later than the window. */
function shuffled(items: readonly Tick[], windowMs: number, seed: number): Tick[] {
  const uniform = uniforms(seed);
  const keyed = items.map((item) => ({ item, key: item.timestampMs + uniform() * windowMs }));
  return keyed.sort((a, b) => a.key - b.key).map((one) => one.item);
}

describe('bars from ticks', () => {
  it('hold open, high, low, close, volume and count of [open, end)', () => {
    const sm = market(['1m']);
    const run = play(sm, [tick(1_000, 5), tick(2_000, 9), tick(3_000, 2), tick(59_999, 6), tick(60_000, 7)], 'ordered');
    const expected: Bar = {
      symbol: 'BTCUSDT',
      timeframe: '1m',
      openMs: t0,
      endMs: t0 + 60_000,
      open: 5,
      high: 9,
      low: 2,
      close: 6,
      volume: 4,
      ticks: 4,
      conflated: false,
    };
    assert.deepEqual(
      run.closed.map(({ bar, origin }) => ({ bar, origin })),
      [{ bar: expected, origin: 'ticks' }],
    );
  });

  it('close when the watermark reaches their end, or the time is told', () => {
    const sm = market(['1s']);
    const live = play(sm, [tick(0, 100), tick(2_999, 101)], 'live');
    assert.equal(live.closed.length, 0);
    play(sm, [tick(3_000, 102)], 'live', live);
    assert.equal(live.closed.length, 1);
    assert.equal(symbolWatermarkMs(sm), t0 + 1_000);
    finish(sm, 2_999, live);
    assert.equal(live.closed.length, 1);
    finish(sm, 4_000, live);
    assert.deepEqual(
      live.closed.map((one) => [one.bar.endMs - t0, one.bar.close]),
      [
        [1_000, 100],
        [3_000, 101],
        [4_000, 102],
      ],
    );
  });

  it('are not made of empty spans', () => {
    const sm = market(['1s']);
    const run = finish(sm, 3_600_000, play(sm, [tick(0, 100), tick(600_000, 101)], 'ordered'));
    assert.equal(barsOf(run, '1s').length, 2);
  });

  it('come ordered by their end, then by length', () => {
    const sm = market(timeframes);
    const run = finish(sm, 900_000, play(sm, walk(1, 3_000, 250), 'ordered'));
    const order = run.closed.map(({ bar }) => [bar.endMs, timeframes.indexOf(bar.timeframe)]);
    const rank = new Map([...['7t', '1s', '1m', '3m', '5m'].entries()].map(([i, name]) => [name, i]));
    for (let i = 1; i < run.closed.length; i++) {
      const [a, b] = [run.closed[i - 1]?.bar as Bar, run.closed[i]?.bar as Bar];
      const isOrdered =
        a.endMs < b.endMs || (a.endMs === b.endMs && Number(rank.get(a.timeframe)) <= Number(rank.get(b.timeframe)));
      assert.ok(isOrdered, `${a.timeframe} ${a.endMs} before ${b.timeframe} ${b.endMs}`);
    }
    assert.ok(order.length > 500);
  });

  it('of a tick count close with the tick that fills them, at its time', () => {
    const sm = market(['3t']);
    const run = play(
      sm,
      [1, 2, 3, 4].map((n) => tick(n * 10, n)),
      'ordered',
    );
    assert.deepEqual(
      run.closed.map(({ bar }) => [bar.openMs - t0, bar.endMs - t0, bar.open, bar.close, bar.ticks]),
      [[10, 30, 1, 3, 3]],
    );
  });

  it('take the whole range of what was conflated and are marked, the one it began in too', () => {
    const sm = market(['1m', '8t']);
    const items = [tick(1_000, 100), partial(50_000, 61_000), tick(61_500, 100.5), tick(120_000, 101)];
    const run = play(sm, items, 'ordered');
    const minutes = barsOf(run, '1m') as Bar[];
    assert.deepEqual(
      minutes.map((bar) => [bar.open, bar.high, bar.low, bar.close, bar.volume, bar.ticks, bar.conflated]),
      [
        [100, 100, 100, 100, 1, 1, true],
        [100, 102, 99, 100.5, 11, 6, true],
      ],
    );
    assert.deepEqual(
      (barsOf(run, '8t') as Bar[]).map((bar) => [bar.ticks, bar.conflated, bar.volume]),
      [[8, true, 13]],
    );
  });

  it('that a late tick still finds forming take its range and volume; else it is counted as outside of all bars', () => {
    const sm = market(['1m'], { late: 'flag' });
    const run = play(sm, [tick(0, 100), tick(30_000, 100), tick(10_000, 90), tick(60_000, 100)], 'ordered');
    const [minute] = barsOf(run, '1m') as Bar[];
    assert.deepEqual([minute?.low, minute?.close, minute?.ticks, minute?.volume], [90, 100, 3, 3]);
    play(sm, [tick(20_000, 80)], 'ordered', run);
    assert.equal(sm.outsideBars, 1);
  });
});

describe('bars do not depend on the way the ticks came', () => {
  const ticks = walk(7, 4_000, 300);
  const endMs = 2_000_000;
  const clean = finish(market(timeframes), 0, emptyRun());
  const cleanMarket = market(timeframes);
  finish(cleanMarket, endMs, play(cleanMarket, ticks, 'ordered', clean));

  it('shuffled inside the window and every tenth sent twice equals the sorted clean run, bit for bit (property)', () => {
    const property = fc.property(fc.integer(), (seed) => {
      const mixed = shuffled(ticks, 1_990, seed);
      const resent = mixed.flatMap((item, i) => (i % 10 === 0 ? [item, item] : [item]));
      const sm = market(timeframes);
      const run = finish(sm, endMs, play(sm, resent, 'live'));
      assert.deepEqual(run.closed, clean.closed);
      assert.equal(run.outcomes.filter((one) => one === 'duplicate').length, 400);
      assert.equal(run.outcomes.filter((one) => one === 'accepted').length, 4_000);
    });
    fc.assert(property, { seed: 43, numRuns: 8 });
    assert.ok(clean.closed.length > 1_500);
  });

  it('each carries the regime of its own close, however many close at once', () => {
    const sm = market(['1s']);
    const run = emptyRun();
    for (const item of ticks) play(sm, [item], 'live', run);
    const once = market(['1s'], { latenessMs: 10_000_000 });
    const together = finish(once, endMs, play(once, ticks, 'live'));
    finish(sm, endMs, run);
    assert.deepEqual(
      together.closed.filter((one) => one.bar.timeframe === '1s'),
      run.closed.filter((one) => one.bar.timeframe === '1s'),
    );
    const series = openSeries(sm, '1s', 0);
    const length = historyLength(series);
    const last = run.closed.filter((one) => one.bar.timeframe === '1s').slice(-length);
    last.forEach(({ regime: { trendT, volatilityRatio } }, i) => {
      assert.deepEqual(historyRegime(series, i), { trendT, volatilityRatio });
    });
    assert.ok(length > 0 && last[0]?.regime.trendT !== null);
  });

  it('what is beyond the window is late, counted exactly, and changes no bar', () => {
    const late = ticks.flatMap((item, i) =>
      i % 100 === 99 ? [item, tick(item.timestampMs - t0 - 2_001, 1, { id: `late${i}` })] : [item],
    );
    const sm = market(timeframes);
    const run = finish(sm, endMs, play(sm, late, 'live'));
    assert.deepEqual(run.closed, clean.closed);
    assert.equal(run.outcomes.filter((one) => one === 'late').length, 40);
  });

  it('a file that interleaves two feeds gives the bars of their merger', () => {
    const two = ticks.map((item, i) => ({ ...item, source: i % 3 === 0 ? 'b' : 'a' }));
    const arrival = two
      .map((item) => ({ item, key: item.timestampMs + (item.source === 'b' ? 900 : 0) }))
      .sort((x, y) => x.key - y.key)
      .map((one) => one.item);
    const sm = market(timeframes);
    // Both have spoken before the first bar matters, so that neither is taken for the only one.
    const run = finish(sm, endMs, play(sm, arrival, 'ordered'));
    const settled = (list: readonly { readonly bar: Bar }[]) =>
      list.map((one) => one.bar).filter((one) => one.openMs > t0 + 10_000 && one.timeframe !== '7t');
    assert.deepEqual(settled(run.closed), settled(clean.closed));
  });

  it('told the time anywhere inside the window changes nothing (property)', () => {
    const property = fc.property(fc.array(fc.nat(3_999), { maxLength: 50 }), (stops) => {
      const at = new Set(stops);
      const sm = market(timeframes);
      const run = emptyRun();
      ticks.forEach((item, i) => {
        play(sm, [item], 'live', run);
        if (at.has(i)) advance(sm, item.timestampMs - 1_000, run.closed);
      });
      assert.deepEqual(finish(sm, endMs, run).closed, clean.closed);
    });
    fc.assert(property, { seed: 44, numRuns: 8 });
  });

  it('a full buffer lets the oldest go as they are, and what is before them is late', () => {
    const sm = market(['1s']);
    const items: MarketItem[] = Array.from({ length: limits.reorderTicks + 10 }, (_, i) =>
      tick(1_000 + (i >> 3), 100 + i / 1e4),
    );
    const run = play(sm, items, 'live');
    assert.ok(sm.reorder.items.length - sm.reorder.head <= limits.reorderTicks);
    finish(sm, 60_000, run);
    const total = (barsOf(run, '1s') as Bar[]).reduce((sum, bar) => sum + bar.ticks, 0);
    assert.equal(total, items.length);
  });
});

describe('a slower feed of the same symbol', () => {
  it('is waited for, but not for ever', () => {
    const sm = market(['1s']);
    const b = { source: 'b' };
    play(sm, [tick(0, 100), tick(0, 100, b)], 'ordered');
    const run = play(sm, [tick(1_000, 100)], 'ordered');
    assert.equal(run.closed.length, 0);
    play(sm, [tick(1_500, 100, b)], 'ordered', run);
    assert.equal(run.closed.length, 1);
    play(sm, [tick(4_100, 100)], 'ordered', run);
    assert.equal(run.closed.length, 2);
    assert.equal(symbolWatermarkMs(sm), t0 + 2_100);
    play(sm, [tick(20_000, 100)], 'ordered', run);
    assert.equal(symbolWatermarkMs(sm), t0 + 20_000);
  });

  it('makes room when there are too many, and the symbol goes on', () => {
    const sm = market(['1s']);
    const many = Array.from({ length: 40 }, (_, i) => tick(i, 100, { source: `feed${i}` }));
    const run = finish(sm, 5_000, play(sm, many, 'live'));
    assert.equal(sm.sources.length, limits.sourcesPerSymbol);
    assert.equal((barsOf(run, '1s') as Bar[])[0]?.ticks, 40);
  });
});
