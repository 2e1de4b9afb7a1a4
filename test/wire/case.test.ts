import assert from 'node:assert/strict';
import fc from 'fast-check';
import { camelName, fromWire, snakeName, toWire } from '../../src/wire/case';

describe('wire/case', () => {
  it('names with digits go there and back', () => {
    for (const name of [
      'p50_ms',
      'ci95_bps',
      'sma_20',
      'funding_interval_h',
      'x',
      'ema12_26',
      'a_b_c',
      'pnl_is_gross',
    ]) {
      assert.equal(snakeName(camelName(name)), name);
    }
    assert.equal(camelName('p50_ms'), 'p50Ms');
    assert.equal(snakeName('ticksPerS'), 'ticks_per_s');
  });

  it('every snake_case name survives the round trip', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,5}){0,4}$/);
    fc.assert(
      fc.property(name, (snake) => snakeName(camelName(snake)) === snake),
      { seed: 20_260_101, numRuns: 2_000 },
    );
  });

  it('objects map their keys at every depth, Maps keep theirs', () => {
    const inside = { newMetrics: { sharpeRatio: null }, byId: new Map([['ABC_x', { winRate: 1 }]]), list: [{ aB: 1 }] };
    assert.deepEqual(toWire(inside), {
      new_metrics: { sharpe_ratio: null },
      by_id: { ABC_x: { win_rate: 1 } },
      list: [{ a_b: 1 }],
    });
  });

  it('undefined is dropped and numbers that are not finite become null', () => {
    const inside = { a: undefined, b: Number.NaN, c: Number.POSITIVE_INFINITY, d: [undefined, -0.5] };
    assert.deepEqual(toWire(inside), { b: null, c: null, d: [null, -0.5] });
  });

  it('a Map key __proto__ is data', () => {
    const out = toWire(new Map([['__proto__', { aB: 1 }]]));
    assert.equal(JSON.stringify(out), '{"__proto__":{"a_b":1}}');
    assert.equal(Object.getPrototypeOf(out), Object.prototype);
  });

  it('keys under members stay as they are, below them names are mapped', () => {
    const wire = { members: { abc_001: { max_weight: 1 }, rsi_rev_002: 2 }, vote_mode: 'sum' };
    const inside = { members: { abc_001: { maxWeight: 1 }, rsi_rev_002: 2 }, voteMode: 'sum' };
    assert.deepEqual(fromWire(wire), inside);
    assert.deepEqual(toWire(inside), wire);
    assert.deepEqual(fromWire({ members: [{ strategy_id: 'a' }] }), { members: [{ strategyId: 'a' }] });
  });

  it('__proto__, constructor and prototype never become keys', () => {
    const hostile = JSON.parse(
      '{"__proto__":{"polluted":1},"a":{"constructor":{"prototype":{"x":1}},"members":{"__proto__":1}}}',
    );
    const out = fromWire(hostile) as Record<string, unknown>;
    assert.deepEqual(Object.keys(out), ['a']);
    assert.deepEqual(out.a, { members: {} });
    assert.equal(Object.getPrototypeOf(out), Object.prototype);
    assert.equal((out as { polluted?: unknown }).polluted, undefined);
    assert.equal(({} as { x?: unknown }).x, undefined);
  });
});
