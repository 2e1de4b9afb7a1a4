import assert from 'node:assert/strict';
import type { Bar } from '../../../src/core/domain/bar';
import { limits } from '../../../src/core/domain/limits';
import { history, historyLength } from '../../../src/core/market/series';
import { closeSeries, openSeries } from '../../../src/core/market/symbol-market';
import { barsOf, market, play, t0, tick, walk } from './market-samples';

describe('a series', () => {
  it('is shared by its subscribers and gone with the last', () => {
    const sm = market([]);
    const a = openSeries(sm, '5m', 10);
    const b = openSeries(sm, '5m', 500);
    assert.equal(a, b);
    assert.equal(a.bars.capacity, 500);
    closeSeries(sm, '5m');
    assert.ok(sm.series.includes(a));
    closeSeries(sm, '5m');
    assert.ok(!sm.series.includes(a));
    closeSeries(sm, '5m');
  });

  it('of one minute is there without a subscriber, so every symbol has a regime', () => {
    const sm = market([]);
    closeSeries(sm, '1m');
    assert.deepEqual(
      sm.series.map((series) => series.timeframe.name),
      ['1m'],
    );
  });

  it('refuses a timeframe that is none', () => {
    assert.throws(() => openSeries(market([]), '7m', 10), /timeframe must be one of/);
  });

  it('opened within a bar begins with the next one', () => {
    const sm = market([]);
    play(sm, [tick(30_000, 100)], 'ordered');
    openSeries(sm, '5m', 10);
    const run = play(sm, [tick(40_000, 100), tick(300_000, 101), tick(600_000, 102)], 'ordered');
    assert.deepEqual(
      (barsOf(run, '5m') as Bar[]).map((bar) => bar.openMs - t0),
      [300_000],
    );
  });

  it('remembers its last closed bars, oldest first, within the limits', () => {
    const sm = market([]);
    const series = openSeries(sm, '1s', 5);
    const run = play(sm, walk(3, 900, 1_000), 'ordered');
    const bars = barsOf(run, '1s') as Bar[];
    assert.ok(bars.length > 200);
    assert.equal(historyLength(series), limits.barHistoryMin);
    const kept = Array.from({ length: limits.barHistoryMin }, (_, i) => history(series, i));
    assert.deepEqual(kept, bars.slice(-limits.barHistoryMin));
    assert.equal(history(series, limits.barHistoryMin), null);
    assert.equal(history(series, -1), null);
    openSeries(sm, '1s', 1e9);
    assert.equal(series.bars.capacity, limits.barHistoryMax);
    const more = play(
      sm,
      walk(3, 200, 1_000).map((item) => ({ ...item, timestampMs: item.timestampMs + 2_000_000 })),
      'ordered',
      run,
    );
    const all = barsOf(more, '1s') as Bar[];
    const length = historyLength(series);
    assert.ok(length > limits.barHistoryMin);
    assert.deepEqual(
      Array.from({ length }, (_, i) => history(series, i)),
      all.slice(-length),
    );
  });
});
