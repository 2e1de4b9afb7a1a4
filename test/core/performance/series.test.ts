import assert from 'node:assert/strict';
import { performanceOfSeries, type SeriesInput, seriesFigures } from '../../../src/core/performance/series';
import { dayMs, monday, near } from './executions';

const of = (input: SeriesInput) => performanceOfSeries(input);

describe('performance of a series', () => {
  it('is the same of returns and of the equity they make', () => {
    const returns = [0.1, -0.2, 0.05, 0.3, -0.1];
    const equity = [1_000];
    for (const value of returns) equity.push((equity.at(-1) ?? 0) * (1 + value));
    const byReturns = of({ returns, capital: 1_000 }).metrics;
    const byEquity = of({ equity }).metrics;
    for (const name of ['sharpeRatio', 'maxDrawdown', 'totalReturn', 'totalPnl', 'maxDrawdownAmount', 'ulcerIndex']) {
      near(byEquity[name], byReturns[name] ?? Number.NaN);
    }
    near(byEquity.maxDrawdown, 0.2);
    near(byEquity.maxDrawdownAmount, 220);
  });

  it('of bare returns has fractions and no amounts', () => {
    const { metrics, reasons, basis } = of({ returns: [0.1, -0.1] });
    assert.equal(basis, 'capital');
    near(metrics.totalReturn, -0.01);
    near(metrics.maxDrawdown, 0.1);
    assert.deepEqual([reasons.totalPnl, reasons.maxDrawdownAmount], ['no_capital_base', 'no_capital_base']);
    assert.deepEqual([reasons.winRate, reasons.maxDrawdownDurationMs], ['no_trades', 'no_timestamps']);
  });

  it('of trades has money, and daily figures only with times', () => {
    const trades = [10, -5, 15, -10];
    const timeless = of({ trades });
    assert.deepEqual(
      [timeless.metrics.totalPnl, timeless.metrics.maxDrawdownAmount, timeless.basis],
      [10, null, 'money'],
    );
    near(timeless.metrics.profitFactor, 25 / 15);
    const timed = of({ trades, timestamps: trades.map((_, i) => monday + i * dayMs), capital: 100 });
    near(timed.metrics.maxDrawdown, 10 / 120);
    assert.ok(typeof timed.metrics.sharpeRatio === 'number');
  });

  it('annualises by calendar time with times, by periods without', () => {
    const equity = [100, 105, 110];
    const timestamps = [monday, monday + 100 * dayMs, monday + 365.25 * dayMs];
    near(of({ equity, timestamps }).metrics.cagr, 0.1);
    near(of({ equity, periodsPerYear: 4 }).metrics.cagr, 1.1 ** 2 - 1);
    assert.equal(of({ equity }).reasons.cagr, 'too_short');
    assert.equal(of({ equity }).periodsPerYear, 365);
  });

  it('has the longest spell under a peak, to its recovery or to the end', () => {
    const days = (...numbers: number[]) => numbers.map((day) => monday + day * dayMs);
    const recovered = of({ equity: [100, 90, 100, 95, 101], timestamps: days(0, 1, 5, 6, 7) });
    assert.equal(recovered.metrics.maxDrawdownDurationMs, 5 * dayMs);
    const open = of({ equity: [100, 110, 90, 95], timestamps: days(0, 2, 5, 12) });
    assert.equal(open.metrics.maxDrawdownDurationMs, 10 * dayMs);
    near(open.metrics.currentDrawdown, 15 / 110);
    assert.equal(of({ equity: [1, 2, 3], timestamps: days(0, 1, 2) }).metrics.maxDrawdownDurationMs, 0);
  });

  it('ends at ruin', () => {
    const { metrics, reasons } = of({ returns: [0.1, -1.5, 0.5], periodsPerYear: 1 });
    assert.deepEqual([metrics.maxDrawdown, reasons.cagr, reasons.ulcerIndex], [1, 'ruin', 'ruin']);
    assert.equal(seriesFigures({ returns: [0.1, -1.5, 0.5] }).days.n, 2);
    assert.equal(of({ returns: [-1, 0.5], benchmark: [0.1, 0.2] }).reasons.alpha, 'too_few');
  });

  it('compares with a benchmark by value, or on the days both have', () => {
    const returns = [0.02, -0.01, 0.03];
    const benchmark = [0.01, -0.005, 0.015];
    const both = of({ returns, benchmark, periodsPerYear: 252 }).metrics;
    near(both.beta, 2);
    near(both.correlation, 1);
    near(of({ returns, benchmark: [-0.01, 0.005, -0.015] }).metrics.correlation, -1);
    near(both.upCapture, ((1.02 * 1.03) ** 126 - 1) / ((1.01 * 1.015) ** 126 - 1));
    near(both.downCapture, (0.99 ** 252 - 1) / (0.995 ** 252 - 1));
    const timestamps = returns.map((_, i) => monday + i * dayMs);
    const shifted = {
      benchmark: [9, ...benchmark, 9],
      benchmarkTimestamps: [-1, 0, 1, 2, 3].map((i) => monday + i * dayMs),
    };
    assert.deepEqual(of({ returns, timestamps, ...shifted, periodsPerYear: 252 }).metrics.beta, both.beta);
    assert.equal(of({ returns, benchmark: [0.01, 0.01, 0.01] }).reasons.beta, 'zero_variance');
    assert.equal('beta' in of({ returns }).metrics, false);
  });

  it('of equal returns has no Sharpe ratio, whatever the rounding', () => {
    for (const value of [0.01, 0.1, 1 / 3, -0.07]) {
      assert.equal(of({ returns: Array(50).fill(value) }).reasons.sharpeRatio, 'zero_variance', String(value));
    }
  });

  it('names the field that is wrong and guesses nothing', () => {
    for (const [input, message] of [
      [{}, /exactly one of returns, equity, trades/],
      [{ returns: [], trades: [] }, /exactly one/],
      [{ returns: [0.1, Number.NaN] }, /returns\[1\] must be a finite number/],
      [{ equity: [0, 1] }, /equity\[0\] must be greater than 0/],
      [{ returns: [0.1], timestamps: [] }, /timestamps must have one for each of the 1 values/],
      [{ returns: [0.1, 0.1], timestamps: [2, 1] }, /timestamps\[1\] must not fall/],
      [{ returns: [0.1], capital: 0 }, /capital must be greater than 0/],
      [{ returns: [0.1], benchmark: [] }, /benchmark must have one for each of the 1 returns/],
      [{ trades: [1e300] }, /trades\[0\] must be a finite amount/],
    ] as const) {
      assert.throws(() => of(input), { code: 'ValueError', message });
    }
  });
});
