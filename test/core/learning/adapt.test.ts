import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Regime, TrendLabel, VolatilityLabel } from '../../../src/core/domain/regime';
import { claimedConditions, forcedCooldownMs, proposeStep, type StepInput } from '../../../src/core/learning/adapt';

const bounds = {
  confidenceThreshold: { type: 'number', minimum: 0, maximum: 1, default: 0.5 },
  riskTolerance: { type: 'number', minimum: 0, maximum: 1, default: 0.5 },
  fastPeriod: { type: 'integer', minimum: 2, maximum: 500, default: 12 },
};
const parameters = { confidenceThreshold: 0.5, riskTolerance: 0.5, fastPeriod: 12 };
const rails = { nowMs: 1_000_000, frozen: null, lastForcedMs: null };

function regime(
  volatility: VolatilityLabel | null,
  trendStrength: TrendLabel | null,
  label: Regime['label'] = 'ranging',
): Regime {
  return { label, volatility, trendStrength, volatilityRatio: 1, trendT: 0.3, sinceMs: 0, bars: 400, warmupBars: 200 };
}

function step(changes: Partial<StepInput> = {}) {
  const claimed = { volatility: 'high' as const, trendStrength: 'moderate' as const };
  return proposeStep({
    family: 'trend_following',
    bounds,
    parameters,
    measured: null,
    claimed,
    recent: null,
    rails,
    ...changes,
  });
}

const moved = (changes: Partial<StepInput>) => {
  const { to } = step(changes);
  return [to.confidenceThreshold, to.riskTolerance];
};

