import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ExecutionTracked } from '../../../src/core/domain/log-event';
import type { MarketRegime, Regime } from '../../../src/core/domain/regime';
import { adaptationOf, createAudit, foldAudit } from '../../../src/core/learning/audit';
import { type InsightsInput, insightsOf } from '../../../src/core/learning/insights';
import {
  bestProbabilities,
  edgeOf,
  recentPerformanceOf,
  sampleOf,
  trendOf,
} from '../../../src/core/learning/trade-sample';
import { applyExecution, createLedger, type Ledger, ledgerView } from '../../../src/core/performance/ledger';
import { normalCdf } from '../../../src/core/performance/normal';
import { execution, monday } from '../performance/executions';

interface Ranked {
  readonly strategyId: string;
  readonly n: number;
  readonly pBest: number | null;
  readonly status: string;
}

let seq = 0;

function track(
  ledger: Ledger,
  strategyId: string,
  pnls: readonly number[],
  changes: Partial<ExecutionTracked> = {},
): void {
  for (const pnl of pnls) {
    seq++;
    const data = { strategyId, pnl: String(pnl), success: pnl > 0, timestampMs: monday + seq * 1_000, ...changes };
    applyExecution(ledger, execution(seq, data));
  }
}

/** n values around a mean, alternating, with a deviation of about `spread`. */
const around = (n: number, mean: number, spread: number) =>
  Array.from({ length: n }, (_, i) => mean + (i % 2 === 0 ? spread : -spread));

function regime(label: MarketRegime, bars: number): Regime {
  const trend = { volatility: 'normal', trendStrength: 'weak', volatilityRatio: 1, trendT: 0.2 } as const;
  return { label, ...trend, sinceMs: monday, bars, warmupBars: 200 };
}

function insights(ledger: Ledger, ids: readonly string[], changes: Partial<InsightsInput> = {}) {
  return insightsOf({
    asOfMs: monday,
    regimes: new Map(),
    strategies: ids.map((strategyId) => ({
      strategyId,
      strategyType: 'mean_reversion',
      family: 'statistical_arbitrage',
      view: ledgerView(ledger, strategyId),
    })),
    together: ledgerView(ledger, null),
    audit: createAudit(),
    ...changes,
  });
}

function rankingOf(result: ReturnType<typeof insights>): readonly Ranked[] {
  return (result.evidence.optimalStrategies as { ranking: readonly Ranked[] }).ranking;
}

