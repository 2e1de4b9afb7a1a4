import assert from 'node:assert/strict';
import { momentumRider } from '../../../src/core/strategies/trend-following/momentum-rider';
import { answers, barsOf, proposals, wordsAt } from '../../helpers/strategy-bars';

const small = { lookback: 4, volatilityHalfLife: 3, volumePeriod: 1, minVolumeRatio: 0 };
const growing = (bars: number, rate = 1.01) => Array.from({ length: bars }, (_, i) => 100 * rate ** i);

describe('momentum_rider', () => {
  it('rides a steady rise from the first warm bar: √lookback standard deviations, confidence 1', () => {
    const list = answers(momentumRider, barsOf(growing(9)), small);
    assert.deepEqual(proposals(list), [[5, 1]]);
    const intent = list[4]?.intent;
    // Constant returns: the volatility is the return itself, and 4 bars of it are √4 deviations.
    assert.ok(Math.abs((intent?.b ?? 0) - 2) < 1e-9);
    assert.ok(Math.abs((intent?.confidence ?? 0) - 1) < 1e-9);
    assert.ok(Math.abs((intent?.volatilityRatio ?? 0) - Math.log(1.01)) < 1e-12);
    assert.equal(intent?.stopLoss, 0);
    assert.match(
      wordsAt(momentumRider, list, 5),
      /^return 4\.0604 % over 4 bars, 2 standard deviations, volume 1 of usual$/,
    );
  });

  it('turns round when the sign of the return does', () => {
    const top = growing(9);
    const list = answers(momentumRider, barsOf([...top, ...growing(9, 0.97).map((one) => one * 1.07)]), small);
    const sides = proposals(list).map(([, side]) => side);
    assert.deepEqual([sides[0], sides.at(-1)], [1, -1]);
  });

  it('leaves flat on a return around zero rather than turning', () => {
    const closes = [...growing(8), 104, 104.1, 104, 104.1, 103.9, 104];
    const list = answers(momentumRider, barsOf(closes), { ...small, minMomentum: 3 });
    assert.deepEqual(proposals(list), []);
    const held = answers(momentumRider, barsOf([...growing(8), 103, 103, 103.5, 103.4]), {
      ...small,
      minMomentum: 1.2,
    });
    assert.deepEqual(proposals(held).slice(0, 2), [
      [5, 1],
      [9, 0],
    ]);
    assert.match(wordsAt(momentumRider, held, 9), /the sign turned$/);
  });

  it('waits for volume, and then enters', () => {
    const volume = [100, 100, 100, 100, 10, 10, 500, 100, 100];
    const list = answers(momentumRider, barsOf(growing(9), 0.5, volume), { ...small, minVolumeRatio: 0.8 });
    assert.deepEqual(proposals(list), [[7, 1]]);
  });

  it('an instrument that reports no volume is not held to it', () => {
    const list = answers(momentumRider, barsOf(growing(9), 0.5, 0), { ...small, minVolumeRatio: 5 });
    assert.deepEqual(proposals(list), [[5, 1]]);
    assert.doesNotMatch(wordsAt(momentumRider, list, 5), /volume/);
  });

  it('a stop, where one is wanted, is in volatilities of one bar', () => {
    const intent = answers(momentumRider, barsOf(growing(6)), { ...small, stopVolatilities: 5 })[4]?.intent;
    const close = 100 * 1.01 ** 4;
    assert.ok(Math.abs((intent?.stopLoss ?? 0) - close * (1 - 5 * Math.log(1.01))) < 1e-9);
  });

  it('the size it asks for falls as volatility rises', () => {
    const calm = answers(momentumRider, barsOf(growing(6)), small)[4]?.intent?.volatilityRatio ?? 0;
    const wild = answers(momentumRider, barsOf(growing(6, 1.05)), small)[4]?.intent?.volatilityRatio ?? 0;
    assert.ok(wild > 4 * calm);
  });
});
