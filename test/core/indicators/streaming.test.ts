import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addAdx, createAdx } from '../../../src/core/indicators/adx';
import { addAr1, createAr1, halfLifeOf } from '../../../src/core/indicators/ar1';
import { addDonchian, createDonchian } from '../../../src/core/indicators/donchian';
import { addEma, createEma } from '../../../src/core/indicators/ema';
import { addEwmaVolatility, createEwmaVolatility } from '../../../src/core/indicators/ewma-volatility';
import { addRoc, createRoc } from '../../../src/core/indicators/roc';
import { addRollingExtreme, createRollingExtreme } from '../../../src/core/indicators/rolling-extreme';
import { addRsi, createRsi } from '../../../src/core/indicators/rsi';
import { addSma, createSma } from '../../../src/core/indicators/sma';
import { addStddev, createStddev } from '../../../src/core/indicators/stddev';
import { addZscore, createZscore } from '../../../src/core/indicators/zscore';
import { marketBars } from '../../helpers/market-bars';

const seed = 20_260_101;
const prices = fc.array(fc.double({ min: 0.01, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 120 });
const period = fc.integer({ min: 2, max: 12 });

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** Two-pass population standard deviation. */
function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((one) => (one - mean) ** 2)));
}

/** Least squares slope of y on x, two-pass. */
function slopeOf(x: readonly number[], y: readonly number[]): number {
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  const over = x.reduce((sum, one, i) => sum + (one - meanX) * ((y[i] as number) - meanY), 0);
  return over / x.reduce((sum, one) => sum + (one - meanX) ** 2, 0);
}

function near(ours: number, theirs: number, scale: number, what: string): void {
  assert.ok(Math.abs(ours - theirs) <= 1e-9 * Math.max(1, scale), `${what}: ${ours} is not ${theirs}`);
}

/** Runs it over every series; `batch` answers from the values so far, or null before it is warm. */
function streamsLikeBatch<S extends { n: number; warmup: number }>(
  create: (n: number) => S,
  add: (state: S, value: number) => void,
  read: (state: S) => number,
  batch: (values: readonly number[], n: number) => number | null,
): void {
  fc.assert(
    fc.property(prices, period, (values, n) => {
      const state = create(n);
      values.forEach((value, i) => {
        add(state, value);
        const expected = batch(values.slice(0, i + 1), n);
        assert.equal(state.n >= state.warmup, expected !== null, `warm after ${i + 1} with period ${n}`);
        if (expected !== null) near(read(state), expected, Math.max(...values), `after ${i + 1} with period ${n}`);
      });
    }),
    { seed, numRuns: 60 },
  );
}

const window = (values: readonly number[], n: number) => (values.length < n ? null : values.slice(-n));

describe('streaming is batch', () => {
  it('for the mean, deviation and extremes of any series', () => {
    const over = (of: (values: readonly number[]) => number) => (values: readonly number[], n: number) => {
      const last = window(values, n);
      return last === null ? null : of(last);
    };
    streamsLikeBatch(createSma, addSma, (s) => s.value, over(meanOf));
    streamsLikeBatch(createStddev, addStddev, (s) => s.mean, over(meanOf));
    streamsLikeBatch(createStddev, addStddev, (s) => s.value, over(deviationOf));
    streamsLikeBatch(
      (n) => createRollingExtreme(n, 1),
      addRollingExtreme,
      (s) => s.value,
      over((v) => Math.max(...v)),
    );
    streamsLikeBatch(
      (n) => createRollingExtreme(n, -1),
      addRollingExtreme,
      (s) => s.value,
      over((v) => Math.min(...v)),
    );
  });

  it('for EMA, RSI and the rate of change', () => {
    streamsLikeBatch(
      createEma,
      addEma,
      (s) => s.value,
      (values, n) => {
        if (values.length < n) return null;
        return values.slice(n).reduce((ema, one) => ema + (2 / (n + 1)) * (one - ema), meanOf(values.slice(0, n)));
      },
    );
    streamsLikeBatch(
      createRsi,
      addRsi,
      (s) => s.value,
      (values, n) => {
        const changes = values.slice(1).map((one, i) => one - (values[i] as number));
        if (changes.length < n) return null;
        const smooth = (list: readonly number[]) =>
          list.slice(n).reduce((sum, one) => (sum * (n - 1) + one) / n, meanOf(list.slice(0, n)));
        const gain = smooth(changes.map((one) => Math.max(one, 0)));
        const loss = smooth(changes.map((one) => Math.max(-one, 0)));
        return gain + loss === 0 ? 50 : 100 - 100 / (1 + gain / loss);
      },
    );
    streamsLikeBatch(
      createRoc,
      addRoc,
      (s) => s.value / 1e9,
      (values, n) => {
        const before = values[values.length - 1 - n];
        return before === undefined ? null : (100 * ((values.at(-1) as number) / before - 1)) / 1e9;
      },
    );
  });

  it('for the channel before the current bar, and the one with it', () => {
    fc.assert(
      fc.property(prices, period, (values, n) => {
        const [before, within] = [createDonchian(n), createDonchian(n, true)];
        values.forEach((high, i) => {
          addDonchian(before, high, high / 2);
          addDonchian(within, high, high / 2);
          const past = window(values.slice(0, i), n);
          const now = window(values.slice(0, i + 1), n);
          assert.equal(before.n >= before.warmup, past !== null);
          assert.equal(within.n >= within.warmup, now !== null);
          if (past) assert.deepEqual([before.upper, before.lower], [Math.max(...past), Math.min(...past) / 2]);
          if (now) assert.deepEqual([within.upper, within.lower], [Math.max(...now), Math.min(...now) / 2]);
        });
      }),
      { seed, numRuns: 60 },
    );
  });

  it('for the weighted volatility, with weights that halve after the half-life', () => {
    const state = createEwmaVolatility(5);
    const values = [100, 103, 99, 99.5, 101, 90, 95, 96];
    for (const one of values) addEwmaVolatility(state, one);
    const squares = values.slice(1).map((one, i) => Math.log(one / (values[i] as number)) ** 2);
    const weights = squares.map((_, i) => 0.5 ** ((squares.length - 1 - i) / 5));
    const total = weights.reduce((sum, one) => sum + one, 0);
    const expected = Math.sqrt(squares.reduce((sum, one, i) => sum + one * (weights[i] as number), 0) / total);
    near(state.value, expected, 1, 'volatility');
  });

  it('for the AR(1) fit on real closes', function () {
    const bars = marketBars('daily/SPY-1d-skender-default.csv', 86_400_000);
    if (bars === null) return this.skip();
    const closes = bars.map((bar) => bar.close);
    const state = createAr1(60);
    closes.forEach((close, i) => {
      addAr1(state, close);
      assert.equal(state.n >= state.warmup, i >= 60);
      if (i < 60) return;
      const pairs = closes.slice(i - 60, i + 1);
      near(state.phi, slopeOf(pairs.slice(0, -1), pairs.slice(1)), 1, `φ at ${i}`);
    });
  });
});

