import assert from 'node:assert/strict';
import { daily, dayMs, monday, near, performance } from './executions';

describe('performance of tracked executions', () => {
  const nine = daily([10, -5, 15, 0, -10, 20, -3, -4, 7]);

  it('is counted by hand', () => {
    const { metrics, reasons, basis, currency, totals } = performance(nine);
    assert.equal(metrics.totalPnl, 30);
    assert.equal(metrics.executions, 9);
    assert.equal(metrics.trades, 9);
    assert.equal(metrics.unfilledCount, 0);
    assert.equal(metrics.breakevenCount, 1);
    near(metrics.winRate, 4 / 9);
    near(metrics.successRate, 4 / 9);
    near(metrics.averagePnl, 30 / 9);
    near(metrics.expectancy, 30 / 9);
    near(metrics.averageWin, 13);
    near(metrics.averageLoss, -5.5);
    near(metrics.expectancyR, 30 / 9 / 5.5);
    assert.equal(metrics.largestWin, 20);
    assert.equal(metrics.largestLoss, -10);
    near(metrics.payoffRatio, 13 / 5.5);
    near(metrics.profitFactor, 52 / 22);
    near(metrics.kellyFraction, 4 / 9 - 4 / 9 / (13 / 5.5));
    assert.equal(metrics.maxConsecutiveWins, 1);
    assert.equal(metrics.maxConsecutiveLosses, 2);
    assert.equal(metrics.averageExecutionTimeMs, 10);
    assert.deepEqual([basis, currency, [...totals]], ['money', 'USD', [['USD', 30]]]);
    assert.equal(reasons.totalReturn, 'no_capital_base');
  });

  it('has the drawdown, in money, of the curve 10 5 20 20 10 30 27 23 30', () => {
    const { metrics, reasons } = performance(nine);
    assert.equal(metrics.maxDrawdownAmount, 10);
    assert.equal(metrics.currentDrawdownAmount, 0);
    assert.equal(metrics.maxDrawdownDurationMs, 3 * dayMs);
    assert.equal(metrics.recoveryFactor, 3);
    assert.equal(metrics.maxDrawdown, null);
    assert.equal(reasons.maxDrawdown, 'no_capital_base');
  });

  it('has a Sharpe and Sortino ratio of daily money P&L', () => {
    const { metrics } = performance(nine);
    const values = [10, -5, 15, 0, -10, 20, -3, -4, 7];
    const mean = 30 / 9;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 8);
    near(metrics.sharpeRatio, (mean / deviation) * Math.sqrt(365));
    near(metrics.sortinoRatio, (mean * Math.sqrt(365)) / Math.sqrt((25 + 100 + 9 + 16) / 9));
    near(metrics.omegaRatio, 52 / 22);
    near(metrics.sqn, (3 * mean) / deviation);
  });

  it('beside a benchmark compares the days that both have, and only with capital', () => {
    const first = monday / dayMs;
    const benchmark = new Map([10, -5, 15, 0].map((percent, i) => [first + i, percent / 200] as const));
    const { metrics } = performance(nine, { capital: 100, benchmark });
    near(metrics.beta, 2);
    near(metrics.correlation, 1);
    const money = performance(nine, { benchmark });
    assert.deepEqual([money.metrics.beta, money.reasons.beta], [null, 'no_capital_base']);
    assert.equal(performance(nine, { capital: 100, benchmark: new Map() }).reasons.beta, 'too_few');
    assert.equal('beta' in performance(nine, { capital: 100 }).metrics, false);
  });

  it('takes the deepest fall of equity from its peak as a fraction of it, from the start on', () => {
    const { metrics, basis } = performance(daily([-20, 50, -26]), { capital: 100 });
    near(metrics.maxDrawdown, 0.2);
    near(metrics.currentDrawdown, 26 / 130);
    assert.equal(metrics.maxDrawdownAmount, 26);
    near(metrics.totalReturn, 0.04);
    assert.equal(basis, 'capital');
  });

  it('keeps the deepest amount and the deepest fraction apart: they may be two spells', () => {
    const { metrics } = performance(daily([-30, 130, -40]), { capital: 100 });
    near(metrics.maxDrawdown, 0.3);
    assert.equal(metrics.maxDrawdownAmount, 40);
  });

  it('calls a loss of more than the capital a fall of 1 and its growth ruin', () => {
    const { metrics, reasons } = performance(daily([-150, ...Array(100).fill(0)]), { capital: 100 });
    assert.equal(metrics.maxDrawdown, 1);
    assert.equal(metrics.totalReturn, -1.5);
    assert.equal(reasons.cagr, 'ruin');
    assert.equal(reasons.ulcerIndex, 'ruin');
  });

  it('cancels the base out of Sharpe, Sortino, Omega and skewness', () => {
    const money = performance(nine).metrics;
    const capital = performance(nine, { capital: 1_000 }).metrics;
    for (const name of ['sharpeRatio', 'sortinoRatio', 'omegaRatio', 'skewness', 'kurtosis', 'tailRatio']) {
      const value = capital[name];
      assert.ok(typeof value === 'number' && Math.abs(value - (money[name] ?? Number.NaN)) < 1e-9, name);
    }
    near(capital.valueAtRisk, (money.valueAtRisk ?? 0) / 1_000);
    near(capital.valueAtRiskParametric, (money.valueAtRiskParametric ?? 0) / 1_000);
  });

  it('annualises over calendar time, and not under 90 days', () => {
    const short = performance(daily([10, -5, ...Array(80).fill(1)]), { capital: 1_000 });
    assert.equal(short.reasons.cagr, 'too_short');
    assert.equal(short.reasons.calmarRatio, 'too_short');
    assert.equal(short.reasons.ulcerPerformanceIndex, 'too_short');
    const pnls = [10, -5, ...Array(364).fill(0), 5];
    const year = performance(daily(pnls), { capital: 100 }).metrics;
    const years = 366 / 365.25;
    near(year.cagr, 1.1 ** (1 / years) - 1);
    near(year.calmarRatio, (1.1 ** (1 / years) - 1) / (5 / 110));
    near(performance(daily(pnls)).metrics.calmarRatio, 10 / years / 5);
    const ulcer = Math.sqrt((365 * (5 / 110) ** 2) / 367);
    near(year.ulcerIndex, ulcer);
    near(year.ulcerPerformanceIndex, (1.1 ** (1 / years) - 1) / ulcer);
  });

  it('takes the risk-free rate of a day off each day, with capital only', () => {
    const daysRate = 1.0365 ** (1 / 365) - 1;
    const values = [10, -5, 15].map((pnl) => pnl / 1_000 - daysRate);
    const mean = values.reduce((sum, value) => sum + value, 0) / 3;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
    const { metrics } = performance(daily([10, -5, 15]), { capital: 1_000, riskFreeAnnual: 0.0365 });
    near(metrics.sharpeRatio, (mean / deviation) * Math.sqrt(365));
    near(metrics.sortinoRatio, (mean * Math.sqrt(365)) / Math.sqrt(Math.min(0, values[1] ?? 0) ** 2 / 3));
    const money = performance(daily([10, -5, 15]), { riskFreeAnnual: 0.0365 }).metrics;
    near(money.sharpeRatio, performance(daily([10, -5, 15])).metrics.sharpeRatio ?? 0);
  });

  it('says why of every null and only of those', () => {
    for (const events of [[], daily([1]), daily([1, 1]), daily([-1, -2]), daily([0, 0, 0]), nine]) {
      for (const options of [{}, { capital: 100 }]) {
        const { metrics, reasons } = performance(events, options);
        for (const [name, value] of Object.entries(metrics)) {
          assert.equal(value === null, name in reasons, name);
          assert.ok(value === null || Number.isFinite(value), name);
        }
      }
    }
  });

  it('has the reasons that a trader would give', () => {
    assert.deepEqual([performance([]).metrics.totalPnl, performance([]).metrics.executions], [0, 0]);
    assert.equal(performance([]).reasons.winRate, 'no_trades');
    assert.equal(performance([]).reasons.sharpeRatio, 'no_trades');
    assert.equal(performance([]).reasons.maxDrawdownAmount, 'no_trades');
    assert.equal(performance(daily([5])).reasons.sharpeRatio, 'too_few');
    assert.equal(performance(daily([5])).reasons.profitFactor, 'no_losses');
    assert.equal(performance(daily([-5])).reasons.averageWin, 'no_wins');
    assert.equal(performance(daily([-5])).metrics.profitFactor, 0);
    assert.equal(performance(daily([0.1, 0.1, 0.1])).reasons.sharpeRatio, 'zero_variance');
    assert.equal(performance(daily([5, 6])).reasons.sortinoRatio, 'no_losses');
    assert.equal(performance(nine).reasons.conditionalValueAtRisk, 'too_few');
    assert.equal(performance(daily([-5, -6, -7])).reasons.minimumTrackRecordLength, 'no_edge');
    assert.equal(performance(daily([5, 6, 7])).reasons.recoveryFactor, 'no_losses');
  });

  it('has the tails, the shape and the inference that Python computes of the same forty days', () => {
    const days = daily(Array.from({ length: 40 }, (_, i) => ((i * 37) % 11) - 4));
    const { metrics } = performance(days);
    const close = (name: string, expected: number) => {
      assert.ok(Math.abs((metrics[name] ?? Number.NaN) - expected) < 1e-10, `${name}: ${metrics[name]}`);
    };
    close('probabilisticSharpeRatio', 0.9501071799219778);
    close('minimumTrackRecordLength', 39.95072441848373);
    close('skewness', 0.04549622716655825);
    close('kurtosis', -1.2624992281090641);
    close('valueAtRisk', -4);
    close('valueAtRiskParametric', -4.451223016253196);
    close('conditionalValueAtRisk', -4);
    close('tailRatio', 1.5);
    near(performance(days, { capital: 1_000 }).metrics.stability, 0.9593834874684649);
  });

  it('is reliable from 30 daily observations on', () => {
    assert.equal(performance(daily(Array(29).fill(1))).reliable, false);
    assert.equal(performance(daily(Array(30).fill(1))).reliable, true);
  });
});
