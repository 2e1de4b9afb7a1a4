import assert from 'node:assert/strict';
import type { PerformanceQuery } from '../../../src/core/domain/bodies';
import { applyExecution, createLedger, dayPnl, ledgerView } from '../../../src/core/performance/ledger';
import { quickMetrics } from '../../../src/core/performance/metrics/registry';
import { newMetricsOf, type PerformanceOptions, performanceOf } from '../../../src/core/performance/performance';
import { daily, dayMs, execution, monday, near, performance } from './executions';

describe('what counts', () => {
  it('is every execution, a trade unless its order came to nothing', () => {
    const events = [
      execution(1, { pnl: '10' }),
      execution(2, { pnl: '0', success: false, status: 'rejected' }),
      execution(3, { pnl: '0', success: false, status: 'cancelled' }),
      execution(4, { pnl: '-0.5', success: false, status: 'expired' }),
      execution(5, { pnl: '0', status: 'partial' }),
    ];
    const { metrics } = performance(events);
    assert.deepEqual([metrics.executions, metrics.trades, metrics.unfilledCount], [5, 3, 2]);
    assert.equal(metrics.totalPnl, 9.5);
    near(metrics.successRate, 2 / 5);
    near(metrics.winRate, 1 / 3);
  });

  it('is exact: ten million cents lose none', () => {
    const { metrics } = performance(daily(Array(1_000).fill(0.1)));
    assert.equal(metrics.totalPnl, 100);
    const large = performance([
      execution(1, { pnl: '89999999999.99999999' }),
      execution(2, { pnl: '-89999999999.99999998' }),
    ]);
    assert.equal(large.metrics.totalPnl, 1e-8);
  });

  it('counts where success and the sign of P&L disagree, 0 with neither', () => {
    const events = [
      execution(1, { pnl: '1', success: false }),
      execution(2, { pnl: '-1', success: true }),
      execution(3, { pnl: '0', success: false }),
      execution(4, { pnl: '2', success: true }),
    ];
    assert.equal(performance(events).disagreements, 2);
  });

  it('never adds currencies: totals are told apart and amounts are null', () => {
    const events = [
      execution(1, { pnl: '1' }),
      execution(2, { pnl: '-2', success: false, currency: 'EUR' }),
      execution(3, { pnl: '4', currency: 'EUR' }),
    ];
    const { metrics, reasons, currency, totals } = performance(events);
    assert.equal(currency, null);
    assert.deepEqual(
      [...totals],
      [
        ['USD', 1],
        ['EUR', 2],
      ],
    );
    for (const name of ['totalPnl', 'sharpeRatio', 'maxDrawdownAmount', 'profitFactor', 'averageWin']) {
      assert.equal(reasons[name], 'mixed_currencies', name);
    }
    near(metrics.winRate, 2 / 3);
    near(metrics.successRate, 2 / 3);
    assert.equal(metrics.trades, 3);
  });

  it('never adds simulated to real results: live before paper before shadow, the others told by number', () => {
    const ledger = createLedger();
    const only = () => performanceOf(ledgerView(ledger, 'a'), {}, { dayRule: 'utc_365' });
    applyExecution(ledger, execution(1, { pnl: '7', mode: 'shadow' }));
    assert.deepEqual([only().mode, only().metrics.totalPnl], ['shadow', 7]);
    applyExecution(ledger, execution(2, { pnl: '5', mode: 'paper' }));
    applyExecution(ledger, execution(3, { pnl: '6', mode: 'paper' }));
    assert.deepEqual([only().mode, only().metrics.totalPnl], ['paper', 11]);
    applyExecution(ledger, execution(4, { pnl: '-1', mode: 'live' }));
    assert.deepEqual([only().mode, only().metrics.totalPnl, only().metrics.executions], ['live', -1, 1]);
    assert.deepEqual(
      [...(only().otherModes ?? [])],
      [
        ['shadow', 1],
        ['paper', 2],
      ],
    );
  });

  it('adds all strategies together in the order of event time', () => {
    const ledger = createLedger();
    applyExecution(ledger, execution(1, { strategyId: 'a', pnl: '10', timestampMs: monday }));
    applyExecution(ledger, execution(2, { strategyId: 'a', pnl: '10', timestampMs: monday + 2 * dayMs }));
    applyExecution(ledger, execution(3, { strategyId: 'b', pnl: '-4', timestampMs: monday + dayMs }));
    const all = performanceOf(ledgerView(ledger, null), {}, { dayRule: 'utc_365' });
    assert.deepEqual([all.strategyId, all.metrics.totalPnl, all.metrics.maxDrawdownAmount], [null, 16, 4]);
  });
});

describe('the life of a strategy', () => {
  const two = [
    execution(1, { pnl: '1', timestampMs: monday }),
    execution(2, { pnl: '3', timestampMs: monday + 3 * dayMs }),
  ];
  const sharpe = (values: readonly number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return (mean / Math.sqrt(squares / (values.length - 1))) * Math.sqrt(365);
  };

  it('counts its days without a trade as 0', () => {
    near(performance(two).metrics.sharpeRatio, sharpe([1, 0, 0, 3]));
  });

  it('is from registration to now', () => {
    const options = { registeredMs: monday - dayMs, asOfMs: monday + 5 * dayMs };
    near(performance(two, options).metrics.sharpeRatio, sharpe([0, 1, 0, 0, 3, 0, 0]));
  });

  it('of a history that was brought in is from its first to its last execution', () => {
    const options = { registeredMs: monday + 300 * dayMs, asOfMs: monday + 301 * dayMs };
    near(performance(two, options).metrics.sharpeRatio, sharpe([1, 0, 0, 3]));
  });

  it('keeps an open drawdown open until now', () => {
    const events = daily([5, -3]);
    const options = { registeredMs: monday, asOfMs: monday + 10 * dayMs };
    assert.equal(performance(events, options).metrics.maxDrawdownDurationMs, 10 * dayMs);
    assert.equal(performance(events).metrics.maxDrawdownDurationMs, dayMs);
  });

  it('has only weekdays under a weekday rule, and gives what is stamped on a Saturday to Monday', () => {
    const friday = monday + 4 * dayMs;
    const events = [
      execution(1, { pnl: '1', timestampMs: friday }),
      execution(2, { pnl: '3', timestampMs: friday + dayMs }),
      execution(3, { pnl: '5', timestampMs: friday + 4 * dayMs }),
    ];
    const { metrics, periodsPerYear, dayRule } = performance(events, { dayRule: 'weekday_252' });
    near(metrics.sharpeRatio, sharpe([1, 3, 5]) * Math.sqrt(252 / 365));
    assert.deepEqual([periodsPerYear, dayRule], [252, 'weekday_252']);
  });
});

