import assert from 'node:assert/strict';
import { marketRegimes, type Regime } from '../../../src/core/domain/regime';
import { createFeatures, updateFeatures } from '../../../src/core/market/features';
import { classify, createRegimeState, dwellBars, unknownRegime, warmupBars } from '../../../src/core/market/regime';
import { normals, uniforms } from './market-samples';

/** Regimes of a series of log returns, one a bar. */
function regimesOf(returns: readonly number[]): Regime[] {
  const features = createFeatures();
  const state = createRegimeState();
  let price = 100;
  let regime = unknownRegime;
  return returns.map((value, i) => {
    price *= Math.exp(value);
    updateFeatures(features, price, price, price);
    regime = classify(state, features, i * 60_000, regime);
    return regime;
  });
}

function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length / items.length;
}

function flips(labels: readonly unknown[]): number {
  return labels.filter((label, i) => i > 0 && label !== labels[i - 1]).length;
}

/** Student's t with 5 degrees of freedom, scaled to deviation 1. */
function heavyTails(seed: number): () => number {
  const normal = normals(seed);
  return () => {
    let sum = 0;
    for (let i = 0; i < 5; i++) sum += normal() ** 2;
    return normal() / Math.sqrt(sum / 5) / Math.sqrt(5 / 3);
  };
}

describe('the regime of a series', () => {
  it('is unknown for the first 200 bars, with nothing guessed', () => {
    const normal = normals(1);
    const regimes = regimesOf(Array.from({ length: 300 }, () => 0.01 * normal()));
    const cold = regimes.slice(0, warmupBars - 1);
    assert.ok(cold.every((one) => one.label === 'unknown' && one.volatility === null && one.trendT === null));
    assert.ok(regimes.slice(warmupBars - 1).every((one) => one.label !== 'unknown' && one.volatility !== null));
    assert.equal(regimes[50]?.bars, 51);
  });

  for (const [name, noise] of [
    ['normal', normals(2)],
    ['heavy-tailed', heavyTails(3)],
  ] as const) {
    it(`is strong in at most 5 % and moderate in at most 12 % of the bars of a driftless ${name} walk`, () => {
      const regimes = regimesOf(Array.from({ length: 100_000 }, () => 0.01 * noise())).slice(warmupBars);
      const strong = share(regimes, (one) => one.trendStrength === 'strong');
      const moderate = share(regimes, (one) => one.trendStrength === 'moderate');
      const beyond = (t: number) => share(regimes, (one) => Math.abs(one.trendT ?? 0) > t);
      console.log(
        `      ${name} walk: strong ${(strong * 100).toFixed(1)} %, moderate ${(moderate * 100).toFixed(1)} %, ` +
          `|t| > 1.65 ${(beyond(1.65) * 100).toFixed(1)} %, > 2.2 ${(beyond(2.2) * 100).toFixed(1)} %`,
      );
      assert.ok(strong <= 0.05, `strong in ${strong}`);
      assert.ok(moderate <= 0.12, `moderate in ${moderate}`);
      assert.ok(Math.abs(beyond(1.65) - 0.104) < 0.02 && Math.abs(beyond(2.2) - 0.032) < 0.012);
    });
  }

  it('is a trend where there is one, with its direction', () => {
    const normal = normals(4);
    const up = regimesOf(Array.from({ length: 2_000 }, () => 0.01 * normal() + 0.006)).slice(300);
    const down = regimesOf(Array.from({ length: 2_000 }, () => 0.01 * normal() - 0.006)).slice(300);
    assert.ok(share(up, (one) => one.label === 'trending_up') > 0.85);
    assert.ok(share(down, (one) => one.label === 'trending_down') > 0.85);
    assert.ok(share(up, (one) => one.trendStrength === 'strong') > 0.8);
    assert.equal(
      share(up, (one) => one.label === 'trending_down'),
      0,
    );
  });

  for (const [name, noiseOf, accuracy] of [
    ['normal', normals, 0.8],
    ['heavy-tailed', heavyTails, 0.75],
  ] as const) {
    it(`finds the three volatilities of a switching ${name} series, without flickering`, () => {
      const noise = noiseOf(5);
      const uniform = uniforms(6);
      const sigmas = [0.5, 1, 2];
      let state = 1;
      const truth: number[] = [];
      const returns: number[] = [];
      for (let i = 0; i < 60_000; i++) {
        if (uniform() < 1 / 250) state = (state + (uniform() < 0.5 ? 1 : 2)) % 3;
        truth.push(state);
        returns.push(0.001 * (sigmas[state] as number) * noise());
      }
      const labels = regimesOf(returns).map((one) => ['low', 'normal', 'high'].indexOf(one.volatility ?? ''));
      const warm = 2_000;
      const right = share(labels.slice(warm), (label) => label >= 0);
      assert.equal(right, 1);
      let hits = 0;
      for (let i = warm; i < labels.length; i++) if (labels[i] === truth[i]) hits++;
      const accurate = hits / (labels.length - warm);
      const perThousand = (flips(labels.slice(warm)) / (labels.length - warm)) * 1_000;
      console.log(
        `      ${name}: ${(accurate * 100).toFixed(1)} % of bars right, ${perThousand.toFixed(1)} changes per 1,000 ` +
          `(truth ${((flips(truth) / truth.length) * 1_000).toFixed(1)})`,
      );
      assert.ok(accurate > accuracy, `${accurate}`);
      assert.ok(perThousand < 9, `${perThousand}`);
    });
  }

  it('keeps every confirmed label for at least the dwell', () => {
    const noise = heavyTails(7);
    const regimes = regimesOf(Array.from({ length: 20_000 }, (_, i) => (i % 700 < 350 ? 0.001 : 0.003) * noise()));
    for (const of of [(one: Regime) => one.volatility, (one: Regime) => one.trendStrength]) {
      const labels = regimes.slice(warmupBars).map(of);
      let since = 0;
      for (let i = 1; i < labels.length; i++) {
        if (labels[i] === labels[i - 1]) continue;
        assert.ok(since === 0 || i - since >= dwellBars, `a label held for ${i - since} bars`);
        since = i;
      }
    }
  });

  it('is stress at once in a crash, for at least the dwell, and over when it is quiet again', () => {
    const normal = normals(8);
    const calm = Array.from({ length: 500 }, () => 0.001 * normal());
    const regimes = regimesOf([...calm, -0.008, ...calm]);
    assert.equal(regimes[499]?.label === 'stress', false);
    assert.ok(regimes.slice(500, 500 + dwellBars).every((one) => one.label === 'stress'));
    assert.equal(regimes[600]?.label === 'stress', false);
    const rally = regimesOf([...calm, 0.008, ...calm]);
    assert.ok(rally.every((one) => one.label !== 'stress'));
  });

  it('says since when its label holds, and knows every label of the contract', () => {
    const noise = heavyTails(9);
    const seen = new Set<string>();
    const returns = Array.from({ length: 40_000 }, (_, i) => {
      const drift = [0, 0.0012, -0.0012][Math.floor(i / 400) % 3] as number;
      const scale = [0.001, 0.003][Math.floor(i / 1_300) % 2] as number;
      return scale * noise() + drift * (scale / 0.0015);
    });
    const regimes = regimesOf(returns);
    regimes.forEach((one, i) => {
      seen.add(one.label);
      const before = regimes[i - 1];
      assert.equal(one.sinceMs, before !== undefined && before.label === one.label ? before.sinceMs : i * 60_000);
    });
    assert.deepEqual([...seen].sort(), [...marketRegimes].sort());
  });
});