describe('insights', () => {
  it('without data are unknown and undecided, with nothing recommended, and say why', () => {
    const result = insights(createLedger(), ['a']);
    assert.equal(result.marketRegime, 'unknown');
    assert.deepEqual(result.optimalStrategies, []);
    assert.equal(result.performanceTrends, 'unknown');
    assert.deepEqual(result.adaptationRecommendations, []);
    const { why, decided } = result.evidence.optimalStrategies as { why: string; decided: boolean };
    assert.deepEqual([why, decided], ['undecided: no strategy has 30 trades in one currency yet', false]);
    assert.equal(result.evidence.asOf, '2024-01-01T00:00:00.000Z');
  });

  it('rank a clear winner first and leave out what does not earn', () => {
    const ledger = createLedger();
    track(ledger, 'good', around(60, 2, 3));
    track(ledger, 'fair', around(60, 1.2, 3));
    track(ledger, 'bad', around(60, -2, 3));
    const result = insights(ledger, ['bad', 'fair', 'good', 'new']);
    assert.deepEqual(result.optimalStrategies, ['good', 'fair']);
    const ranking = rankingOf(result);
    assert.deepEqual(
      ranking.map((one) => [one.strategyId, one.n, one.status]),
      [
        ['good', 60, 'ranked'],
        ['fair', 60, 'ranked'],
        ['bad', 60, 'ranked'],
        ['new', 0, 'too_few'],
      ],
    );
    assert.ok((ranking[0]?.pBest ?? 0) > 0.6 && ranking[3]?.pBest === null);
  });

  it('are undecided between two equal strategies, and below 30 trades', () => {
    const ledger = createLedger();
    track(ledger, 'a', around(60, 2, 3));
    track(ledger, 'b', around(60, 2, 3));
    const equal = insights(ledger, ['a', 'b']);
    assert.deepEqual(equal.optimalStrategies, []);
    assert.match(
      (equal.evidence.optimalStrategies as { why: string }).why,
      /probability 0\.50, which is not above 0\.6/,
    );
    const few = createLedger();
    track(few, 'a', around(29, 2, 1));
    assert.deepEqual(insights(few, ['a']).optimalStrategies, []);
    track(few, 'a', [2]);
    assert.deepEqual(insights(few, ['a']).optimalStrategies, ['a']);
  });

  it('are undecided about a strategy that has not shown that it earns', () => {
    const ledger = createLedger();
    track(ledger, 'a', around(60, 0.3, 3));
    const result = insights(ledger, ['a']);
    assert.deepEqual(result.optimalStrategies, []);
    assert.match((result.evidence.optimalStrategies as { why: string }).why, /no interval lies above 0/);
  });

  it('compare strategies of different sizes by what they earn for their risk', () => {
    const ledger = createLedger();
    track(ledger, 'large', around(60, 100, 1_000));
    track(ledger, 'small', around(60, 2, 2));
    assert.deepEqual(insights(ledger, ['large', 'small']).optimalStrategies, ['small']);
  });

  it('take the regime of the symbol asked for, else the one of most warm symbols', () => {
    const regimes = new Map([
      ['A', regime('ranging', 300)],
      ['B', regime('trending_up', 900)],
      ['C', regime('ranging', 300)],
      ['D', regime('unknown', 10)],
    ]);
    const asked = (symbol?: string) =>
      insights(createLedger(), [], { regimes, ...(symbol && { symbol }) }).marketRegime;
    assert.deepEqual([asked('B'), asked('D'), asked('X'), asked()], ['trending_up', 'unknown', 'unknown', 'ranging']);
    regimes.delete('C');
    assert.equal(asked(), 'trending_up');
  });

  it('tell a trend by a test of the newer half against the older', () => {
    for (const [older, newer, verdict] of [
      [1, 3, 'improving'],
      [3, 1, 'declining'],
      [2, 2.1, 'stable'],
    ] as const) {
      const ledger = createLedger();
      track(ledger, 'a', [...around(40, older, 2), ...around(40, newer, 2)]);
      assert.equal(insights(ledger, ['a']).performanceTrends, verdict);
    }
    const few = createLedger();
    track(few, 'a', [...around(29, 1, 1), ...around(30, 9, 1)]);
    assert.equal(insights(few, ['a']).performanceTrends, 'unknown');
  });

  it('concern one symbol when asked', () => {
    const ledger = createLedger();
    track(ledger, 'a', around(60, 3, 1), { symbol: 'BTCUSD' });
    track(ledger, 'a', around(60, -3, 1), { symbol: 'ETHUSD' });
    assert.deepEqual(insights(ledger, ['a'], { symbol: 'BTCUSD' }).optimalStrategies, ['a']);
    assert.deepEqual(insights(ledger, ['a'], { symbol: 'ETHUSD' }).optimalStrategies, []);
  });

  it('recommend only what a test showed, with its numbers', () => {
    const ledger = createLedger();
    track(ledger, 'loser', around(50, -2, 3));
    track(ledger, 'mixed', around(40, -2, 1), { regime: 'ranging' });
    track(ledger, 'mixed', around(80, 3, 1), { regime: 'trending_up' });
    track(ledger, 'fine', around(50, 2, 3));
    const regimes = new Map([['BTCUSD', regime('ranging', 300)]]);
    const sentences = insights(ledger, ['loser', 'mixed', 'fine'], { regimes }).adaptationRecommendations;
    assert.equal(sentences.length, 2);
    assert.match(
      sentences[0] ?? '',
      /^loser loses -2\.000 ± 0\.84 \(50 trades\) per trade, with 95 % confidence below 0/,
    );
    assert.match(sentences[1] ?? '', /^mixed loses -2\.000 ± 0\.31 \(40 trades\) per trade in ranging, the regime now/);
  });

  it('recommend to undo an adaptation that made things worse', () => {
    const ledger = createLedger();
    track(ledger, 'a', around(40, 3, 1), { strategyVersion: 1 });
    track(ledger, 'a', around(40, 1, 1), { strategyVersion: 2 });
    const audit = createAudit();
    const step = {
      isRefused: false,
      from: {},
      to: {},
      changes: {},
      reason: { code: 'forced', text: '' },
      evidence: {},
    } as const;
    const data = adaptationOf(step, { adaptationId: 'adaptation_7', strategyId: 'a', fromVersion: 1 });
    const envelope = { seq: 1, id: '', contentHash: '', v: 1, aggregate: 'audit', aggregateVersion: 1 } as const;
    foldAudit(audit, { ...envelope, atMs: monday, actor: 'api', type: 'adaptation', data });
    const sentences = insights(ledger, ['a'], { audit }).adaptationRecommendations;
    assert.ok(
      sentences.some((one) => /^Since adaptation_7, a makes 1\.000 .* after 3\.000 .*: revert it\.$/.test(one)),
    );
  });

  it('say that learning is frozen, and that stress refuses a step', () => {
    const audit = { ...createAudit(), frozen: true, frozenReason: 'audit week' };
    const regimes = new Map([['BTCUSD', regime('stress', 300)]]);
    const sentences = insights(createLedger(), [], { audit, regimes }).adaptationRecommendations;
    assert.match(sentences[0] ?? '', /frozen \(audit week\)/);
    assert.match(sentences[1] ?? '', /stress/);
  });
});