describe('indicators on awkward data', () => {
  it('a million values at 1e7 leave no drift in mean, deviation and fit', () => {
    const [sma, stddev, ar1] = [createSma(20), createStddev(20), createAr1(50)];
    const last: number[] = [];
    let random = 7;
    for (let i = 0; i < 1_000_000; i++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      const price = 1e7 + (random / 4_294_967_296 - 0.5) * 10 + Math.sin(i / 1_000) * 1e6;
      addSma(sma, price);
      addStddev(stddev, price);
      addAr1(ar1, price);
      if (i >= 1_000_000 - 51) last.push(price);
    }
    assert.ok(Math.abs(sma.value / meanOf(last.slice(-20)) - 1) < 1e-15);
    assert.ok(Math.abs(stddev.value / deviationOf(last.slice(-20)) - 1) < 1e-9);
    assert.ok(Math.abs(ar1.phi / slopeOf(last.slice(0, -1), last.slice(1)) - 1) < 1e-8);
  });

  it('one absurd price is forgotten when it leaves the window', () => {
    const [sma, stddev, ar1, zscore] = [createSma(5), createStddev(5), createAr1(5), createZscore(5)];
    const tail = [1.1, 1.2, 1.15, 1.3, 1.22, 1.19];
    for (const price of [1, 1, 1, 1e15, 1.05, ...tail]) {
      addSma(sma, price);
      addStddev(stddev, price);
      addZscore(zscore, price);
      addAr1(ar1, price);
    }
    assert.ok(Math.abs(sma.value - meanOf(tail.slice(1))) < 1e-15);
    assert.ok(Math.abs(stddev.value - deviationOf(tail.slice(1))) < 1e-12);
    assert.ok(Math.abs(zscore.value - (1.19 - meanOf(tail.slice(1))) / deviationOf(tail.slice(1))) < 1e-9);
    assert.ok(Math.abs(ar1.phi - slopeOf(tail.slice(0, -1), tail.slice(1))) < 1e-9);
  });

  it('a market that stands still has no deviation, no z-score, RSI 50, ADX 0 and no pull back', () => {
    const [stddev, zscore, rsi, adx, ar1] = [
      createStddev(7),
      createZscore(7),
      createRsi(7),
      createAdx(7),
      createAr1(7),
    ];
    for (let i = 0; i < 50; i++) {
      addStddev(stddev, 0.1);
      addZscore(zscore, 0.1);
      addRsi(rsi, 0.1);
      addAdx(adx, 0.1, 0.1, 0.1);
      addAr1(ar1, 0.1);
    }
    assert.deepEqual([stddev.value, zscore.value, rsi.value, adx.adx, adx.plusDi, ar1.phi], [0, 0, 50, 0, 0, 1]);
  });

  it('flat bars that made another ADX not-a-number leave ours finite', function () {
    const bars = marketBars('bad/skender-issue0859-adx-nan.csv', 180_000);
    if (bars === null) return this.skip();
    const adx = createAdx(14);
    for (const bar of bars) {
      addAdx(adx, bar.high, bar.low, bar.close);
      assert.ok([adx.adx, adx.plusDi, adx.minusDi, adx.dx].every((one) => one >= 0 && one <= 100));
    }
    assert.ok(adx.adx > 0);
  });

  it('half-lives: φ 0.5 is one step, φ of one and more never, φ below zero at once', () => {
    assert.equal(halfLifeOf(0.5), 1);
    assert.ok(Math.abs(halfLifeOf(0.9) - 6.578813478960585) < 1e-12);
    assert.equal(halfLifeOf(1), Number.POSITIVE_INFINITY);
    assert.equal(halfLifeOf(1.2), Number.POSITIVE_INFINITY);
    assert.equal(halfLifeOf(-0.3), 0);
  });

  it('the fit finds the φ a series was made with', () => {
    const ar1 = createAr1(900);
    let [random, x] = [99, 0];
    for (let i = 0; i < 5_000; i++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      x = 0.8 * x + (random / 4_294_967_296 - 0.5);
      addAr1(ar1, 1_000 + x);
    }
    assert.ok(Math.abs(ar1.phi - 0.8) < 0.05, `${ar1.phi}`);
  });

  it('prices that are not positive have no log return and no volatility from it', () => {
    const state = createEwmaVolatility(3);
    for (const price of [10, -5, 0, 12, 12]) addEwmaVolatility(state, price);
    assert.equal(state.value, 0);
  });
});
