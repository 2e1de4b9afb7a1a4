import assert from 'node:assert/strict';
import fc from 'fast-check';
import { StateReader, StateWriter } from '../../../src/core/domain/state-codec';
import {
  applyExecution,
  createLedger,
  type ExecutionEvent,
  type Ledger,
  type LedgerBounds,
  ledgerView,
  readLedger,
  setCapital,
  writeLedger,
} from '../../../src/core/performance/ledger';
import { newMetricsOf, type PerformanceOptions, performanceOf } from '../../../src/core/performance/performance';
import { daily, dayMs, execution, monday } from './executions';

function ledgerOf(events: readonly ExecutionEvent[], bounds: Partial<LedgerBounds> = {}): Ledger {
  const ledger = createLedger(bounds);
  for (const event of events) applyExecution(ledger, event);
  return ledger;
}

const options: PerformanceOptions = { dayRule: 'fx_260', capital: 500, riskFreeAnnual: 0.02 };

/** Everything that can be asked of a ledger. */
function answers(ledger: Ledger) {
  const from = { sinceMs: monday + 3 * dayMs, untilMs: monday + 20 * dayMs };
  return ['a', 'b', null].flatMap((id) =>
    (['live', 'paper', 'shadow'] as const).map((mode) => {
      const view = ledgerView(ledger, id, mode);
      return [
        newMetricsOf(view, options),
        performanceOf(view, { curve: true, by: 'symbol' }, options),
        performanceOf(view, { ...from, by: 'regime' }, options),
        performanceOf(view, { by: 'version' }, { dayRule: 'utc_365' }),
      ];
    }),
  );
}

/** Executions of two strategies over a month: halves of cents, refusals, ties of time, few symbols and regimes. */
const someExecution = fc.record({
  strategyId: fc.constantFrom('a', 'a', 'b'),
  // Now and then an amount that a double cannot hold to the last digit.
  pnl: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: -2_000, max: 2_000 }).map((halves) => String(halves / 200)) },
    { weight: 1, arbitrary: fc.constantFrom('89999999999.99999999', '-90071992547.40992001') },
  ),
  success: fc.boolean(),
  executionTimeMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
  status: fc.constantFrom('filled' as const, 'filled' as const, 'rejected' as const),
  mode: fc.constantFrom('live' as const, 'live' as const, 'paper' as const),
  timestampMs: fc.integer({ min: 0, max: 300 }).map((tenths) => monday + tenths * 8_640_000),
  symbol: fc.constantFrom('BTCUSD', 'ETHUSD', null),
  strategyVersion: fc.constantFrom(1, 2),
  regime: fc.constantFrom('ranging', 'stress'),
});
const someEvents = fc
  .array(someExecution, { maxLength: 60 })
  .map((all) => all.map((changes, i) => execution(i + 1, changes)));

const seed = 20_240_101;

describe('the ledger', () => {
  it('answers the same in whatever order executions arrive (property)', () => {
    fc.assert(
      fc.property(someEvents, fc.infiniteStream(fc.nat()), (events, keys) => {
        const order = events.map((event) => ({ event, key: keys.next().value })).sort((a, b) => a.key - b.key);
        const sorted = [...events].sort((a, b) => a.data.timestampMs - b.data.timestampMs || a.seq - b.seq);
        assert.deepEqual(answers(ledgerOf(order.map(({ event }) => event))), answers(ledgerOf(sorted)));
      }),
      { seed, numRuns: 60 },
    );
  });

  it('answers the same whether asked after each execution or only at the end (property)', () => {
    fc.assert(
      fc.property(someEvents, (events) => {
        const asked = createLedger();
        for (const event of events) {
          applyExecution(asked, event);
          newMetricsOf(ledgerView(asked, event.data.strategyId), options);
        }
        assert.deepEqual(answers(asked), answers(ledgerOf(events)));
      }),
      { seed, numRuns: 60 },
    );
  });

  it('restored goes on as if it had never stopped, wherever it was cut, bounds reached or not (property)', () => {
    fc.assert(
      fc.property(someEvents, fc.nat(60), fc.constantFrom(4, 16, 1_000), (events, cut, rows) => {
        const bounds = { rows, cells: rows };
        const whole = createLedger(bounds);
        setCapital(whole, 'a', 500);
        for (const event of events.slice(0, cut)) applyExecution(whole, event);
        const out = new StateWriter();
        writeLedger(whole, out);
        const restored = createLedger(bounds);
        const input = new StateReader(out.bytes());
        readLedger(restored, input);
        assert.ok(input.end());
        for (const event of events.slice(cut)) {
          applyExecution(whole, event);
          applyExecution(restored, event);
        }
        assert.deepEqual(answers(restored), answers(whole));
        assert.deepEqual([restored.own, restored.together], [whole.own, whole.together]);
      }),
      { seed, numRuns: 100 },
    );
  });

  it('refolds from the last checkpoint when an execution comes late into many', () => {
    const events = Array.from({ length: 5_000 }, (_, i) =>
      execution(i + 1, { pnl: String(((i * 7_919) % 1_000) - 499) }),
    );
    const late = [17, 1_023, 1_024, 1_025, 3_000, 4_998];
    const ledger = ledgerOf(events.filter((_, i) => !late.includes(i)));
    for (const i of late) {
      newMetricsOf(ledgerView(ledger, 'a'), options);
      applyExecution(ledger, events[i] as ExecutionEvent);
    }
    assert.deepEqual(answers(ledger), answers(ledgerOf(events)));
  });
});

