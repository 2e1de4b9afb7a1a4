import assert from 'node:assert/strict';
import { driveBar } from '../../../src/core/strategies/drive';
import { stepCode } from '../../../src/core/strategies/strategy';
import { movingAverageCrossover } from '../../../src/core/strategies/trend-following/moving-average-crossover';
import { marketFiles } from '../../helpers/market-bars';
import { answers, barsOf, proposals, startDrive, wordsAt } from '../../helpers/strategy-bars';

const small = { averageType: 'sma', fastPeriod: 2, slowPeriod: 3, adxPeriod: 2, adxThreshold: 0, atrPeriod: 2 };
/** SMA 2 is below SMA 3 from bar 3, touches it on bar 5, crosses above on bar 6 and below on bar 8. */
const closes = [10, 9, 8, 7, 9, 11, 12, 8, 6];

describe('moving_average_crossover', () => {
  it('speaks at the crossings and nowhere else; a touch is no crossing', () => {
    const list = answers(movingAverageCrossover, barsOf(closes, 1), { ...small, confidenceThreshold: 0 });
    assert.deepEqual(proposals(list), [
      [6, 1],
      [8, -1],
    ]);
    assert.deepEqual(
      list.slice(0, 4).map((one) => one.code),
      [stepCode.WARMING, stepCode.WARMING, stepCode.WARMING, stepCode.HOLD],
    );
    assert.match(wordsAt(movingAverageCrossover, list, 6), /^fast average 10 crossed above slow 9, ADX \d/);
    assert.match(wordsAt(movingAverageCrossover, list, 8), /^fast average 10 crossed below slow 10\.3333, ADX \d/);
  });

  it('lays its stop two average true ranges away', () => {
    const list = answers(movingAverageCrossover, barsOf(closes, 1), { ...small, confidenceThreshold: 0 });
    // True ranges 2 2 2 3 3: ATR 2 is 2, 2, 2.5, 2.75 on bars 3 to 6.
    assert.equal(list[5]?.intent?.stopLoss, 11 - 2 * 2.75);
    assert.equal(list[5]?.intent?.volatilityRatio, 2.75 / 11);
    const none = answers(movingAverageCrossover, barsOf(closes, 1), { ...small, confidenceThreshold: 0, stopAtr: 0 });
    assert.equal(none[5]?.intent?.stopLoss, 0);
  });

  it('turns a crossing without a trend down, and says so', () => {
    const list = answers(movingAverageCrossover, barsOf(closes, 1), { ...small, adxThreshold: 100 });
    assert.deepEqual(proposals(list), []);
    assert.equal(list[5]?.code, stepCode.REGIME);
    assert.equal(list[7]?.code, stepCode.REGIME);
  });

  it('enters later when ADX rises while the crossing still holds, and exits flat when it is too low to turn', () => {
    const bars = barsOf([
      ...Array.from({ length: 40 }, (_, i) => 100 + (i % 2)),
      99,
      ...Array.from({ length: 30 }, (_, i) => 102 + 2 * i),
    ]);
    const late = answers(movingAverageCrossover, bars, { ...small, adxPeriod: 14, adxThreshold: 40 });
    const entry = late.findIndex((one) => one.intent?.side === 1);
    assert.ok(entry > 41, `${entry}`);
    assert.match(wordsAt(movingAverageCrossover, late, entry + 1), /since its crossing, and now ADX 4/);
    const falling = [...bars, ...barsOf([150, 140, 130])];
    const exit = answers(movingAverageCrossover, falling, { ...small, adxPeriod: 14, adxThreshold: 95 });
    assert.ok(exit.every((one) => one.intent === null || one.intent.side >= 0));
  });

  it('a market that stands still has no crossings, whatever the last digits of its averages do', () => {
    const falling = Array.from({ length: 60 }, (_, i) => 100.1 - 0.37 * i);
    const still = Array.from({ length: 400 }, () => 77.7);
    for (const averageType of ['ema', 'sma']) {
      const list = answers(movingAverageCrossover, barsOf([...falling, ...still], 0), { averageType, adxThreshold: 0 });
      assert.deepEqual(proposals(list), [], averageType);
    }
  });

  it('confidence is 0.4 + 0.6 · min(1, ADX / 50), and the score its signed part', function () {
    const bars = marketFiles.spy();
    if (bars === null) return this.skip();
    const entries = answers(movingAverageCrossover, bars.slice(0, 2_000)).flatMap((one) =>
      one.intent && one.intent.side !== 0 ? [one.intent] : [],
    );
    assert.ok(entries.length > 10);
    for (const { side, score, confidence, c: adx } of entries) {
      assert.equal(score, side * Math.min(1, adx / 50));
      assert.ok(Math.abs(confidence - (0.4 + 0.6 * Math.abs(score))) < 1e-12);
      assert.ok(adx >= 20 && confidence >= 0.64);
    }
  });

  it('refused, it asks again only at a change, or once when it became strong enough', function () {
    const bars = marketFiles.spy();
    if (bars === null) return this.skip();
    const threshold = 0.8;
    const drive = startDrive(movingAverageCrossover, { confidenceThreshold: threshold }, false);
    let repeats = 0;
    for (const bar of bars) {
      const wished = drive.state.desired;
      const { intent } = driveBar(drive, bar);
      if (intent === null) continue;
      assert.notEqual(intent.side, 0, 'nothing is held, so nothing is closed');
      if (intent.side !== wished) continue;
      repeats++;
      assert.ok(intent.confidence >= threshold, 'a repetition is strong enough');
    }
    assert.ok(repeats > 10, `${repeats}`);
  });
});
