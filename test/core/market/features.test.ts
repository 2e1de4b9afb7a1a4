import assert from 'node:assert/strict';
import { createFeatures, type Features, trendBars, updateFeatures } from '../../../src/core/market/features';
import { normals } from './market-samples';

function closes(values: readonly number[]): Features {
  const features = createFeatures();
  for (const value of values) updateFeatures(features, value, value, value);
  return features;
}

describe('features of a series', () => {
  it('hold the log return of the last bar', () => {
    const features = closes([100, 110, 99]);
    assert.equal(features.logReturn, Math.log(99 / 110));
  });

  it('have no trend before 60 returns and then Student t of their mean', () => {
    const normal = normals(1);
    const prices = [100];
    for (let i = 0; i < 300; i++) prices.push((prices[i] as number) * Math.exp(0.01 * normal()));
    assert.equal(closes(prices.slice(0, trendBars)).trendT, 0);
    const { trendT } = closes(prices);
    const returns = prices
      .slice(-trendBars)
      .map((price, i) => Math.log(price / (prices.at(-trendBars - 1 + i) as number)));
    const mean = returns.reduce((sum, r) => sum + r, 0) / trendBars;
    const variance = returns.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (trendBars - 1);
    assert.ok(Math.abs(trendT - mean / Math.sqrt(variance / trendBars)) < 1e-9);
  });

  it('do not drift from what a fresh window says, over 100,000 bars of uneven scale', () => {
    const normal = normals(2);
    const long = createFeatures();
    const last: number[] = [];
    let price = 1;
    for (let i = 0; i < 100_000; i++) {
      price *= Math.exp((i % 5_000 < 2_500 ? 1e-6 : 0.05) * normal() - 1e-9);
      updateFeatures(long, price, price, price);
      last.push(price);
      if (last.length > trendBars + 1) last.shift();
    }
    const fresh = closes(last);
    assert.ok(Math.abs(long.trendT - fresh.trendT) < 1e-7, `${long.trendT} against ${fresh.trendT}`);
  });

  it('call a series as volatile as ever 1, and one three times as volatile more', () => {
    const normal = normals(3);
    const prices = [100];
    for (let i = 0; i < 2_000; i++) prices.push((prices[i] as number) * Math.exp(0.001 * normal()));
    const calm = closes(prices);
    assert.ok(Math.abs(calm.volatilityRatio - 1) < 0.5);
    assert.ok(Math.abs(calm.volatilitySlow / 0.001 - 1) < 0.1);
    for (let i = 0; i < 60; i++) prices.push((prices.at(-1) as number) * Math.exp(0.003 * normal()));
    assert.ok(closes(prices).volatilityRatio > 2);
  });

  it('keep their scale through one crash', () => {
    const normal = normals(4);
    const prices = [100];
    for (let i = 0; i < 1_000; i++) prices.push((prices[i] as number) * Math.exp(0.001 * normal()));
    const before = closes(prices).volatilitySlow;
    prices.push((prices.at(-1) as number) * 0.7);
    const after = closes(prices);
    assert.ok(after.volatilitySlow / before < 1.01);
    assert.equal(after.logReturn, Math.log((prices.at(-1) as number) / (prices.at(-2) as number)));
    assert.ok(after.returnZ < -300);
  });

  it('average the true range over the close, gaps included', () => {
    const features = createFeatures();
    updateFeatures(features, 101, 99, 100);
    assert.equal(features.rangeRatio, 0.02);
    updateFeatures(features, 121, 119, 120);
    assert.ok(Math.abs(features.rangeRatio - (0.02 + 21 / 120) / 2) < 1e-15);
  });

  it('stay finite for flat, zero and negative prices', () => {
    for (const values of [Array(300).fill(5), Array(300).fill(0), [1, 0, -1, -37, 0, 0, 10, 1e-300, 1e300]]) {
      const features = closes(values);
      for (const [name, value] of Object.entries(features)) {
        if (typeof value === 'number') assert.ok(Number.isFinite(value), `${name} of ${values.slice(0, 3)}`);
      }
    }
  });
});
