import assert from 'node:assert/strict';
import { createBook } from '../../../src/core/execution/book';
import { type GateContext, judge, type Verdict } from '../../../src/core/risk/gates';
import { defaultRisk, sizeOf } from '../../../src/core/risk/sizing';
import { createSlot } from '../../../src/core/strategies/running';
import type { IntentSlot } from '../../../src/core/strategies/strategy';

const open: GateContext = {
  timestampMs: 1_000_000,
  price: 100,
  parameters: { confidenceThreshold: 0.5, riskTolerance: 0.5, cooldownMs: 0 },
  state: 'active',
  allowShort: true,
  managesOnly: false,
  dataAgeMs: 0,
  maxAgeMs: 5_000,
  risk: defaultRisk,
  openPositions: 0,
  totalExposure: 0,
  dayPnl: null,
};

function wants(side: number, extra: Partial<IntentSlot> = {}): IntentSlot {
  return { ...createSlot(), side, confidence: 0.8, stopLoss: 100 - side * 5, volatilityRatio: 0.01, ...extra };
}

function held(exposure: number) {
  const book = createBook('s', 'AAA');
  book.exposure = exposure;
  return book;
}

function code(verdict: Verdict): string {
  return verdict.kind === 'no' ? verdict.code : verdict.intent;
}

describe('the gates', () => {
  it('let a confident entry through, sized so that its stop loses the risk it may take', () => {
    const verdict = judge(wants(1), held(0), open);
    assert.equal(verdict.kind, 'act');
    if (verdict.kind !== 'act') return;
    assert.equal(verdict.intent, 'open');
    // 2 % of equity at most, half of it tolerated, a stop 5 % away: 0.01 / 0.05.
    assert.ok(Math.abs(verdict.targetExposure - 0.2) < 1e-12);
    assert.ok(Math.abs(verdict.riskRatio - 0.01) < 1e-12);
  });

  it('scale what is lost at the stop with risk_tolerance, down to nothing at 0', () => {
    const at = (riskTolerance: number) =>
      judge(wants(1), held(0), { ...open, parameters: { ...open.parameters, riskTolerance } });
    const risks = [0.25, 0.5, 1].map((tolerance) => {
      const verdict = at(tolerance);
      return verdict.kind === 'act' ? verdict.riskRatio : Number.NaN;
    });
    assert.deepEqual(
      risks.map((risk) => Math.round(risk * 1e9) / 1e9),
      [0.005, 0.01, 0.02],
    );
    assert.equal(code(at(0)), 'risk_limit');
  });

  const refusals: readonly [string, IntentSlot, number, Partial<GateContext>][] = [
    ['below_threshold', wants(1, { confidence: 0.49 }), 0, {}],
    ['short_not_allowed', wants(-1), 0, { allowShort: false }],
    ['paused', wants(1), 0, { state: 'paused' }],
    ['stale_data', wants(1), 0, { dataAgeMs: 5_001 }],
    ['risk_limit', wants(1), 0, { openPositions: defaultRisk.maxOpenPositions }],
    ['risk_limit', wants(1), 0, { totalExposure: defaultRisk.maxTotalExposure }],
    ['risk_limit', wants(1), 0, { risk: { ...defaultRisk, dailyLossLimit: 100 }, dayPnl: -100 }],
    ['already_positioned', wants(1), 0.2, {}],
    ['already_positioned', wants(1), 0, { managesOnly: true }],
    ['no_setup', wants(0), 0, {}],
  ];
  for (const [expected, slot, exposure, context] of refusals) {
    it(`answer ${expected} to side ${slot.side} at exposure ${exposure} with ${JSON.stringify(context)}`, () => {
      const verdict = judge(slot, held(exposure), { ...open, ...context });
      assert.equal(code(verdict), expected);
      assert.ok(verdict.kind === 'no' && verdict.text.length > 5);
    });
  }

  it('keep a symbol quiet until its cooldown is over', () => {
    const book = held(0);
    book.cooldownUntilMs = open.timestampMs + 1;
    assert.equal(code(judge(wants(1), book, open)), 'cooldown');
    assert.equal(code(judge(wants(1), book, { ...open, timestampMs: book.cooldownUntilMs })), 'open');
  });

  it('never keep a position open: closing passes pause, cooldown, threshold and every limit', () => {
    const book = held(0.2);
    book.cooldownUntilMs = Number.MAX_SAFE_INTEGER;
    const shut = { ...open, state: 'paused' as const, openPositions: 1e6, totalExposure: 1e6 };
    assert.equal(code(judge(wants(0, { confidence: 0 }), book, shut)), 'close');
  });

  it('reverse where shorting is allowed, and only close where it is not', () => {
    assert.equal(code(judge(wants(-1), held(0.2), open)), 'reverse');
    assert.equal(code(judge(wants(-1), held(0.2), { ...open, allowShort: false })), 'close');
    assert.equal(code(judge(wants(-1), held(0.2), { ...open, managesOnly: true })), 'close');
  });

  it('add to a position only when asked, up to the largest exposure', () => {
    const verdict = judge(wants(1, { add: 1 }), held(0.2), open);
    assert.equal(code(verdict), 'add');
    assert.ok(verdict.kind === 'act' && Math.abs(verdict.targetExposure - 0.4) < 1e-12);
    assert.equal(code(judge(wants(1, { add: 1 }), held(1), open)), 'risk_limit');
  });

  it('size by volatility without a stop, and never beyond the largest exposure', () => {
    const byVolatility = sizeOf(100, null, 0.02, 1, defaultRisk);
    assert.ok(Math.abs(byVolatility.exposure - 0.5) < 1e-12);
    const capped = sizeOf(100, 99.99, 0, 1, defaultRisk);
    assert.equal(capped.exposure, 1);
    assert.ok(Math.abs(capped.riskRatio - 0.0001) < 1e-9);
  });
});