describe('samples of trades', () => {
  it('have a mean, a deviation and a standard error', () => {
    assert.deepEqual(sampleOf(Float64Array.of(1, 2, 3, 4)), {
      n: 4,
      mean: 2.5,
      deviation: Math.sqrt(5 / 3),
      standardError: Math.sqrt(5 / 3) / 2,
    });
  });

  it("have Welch's t between two halves", () => {
    const older = Array.from({ length: 30 }, (_, i) => i % 3);
    const newer = Array.from({ length: 30 }, (_, i) => 2 + (i % 2));
    const { t, verdict } = trendOf(Float64Array.from([...older, ...newer]));
    // Means 1 and 2.5; variances 20/29 and 7.5/29.
    assert.ok(Math.abs((t ?? 0) - 1.5 / Math.sqrt(20 / 29 / 30 + 7.5 / 29 / 30)) < 1e-12);
    assert.equal(verdict, 'improving');
  });

  it('take equal results as a tenth of risk, not as none', () => {
    const edge = edgeOf(Float64Array.from({ length: 50 }, () => 4));
    assert.equal(edge.estimate, 10);
    assert.ok(edge.standardError > 1 && edge.standardError < 1.1);
  });

  it('have probabilities of being best as the closed form for two has them', () => {
    // P(a > b) = Φ(d / √(s² + s²)) when both are far above 0.
    const [a, b] = bestProbabilities([
      { estimate: 10.5, standardError: 1 },
      { estimate: 10, standardError: 1 },
    ]);
    assert.ok(Math.abs((a ?? 0) - normalCdf(0.5 / Math.SQRT2)) < 1e-9);
    assert.ok(Math.abs((a ?? 0) + (b ?? 0) - 1) < 1e-9);
    const [alone] = bestProbabilities([{ estimate: 0.3, standardError: 1 }]);
    assert.ok(Math.abs((alone ?? 0) - normalCdf(0.3)) < 1e-9);
    assert.deepEqual(bestProbabilities([]), []);
  });

  it('have probabilities that, with nothing being best, add up to 1 (property)', () => {
    const edge = fc.record({
      estimate: fc.double({ min: -2, max: 2, noNaN: true }),
      standardError: fc.double({ min: 0.05, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 5 }), (edges) => {
        const nothing = edges.reduce((product, one) => product * normalCdf(-one.estimate / one.standardError), 1);
        const sum = bestProbabilities(edges).reduce((total, one) => total + one, nothing);
        assert.ok(Math.abs(sum - 1) < 1e-4, String(sum));
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  it('of the recent past are the last trades only', () => {
    const ledger = createLedger();
    assert.equal(recentPerformanceOf(ledgerView(ledger, 'a')), null);
    track(ledger, 'a', [...around(50, -9, 1), ...around(100, 2, 1)]);
    track(ledger, 'a', [0], { status: 'rejected' });
    const recent = recentPerformanceOf(ledgerView(ledger, 'a'));
    assert.deepEqual([recent?.trades, recent?.meanPnl], [100, 2]);
  });
});