describe('parts and groups', () => {
  const events = [
    execution(1, { pnl: '10', timestampMs: monday, symbol: 'BTCUSD', strategyVersion: 1, regime: 'ranging' }),
    execution(2, { pnl: '-4', timestampMs: monday + dayMs, symbol: 'ETHUSD', strategyVersion: 1, regime: 'stress' }),
    execution(3, { pnl: '7', timestampMs: monday + 2 * dayMs, symbol: 'BTCUSD', strategyVersion: 2, regime: 'stress' }),
    execution(4, { pnl: '1', timestampMs: monday + 3 * dayMs, symbol: null, strategyVersion: 2, regime: 'ranging' }),
  ];

  it('are of a stretch of time, both ends included', () => {
    const { metrics } = performance(events, {}, { sinceMs: monday + dayMs, untilMs: monday + 2 * dayMs });
    assert.deepEqual([metrics.executions, metrics.totalPnl, metrics.maxDrawdownAmount], [2, 3, 4]);
    const nothing = performance(events, {}, { sinceMs: monday + 9 * dayMs });
    assert.deepEqual([nothing.metrics.executions, nothing.reasons.winRate], [0, 'no_trades']);
  });

  it('are by version, symbol or regime', () => {
    const totalsOf = (by: NonNullable<PerformanceQuery['by']>) =>
      [...(performance(events, {}, { by }).groups ?? [])].map(([key, group]) => [key, group.metrics.totalPnl]);
    assert.deepEqual(totalsOf('version'), [
      ['1', 6],
      ['2', 8],
    ]);
    assert.deepEqual(totalsOf('symbol'), [
      ['BTCUSD', 17],
      ['ETHUSD', -4],
      ['unspecified', 1],
    ]);
    assert.deepEqual(totalsOf('regime'), [
      ['ranging', 11],
      ['stress', 3],
    ]);
  });

  it('come with a curve of at most 1,000 points that keeps both ends and the extremes', () => {
    assert.deepEqual(performance(events, {}, { curve: true }).curve, [
      { timestamp: '2024-01-01T00:00:00.000Z', pnl: 10 },
      { timestamp: '2024-01-02T00:00:00.000Z', pnl: 6 },
      { timestamp: '2024-01-03T00:00:00.000Z', pnl: 13 },
      { timestamp: '2024-01-04T00:00:00.000Z', pnl: 14 },
    ]);
    const long = Array.from({ length: 5_000 }, (_, i) => execution(i + 1, { pnl: i === 2_500 ? '-1000' : '1' }));
    const curve = performance(long, {}, { curve: true }).curve ?? [];
    assert.ok(curve.length <= 1_000);
    assert.deepEqual([curve[0]?.pnl, curve.at(-1)?.pnl], [1, 3_999]);
    assert.equal(Math.max(...curve.map((point) => point.pnl).slice(0, 500)), 2_500);
    assert.ok(curve.some((point) => point.pnl === 1_500));
    assert.equal(new Set(curve.map((point) => point.timestamp)).size, curve.length);
  });
});

describe('after one more execution', () => {
  it('the metrics told are those of the whole answer, less the slow ones', () => {
    const ledger = createLedger();
    const options: PerformanceOptions = { dayRule: 'utc_365', capital: 1_000 };
    for (const event of daily([10, -5, 15, 0, -10, 20, -3, -4, 7])) {
      applyExecution(ledger, event);
      const told = newMetricsOf(ledgerView(ledger, 'a'), options);
      const whole = performanceOf(ledgerView(ledger, 'a'), {}, options);
      assert.deepEqual(
        Object.keys(told.metrics),
        quickMetrics.map((metric) => metric.name),
      );
      for (const [name, value] of Object.entries(told.metrics)) assert.equal(value, whole.metrics[name], name);
    }
  });

  it("the day's P&L is that of real executions of the UTC day, the worst of several currencies", () => {
    const ledger = createLedger();
    assert.equal(dayPnl(ledger, monday), 0);
    applyExecution(ledger, execution(1, { pnl: '-3', timestampMs: monday }));
    applyExecution(ledger, execution(2, { pnl: '1', timestampMs: monday + dayMs - 1 }));
    applyExecution(ledger, execution(3, { pnl: '9', timestampMs: monday + dayMs }));
    applyExecution(ledger, execution(4, { pnl: '-99', timestampMs: monday, mode: 'shadow' }));
    assert.equal(dayPnl(ledger, monday + 3_600_000), -2);
    assert.equal(dayPnl(ledger, monday + dayMs), 9);
    applyExecution(ledger, execution(5, { pnl: '-7', timestampMs: monday, currency: 'EUR' }));
    assert.equal(dayPnl(ledger, monday), -7);
  });
});
