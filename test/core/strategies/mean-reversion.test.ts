import assert from 'node:assert/strict';
import { driveBar } from '../../../src/core/strategies/drive';
import { meanReversion } from '../../../src/core/strategies/statistical-arbitrage/mean-reversion';
import { stepCode } from '../../../src/core/strategies/strategy';
import { answers, barsOf, proposals, startDrive, wordsAt } from '../../helpers/strategy-bars';

const small = { lookback: 5, entryZ: 1.8, rsiPeriod: 2, halfLifeWindow: 20, atrPeriod: 2, maxTrendT: 0 };
/** Twenty-four bars to and fro: 99 101 … 99. */
const swing = Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 101 : 99));

describe('mean_reversion', () => {
  it('buys 1.83 deviations below the mean and leaves when the close is back', () => {
    const list = answers(meanReversion, barsOf([...swing, 95, 98, 101]), small);
    assert.deepEqual(proposals(list), [
      [25, 1],
      [26, 0],
    ]);
    const intent = list[24]?.intent;
    // 101 99 101 99 95: mean 99, variance 4.8.
    assert.ok(Math.abs((intent?.a ?? 0) + 4 / Math.sqrt(4.8)) < 1e-9);
    assert.ok(Math.abs((intent?.score ?? 0) - 1 / Math.sqrt(4.8)) < 1e-9);
    assert.ok(Math.abs((intent?.confidence ?? 0) - (0.4 + 0.6 / Math.sqrt(4.8))) < 1e-9);
    // True ranges 2.5 and then 4.5: ATR 2 is 3.5.
    assert.ok(Math.abs((intent?.stopLoss ?? 0) - (95 - 3 * 3.5)) < 1e-6);
    assert.ok(Math.abs((intent?.takeProfit ?? 0) - 99) < 1e-9);
    assert.match(
      wordsAt(meanReversion, list, 25),
      /^close 95 is -1\.82574 deviations from its mean 99, half-life 0 bars$/,
    );
    assert.match(wordsAt(meanReversion, list, 26), /^close 98 is back at -0\.204124 deviations/);
  });

  it('is silent when its target closed the trade before the close came back', () => {
    assert.deepEqual(proposals(answers(meanReversion, barsOf([...swing, 95, 99, 101]), small)), [[25, 1]]);
  });

  it('sells the mirror image', () => {
    const mirrored = [...swing, 95, 98, 101].map((close) => 200 - close);
    assert.deepEqual(proposals(answers(meanReversion, barsOf(mirrored), small)), [
      [25, -1],
      [26, 0],
    ]);
  });

  it('bollinger waits until the close is back inside the bands, and leaves at the middle', () => {
    const list = answers(meanReversion, barsOf([...swing, 95, 97, 97.6, 97.6]), { ...small, method: 'bollinger' });
    assert.deepEqual(proposals(list).slice(0, 2), [
      [26, 1],
      [28, 0],
    ]);
    assert.match(wordsAt(meanReversion, list, 26), /back inside the bands after -1\.82574 deviations/);
  });

  it('rsi buys the oversold and leaves at 50', () => {
    const list = answers(meanReversion, barsOf([...swing, 95, 94, 93, 97, 101]), {
      ...small,
      method: 'rsi',
      rsiEntry: 20,
    });
    const [entry, exit] = proposals(list);
    assert.equal(entry?.[1], 1);
    assert.equal(exit?.[1], 0);
    const rsi = list[(entry?.[0] ?? 1) - 1]?.intent?.a ?? 100;
    assert.ok(rsi <= 20);
    assert.match(wordsAt(meanReversion, list, exit?.[0] ?? 0), /^RSI back at /);
  });

  it('is off in a strong trend, and says with what', () => {
    const drive = startDrive(meanReversion, { ...small, maxTrendT: 2.2 });
    const bars = barsOf([...swing, 95]);
    for (const bar of bars.slice(0, 24)) driveBar(drive, bar);
    const context = { ...drive.context, trendT: -2.5 };
    const intent = { side: 0, score: 0, confidence: 0, stopLoss: 0, takeProfit: 0, add: 0, volatilityRatio: 0 };
    const slot = { ...intent, reason: 0, a: 0, b: 0, c: 0, d: 0 };
    const code = meanReversion.step(drive.state as never, bars[24] as never, drive.parameters as never, context, slot);
    assert.equal(code, stepCode.REGIME);
    const words = meanReversion.reasons[slot.reason]?.(slot.a, slot.b, slot.c, slot.d);
    assert.equal(words, '-1.82574 deviations, but the trend is strong: t -2.5, limit 2.2');
  });

  it('is off where the fit shows no pull back', () => {
    const rising = Array.from({ length: 24 }, (_, i) => 100 * 1.1 ** i);
    const list = answers(meanReversion, barsOf(rising), { ...small, entryZ: 1.2, maxHalfLife: 5 });
    assert.deepEqual(proposals(list), []);
    assert.equal(list.at(-1)?.code, stepCode.REGIME);
  });

  it('leaves what has not reverted in three half-lives, and enters again only after a reversion', () => {
    const falling = [95, 93, 91, 89, 86, 83, 80, 77];
    const list = answers(meanReversion, barsOf([...swing, ...falling, 95, 100, 95, 100, 98, 90]), {
      ...small,
      stopAtr: 0,
    });
    assert.deepEqual(proposals(list).slice(0, 2), [
      [25, 1],
      [28, 0],
    ]);
    assert.match(wordsAt(meanReversion, list, 28), /^not reverted after 3 bars \(limit 3\)/);
    const later = proposals(list).slice(2);
    assert.ok(
      later.every(([bar]) => bar > 32),
      JSON.stringify(later),
    );
    const never = answers(meanReversion, barsOf([...swing, ...falling]), {
      ...small,
      stopAtr: 0,
      timeStopHalfLives: 0,
    });
    assert.deepEqual(proposals(never), [[25, 1]]);
  });

  it('does not open again after its stop before the price has been back', () => {
    const list = answers(meanReversion, barsOf([...swing, 95, 80, 78, 76]), { ...small, stopAtr: 1 });
    assert.deepEqual(proposals(list), [[25, 1]]);
  });
});