describe('the forced step', () => {
  it('follows its table', () => {
    const claim = (volatility: VolatilityLabel, trendStrength: TrendLabel) => ({
      claimed: { volatility, trendStrength },
    });
    assert.deepEqual(moved(claim('high', 'moderate')), [0.55, 0.45]);
    assert.deepEqual(moved(claim('low', 'moderate')), [0.45, 0.55]);
    assert.deepEqual(moved(claim('normal', 'strong')), [0.45, 0.5]);
    assert.deepEqual(moved(claim('normal', 'weak')), [0.55, 0.5]);
    assert.deepEqual(moved(claim('high', 'weak')), [0.6, 0.45]);
    assert.deepEqual(moved(claim('low', 'strong')), [0.4, 0.55]);
    const fading = { family: 'statistical_arbitrage' };
    assert.deepEqual(moved({ ...claim('normal', 'strong'), ...fading }), [0.55, 0.5]);
    assert.deepEqual(moved({ ...claim('normal', 'weak'), ...fading }), [0.45, 0.5]);
    assert.deepEqual(moved({ ...claim('high', 'strong'), family: 'arbitrage_based' }), [0.55, 0.45]);
  });

  it('says what it changed, from what, within which bounds, and why in words', () => {
    const { isRefused, from, to, changes, reason, evidence } = step();
    assert.equal(isRefused, false);
    assert.equal(from, parameters);
    assert.deepEqual(to, { confidenceThreshold: 0.55, riskTolerance: 0.45, fastPeriod: 12 });
    assert.deepEqual(changes, {
      confidenceThreshold: { from: 0.5, to: 0.55, bounds: [0, 1], maxStep: 0.1, clipped: false },
      riskTolerance: { from: 0.5, to: 0.45, bounds: [0, 1], maxStep: 0.1, clipped: false },
    });
    assert.deepEqual(reason, {
      code: 'forced',
      text: 'volatility high (claimed, not measured), trend moderate (claimed, not measured): confidence_threshold up from 0.5 to 0.55, risk_tolerance down from 0.5 to 0.45',
    });
    assert.deepEqual(evidence.changes, changes);
  });

  it('compares the claim with the measurement, and a contradicted claim moves nothing by itself', () => {
    const contradicted = step({ measured: regime('low', 'moderate') });
    assert.equal(contradicted.isRefused, true);
    assert.equal(contradicted.reason.code, 'unchanged');
    const told = contradicted.evidence.regime as { agrees: boolean | null; measured: { volatility: string } };
    assert.deepEqual([told.agrees, told.measured.volatility], [false, 'low']);
    assert.match(contradicted.reason.text, /volatility low \(measured; claimed high\)/);
    const confirmed = step({ measured: regime('high', 'moderate') });
    assert.equal((confirmed.evidence.regime as { agrees: boolean | null }).agrees, true);
    assert.deepEqual(moved({ measured: regime('high', 'moderate') }), [0.55, 0.45]);
    assert.deepEqual(moved({ measured: regime('normal', 'moderate') }), [0.525, 0.475]);
    assert.equal((step().evidence.regime as { agrees: boolean | null }).agrees, null);
  });

  it('needs no claim when the regime is measured', () => {
    assert.deepEqual(moved({ claimed: null, measured: regime('high', 'weak') }), [0.6, 0.45]);
  });

  it('takes numbers from 0 to 1 as labels, cut at a third and two thirds', () => {
    const labels = (value: number) => Object.values(claimedConditions({ volatility: value, trendStrength: value }));
    assert.deepEqual(labels(0), ['low', 'weak']);
    assert.deepEqual(labels(0.33), ['low', 'weak']);
    assert.deepEqual(labels(1 / 3), ['normal', 'moderate']);
    assert.deepEqual(labels(2 / 3), ['normal', 'moderate']);
    assert.deepEqual(labels(0.67), ['high', 'strong']);
    assert.deepEqual(labels(1), ['high', 'strong']);
    assert.deepEqual(claimedConditions(undefined), { volatility: null, trendStrength: null });
  });

  it('goes back towards the defaults when nothing speaks for a move, by one point at most', () => {
    const claimed = { volatility: 'normal' as const, trendStrength: 'moderate' as const };
    const away = { ...parameters, confidenceThreshold: 0.8, riskTolerance: 0.48 };
    assert.deepEqual(moved({ claimed, parameters: away }), [0.75, 0.5]);
    assert.equal(step({ claimed }).reason.code, 'unchanged');
    assert.equal(step({ claimed: null }).reason.code, 'unchanged');
  });

  it('is cut at a bound and says so; at the bound it is unchanged', () => {
    const near = step({ parameters: { ...parameters, confidenceThreshold: 0.98, riskTolerance: 0 } });
    assert.deepEqual(near.changes, {
      confidenceThreshold: { from: 0.98, to: 1, bounds: [0, 1], maxStep: 0.1, clipped: true },
    });
    const at = step({ parameters: { ...parameters, confidenceThreshold: 1, riskTolerance: 0 } });
    assert.deepEqual([at.isRefused, at.reason.code, at.changes], [true, 'unchanged', {}]);
  });

  it('lowers risk while recent trades lose, and never raises it then', () => {
    const losing = { trades: 40, meanPnl: -2, standardError: 1 };
    assert.deepEqual(moved({ recent: losing }), [0.6, 0.4]);
    const calm = { claimed: { volatility: 'low' as const, trendStrength: 'moderate' as const } };
    assert.deepEqual(moved({ ...calm, recent: losing, parameters: { ...parameters, riskTolerance: 0.3 } })[1], 0.3);
    assert.deepEqual(moved({ recent: { ...losing, trades: 29 } }), [0.55, 0.45]);
    assert.deepEqual(moved({ recent: { ...losing, standardError: 2 } }), [0.55, 0.45]);
  });

  it('rounds whole numbers so that the step is never longer than allowed', () => {
    const integers = { ...bounds, confidenceThreshold: { type: 'integer', minimum: 0, maximum: 15 } };
    const { changes } = step({
      bounds: integers,
      parameters: { ...parameters, confidenceThreshold: 7 },
      claimed: { volatility: 'high', trendStrength: 'weak' },
    });
    assert.equal(changes.confidenceThreshold?.to, 8);
  });

  it('is refused when frozen, within the cool-down and in stress, in this order', () => {
    assert.equal(
      step({ rails: { ...rails, frozen: 'end of quarter' } }).reason.text,
      'learning is frozen: end of quarter',
    );
    const since = (ms: number) => ({ ...rails, lastForcedMs: rails.nowMs - ms });
    const early = step({ rails: since(forcedCooldownMs - 1) });
    assert.deepEqual([early.isRefused, early.reason.code, early.to], [true, 'cooldown', parameters]);
    assert.match(early.reason.text, /wait 1 s/);
    assert.equal(step({ rails: since(forcedCooldownMs) }).isRefused, false);
    const stress = step({ measured: regime('high', 'strong', 'stress') });
    assert.deepEqual([stress.reason.code, stress.evidence.guardrails], ['stress', ['stress']]);
  });

  it('never leaves the bounds, exceeds a tenth of the range or touches a third parameter (property)', () => {
    const label = fc.option(fc.constantFrom('low' as const, 'normal' as const, 'high' as const));
    const trend = fc.option(fc.constantFrom('weak' as const, 'moderate' as const, 'strong' as const));
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const range = fc.record({
      low: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      width: fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
    });
    fc.assert(
      fc.property(
        label,
        trend,
        share,
        share,
        share,
        range,
        fc.boolean(),
        (volatility, strength, claim, at, other, { low, width }, losing) => {
          const minimum = low;
          const maximum = low + width;
          const value = Math.min(maximum, minimum + at * width);
          const result = step({
            bounds: { ...bounds, confidenceThreshold: { type: 'number', minimum, maximum } },
            parameters: { ...parameters, confidenceThreshold: value, riskTolerance: other },
            measured: regime(volatility, strength),
            claimed: { volatility: claim, trendStrength: 1 - claim },
            recent: losing ? { trades: 50, meanPnl: -1, standardError: 0.1 } : null,
          });
          assert.equal(result.to.fastPeriod, 12);
          for (const change of Object.values(result.changes)) {
            assert.ok(change.to >= change.bounds[0] && change.to <= change.bounds[1]);
            assert.ok(Math.abs(change.to - change.from) <= change.maxStep * (1 + 1e-6), JSON.stringify(change));
            assert.notEqual(change.to, change.from);
          }
          assert.equal(result.isRefused, Object.keys(result.changes).length === 0);
        },
      ),
      { seed: 7, numRuns: 2_000 },
    );
  });
});
