import assert from 'node:assert/strict';
import { alertToWire, decisionToWire, fillToWire, gapToWire, positionToWire } from '../../src/wire/events';
import { signalResponse } from '../../src/wire/schemas/responses';
import { signalToWire } from '../../src/wire/signal';
import { sampleSignal } from '../helpers/fake-engine';

const atMs = 1_700_000_000_123;
const at = '2023-11-14T22:13:20.123Z';

describe('wire/signal', () => {
  it("is the contract's signal: times in ISO, optional fields without a value absent", () => {
    const wire = signalToWire(sampleSignal);
    assert.deepEqual(signalResponse.parse(wire), wire);
    assert.equal(wire.timestamp, at);
    assert.equal(wire.bar_end, '2023-11-14T22:14:00.000Z');
    assert.deepEqual(wire.members, [{ strategy_id: 'a_001', weight: 0.5, vote: 1 }]);
    for (const absent of ['quantity', 'currency', 'valid_until', 'conflated', 'parent_signal_id'])
      assert.ok(!(absent in wire), absent);
    assert.equal(wire.take_profit, null);
  });

  it('shows every optional field that has a value', () => {
    const full = {
      ...sampleSignal,
      quantity: 2,
      currency: 'USD',
      validUntilMs: atMs,
      parentSignalId: 'sig_0',
      conflated: true as const,
    };
    const wire = signalToWire(full);
    assert.deepEqual(signalResponse.parse(wire), wire);
    assert.deepEqual(
      [wire.quantity, wire.currency, wire.valid_until, wire.parent_signal_id, wire.conflated],
      [2, 'USD', at, 'sig_0', true],
    );
  });
});

describe('wire/events', () => {
  it("times are ISO under the contract's names", () => {
    const base = { strategyId: 's', symbol: 'A', strategyVersion: 1 };
    const decision = decisionToWire({
      ...base,
      timestampMs: atMs,
      code: 'cooldown',
      reason: 'x',
      regime: 'unknown',
      signalId: null,
    });
    assert.deepEqual([decision.timestamp, decision.signal_id, 'timestamp_ms' in decision], [at, null, false]);
    const position = positionToWire({
      ...base,
      exposure: 0,
      quantity: null,
      entryPrice: null,
      entryMs: null,
      stopLoss: null,
      takeProfit: null,
      unrealizedRatio: null,
      price: 1,
      positionSource: 'assumed',
      signalId: null,
    });
    assert.deepEqual([position.entry_time, position.position_source], [null, 'assumed']);
    const fill = fillToWire({
      strategyId: 's',
      symbol: 'A',
      signalId: 'g',
      exposureChange: 1,
      quantity: null,
      price: 1,
      costRatio: 0,
      timestampMs: atMs,
      reason: 'market',
    });
    assert.equal(fill.timestamp, at);
    const alert = alertToWire({
      alertId: 'a',
      code: 'c',
      level: 'info',
      message: 'm',
      component: 'x',
      timestampMs: atMs,
      recovered: true,
      count: 2,
      lastMs: atMs + 5,
      sinceMs: atMs - 5,
      durationMs: 10,
    });
    assert.deepEqual([alert.timestamp, alert.count, alert.duration_ms], [at, 2, 10]);
    assert.deepEqual([alert.since, alert.last].map(String).map(Date.parse), [atMs - 5, atMs + 5]);
    const gap = gapToWire({ source: 'redis', fromMs: atMs - 5, toMs: atMs, lost: null, reason: 'cut' });
    assert.deepEqual([gap.to, gap.duration_ms, gap.lost], [at, 5, null]);
  });
});