describe('the bounds of the ledger', () => {
  const events = Array.from({ length: 400 }, (_, i) => {
    const pnl = String(((i * 7_919) % 1_000) - 480);
    return execution(i + 1, { pnl, timestampMs: monday + i * 7_200_000, strategyId: i % 4 === 0 ? 'b' : 'a' });
  });
  const bounded = () => ledgerOf(events, { rows: 100 });

  it('hold: rows and cells never exceed them', () => {
    const ledger = createLedger({ rows: 40, cells: 8 });
    for (const event of events) {
      applyExecution(ledger, event);
      for (const held of [ledger.own, ledger.together]) assert.ok(held.rows <= 40 && held.cells <= 8);
    }
  });

  it('change no metric of the whole life, drawdown and streaks included', () => {
    for (const id of ['a', 'b', null]) {
      const few = performanceOf(ledgerView(bounded(), id), {}, { dayRule: 'utc_365' });
      const all = performanceOf(ledgerView(ledgerOf(events), id), {}, { dayRule: 'utc_365' });
      assert.deepEqual(few, all);
    }
  });

  it('keep drawdown as a fraction known when the capital was told before', () => {
    const ledger = createLedger({ rows: 100 });
    setCapital(ledger, 'a', 5_000);
    for (const event of events) applyExecution(ledger, event);
    const view = ledgerView(ledger, 'a');
    const known = performanceOf(view, {}, { dayRule: 'utc_365', capital: 5_000 });
    assert.deepEqual(
      known,
      performanceOf(ledgerView(ledgerOf(events), 'a'), {}, { dayRule: 'utc_365', capital: 5_000 }),
    );
    assert.equal(performanceOf(view, {}, { dayRule: 'utc_365', capital: 6_000 }).reasons.maxDrawdown, 'not_retained');
  });

  it('leave parts by day exact in what can be added, and the rest not_retained', () => {
    const query = { sinceMs: monday, untilMs: monday + 5 * dayMs - 1 };
    const few = performanceOf(ledgerView(bounded(), 'a'), query, { dayRule: 'utc_365' });
    const all = performanceOf(ledgerView(ledgerOf(events), 'a'), query, { dayRule: 'utc_365' });
    for (const name of ['totalPnl', 'executions', 'winRate', 'profitFactor', 'sharpeRatio', 'largestLoss']) {
      assert.equal(few.metrics[name], all.metrics[name], name);
    }
    for (const name of ['maxDrawdownAmount', 'maxConsecutiveWins'])
      assert.equal(few.reasons[name], 'not_retained', name);
  });

  it('tell nothing of a part that cuts through sums, or begins before all that is kept', () => {
    const ledger = bounded();
    const middle = { sinceMs: monday + 9 * 3_600_000 };
    assert.equal(
      performanceOf(ledgerView(ledger, 'a'), middle, { dayRule: 'utc_365' }).reasons.totalPnl,
      'not_retained',
    );
    const least = ledgerOf(events, { rows: 40, cells: 4 });
    const early = { sinceMs: monday, untilMs: monday + dayMs };
    const { metrics, reasons } = performanceOf(ledgerView(least, 'a'), early, { dayRule: 'utc_365' });
    assert.deepEqual([metrics.totalPnl, reasons.totalPnl, reasons.executions], [null, 'not_retained', 'not_retained']);
  });

  it('keep totals exact when an execution older than all rows comes, and say that the order is lost', () => {
    const ledger = bounded();
    applyExecution(ledger, execution(999, { pnl: '0.5', timestampMs: monday - dayMs }));
    const { metrics, reasons } = performanceOf(ledgerView(ledger, 'a'), {}, { dayRule: 'utc_365' });
    const all = performanceOf(ledgerView(ledgerOf(events), 'a'), {}, { dayRule: 'utc_365' }).metrics;
    assert.equal(metrics.totalPnl, (all.totalPnl ?? 0) + 0.5);
    assert.equal(reasons.maxDrawdownAmount, 'not_retained');
    assert.ok(typeof metrics.sharpeRatio === 'number');
  });

  it('take one more execution in time whatever is held', () => {
    const ledger = ledgerOf(daily(Array(300).fill(1)), { rows: 300 });
    applyExecution(ledger, execution(301, { pnl: '1', timestampMs: monday + 300 * dayMs }));
    assert.equal(performanceOf(ledgerView(ledger, 'a'), {}, { dayRule: 'utc_365' }).metrics.totalPnl, 301);
    assert.equal(ledger.own.rows, 225);
  });
});
