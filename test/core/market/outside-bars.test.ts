import assert from 'node:assert/strict';
import type { Bar } from '../../../src/core/domain/bar';
import { limits } from '../../../src/core/domain/limits';
import { advance, openSeries } from '../../../src/core/market/symbol-market';
import { bar, barsOf, finish, market, play, t0, tick } from './market-samples';

const minute = 60_000;

function closesOf(bars: readonly unknown[]): (readonly [number, number])[] {
  return (bars as Bar[]).map((one) => [(one.openMs - t0) / minute, one.close] as const);
}

describe('bars from outside', () => {
  it('go to the series of their timeframe as they are, at once', () => {
    const sm = market(['1m']);
    const run = play(sm, [bar(0, '1m', 100)], 'live');
    assert.deepEqual(
      run.closed.map(({ bar, origin }) => ({ bar, origin })),
      [
        {
          bar: {
            symbol: 'BTCUSDT',
            timeframe: '1m',
            openMs: t0,
            endMs: t0 + minute,
            open: 100,
            high: 101,
            low: 99,
            close: 100,
            volume: 2,
            ticks: 0,
            conflated: false,
          },
          origin: 'bars',
        },
      ],
    );
  });

  it('that still form are counted and not used', () => {
    const sm = market(['1m']);
    const run = play(sm, [bar(0, '1m', 100, { isClosed: false })], 'live');
    assert.deepEqual([run.outcomes, run.admitted.length, run.closed.length], [['forming_bar'], 0, 0]);
  });

  it('build the longer timeframes that they divide; those close with their last part', () => {
    const sm = market(['1m', '5m', '3m']);
    const items = Array.from({ length: 6 }, (_, i) => bar(i * minute, '1m', 100 + i));
    const run = play(sm, items, 'ordered');
    const order = run.closed.map((one) => `${one.bar.timeframe}@${(one.bar.endMs - t0) / minute}`);
    assert.deepEqual(order, ['1m@1', '1m@2', '1m@3', '3m@3', '1m@4', '1m@5', '5m@5', '1m@6', '3m@6']);
    const [five] = barsOf(run, '5m') as Bar[];
    assert.deepEqual([five?.open, five?.high, five?.low, five?.close, five?.volume], [100, 105, 99, 104, 10]);
  });

  it('across a hole close the longer bar before the next one', () => {
    const sm = market(['1m', '5m']);
    const run = play(sm, [bar(0, '1m', 100), bar(3 * minute, '1m', 101), bar(6 * minute, '1m', 102)], 'ordered');
    assert.deepEqual(closesOf(barsOf(run, '5m')), [[0, 101]]);
    advance(sm, t0 + 10 * minute, run.closed);
    assert.equal(barsOf(run, '5m').length, 1);
    advance(sm, t0 + 11 * minute, run.closed);
    assert.deepEqual(closesOf(barsOf(run, '5m')), [
      [0, 101],
      [5, 102],
    ]);
  });

  it('take the place of ticks in their timeframe and longer ones, not in shorter ones', () => {
    const sm = market(['1s', '1m', '5m', '2t']);
    const run = play(sm, [tick(1_000, 50), bar(0, '1m', 100), tick(61_000, 51), bar(minute, '1m', 101)], 'ordered');
    finish(sm, 10 * minute, run);
    assert.deepEqual(closesOf(barsOf(run, '1m')), [
      [0, 100],
      [1, 101],
    ]);
    assert.equal(barsOf(run, '1s').length, 2);
    assert.equal(barsOf(run, '2t').length, 1);
    assert.ok((barsOf(run, '5m') as Bar[]).every((one) => one.high > 99));
  });

  it('never mix with ticks in one bar: the one in progress when they begin is not closed', () => {
    const sm = market(['5m']);
    const run = play(sm, [tick(1_000, 50)], 'ordered');
    play(
      sm,
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => bar(i * minute, '1m', 100 + i)),
      'ordered',
      run,
    );
    assert.deepEqual(closesOf(barsOf(run, '5m')), [[5, 109]]);
  });

  it('of the series own timeframe win over ones built from shorter', () => {
    const sm = market(['5m']);
    const run = play(sm, [bar(0, '5m', 200), bar(5 * minute, '1m', 100), bar(5 * minute, '5m', 201)], 'ordered');
    assert.deepEqual(closesOf(barsOf(run, '5m')), [
      [0, 200],
      [5, 201],
    ]);
  });

  it('are used once per span, whoever repeats or revises them', () => {
    const sm = market(['1m']);
    const items = [
      bar(0, '1m', 100),
      bar(0, '1m', 100),
      bar(0, '1m', 105, { id: 'revised' }),
      bar(0, '1m', 100, { source: 'b' }),
      bar(minute, '1m', 101),
      bar(0, '1m', 100),
    ];
    const run = play(sm, items, 'live');
    const again = 'duplicate';
    assert.deepEqual(run.outcomes, ['accepted', again, again, again, 'accepted', again]);
    assert.equal(run.closed.length, 2);
  });

  it('behind one that was passed on are late, never used', () => {
    const sm = market(['1m'], { late: 'accept' });
    const run = play(sm, [bar(minute, '1m', 101), bar(0, '1m', 100)], 'live');
    assert.deepEqual(run.outcomes, ['accepted', 'late']);
    assert.equal(run.closed.length, 1);
  });

  it('are not made late by being told the time', () => {
    const sm = market(['1m']);
    advance(sm, t0 + 10 * minute, []);
    assert.deepEqual(play(sm, [bar(0, '1m', 100)], 'live').outcomes, ['accepted']);
  });

  it('of a second are put in order inside the window, and a hole is waited for no longer than that', () => {
    const sm = market(['1s']);
    const run = play(
      sm,
      [0, 2, 1, 3].map((s) => bar(s * 1_000, '1s', 100 + s)),
      'live',
    );
    play(sm, [bar(5_000, '1s', 105)], 'live', run);
    const closes = () => (barsOf(run, '1s') as Bar[]).map((one) => one.close);
    assert.deepEqual(closes(), [100, 101, 102, 103]);
    finish(sm, 5_001, run);
    assert.deepEqual(closes(), [100, 101, 102, 103, 105]);
    assert.deepEqual(play(sm, [bar(4_000, '1s', 104)], 'live').outcomes, ['late']);
  });

  it('longer than the window never wait, over a weekend neither', () => {
    const sm = market(['1d']);
    const day = 86_400_000;
    const run = play(
      sm,
      [0, 1, 4].map((d) => bar(d * day, '1d', 100 + d)),
      'live',
    );
    assert.equal(run.closed.length, 3);
  });

  it('that wait are bounded', () => {
    const sm = market(['1s'], { latenessMs: 1_000_000 });
    const items = Array.from({ length: 200 }, (_, i) => bar((2 * i + 1) * 1_000, '1s', 100));
    play(sm, items, 'live');
    assert.ok((sm.outside[0]?.waiting.length ?? 0) <= limits.outsideBarsWaiting);
  });

  it('of a tick count feed the series of that name', () => {
    const sm = market(['100t']);
    const run = play(sm, [bar(0, '100t', 100), bar(0, '100t', 101), bar(500, '100t', 102)], 'ordered');
    assert.deepEqual(
      (barsOf(run, '100t') as Bar[]).map((one) => one.close),
      [100, 101, 102],
    );
  });

  it('give the symbol its own series instead of the minutes of ticks', () => {
    const sm = market([]);
    play(sm, [bar(0, '1d', 100)], 'ordered');
    assert.deepEqual(
      sm.series.map((series) => series.timeframe.name),
      ['1d'],
    );
  });

  it('met before the series was opened feed it from its next whole bar', () => {
    const sm = market([]);
    const run = play(sm, [bar(0, '1m', 100)], 'ordered');
    openSeries(sm, '5m', 10);
    play(
      sm,
      Array.from({ length: 9 }, (_, i) => bar((i + 1) * minute, '1m', 101 + i)),
      'ordered',
      run,
    );
    assert.deepEqual(closesOf(barsOf(run, '5m')), [[5, 109]]);
  });
});
