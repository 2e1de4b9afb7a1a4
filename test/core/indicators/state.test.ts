import assert from 'node:assert/strict';
import { StateReader, type StateShape, StateWriter } from '../../../src/core/domain/state-codec';
import { addAdx, createAdx } from '../../../src/core/indicators/adx';
import { addAr1, createAr1 } from '../../../src/core/indicators/ar1';
import { addAtr, createAtr } from '../../../src/core/indicators/atr';
import { addBollinger, createBollinger } from '../../../src/core/indicators/bollinger';
import { addDonchian, createDonchian } from '../../../src/core/indicators/donchian';
import { addEma, createEma } from '../../../src/core/indicators/ema';
import { addEwmaVolatility, createEwmaVolatility } from '../../../src/core/indicators/ewma-volatility';
import { addRoc, createRoc } from '../../../src/core/indicators/roc';
import { addRsi, createRsi } from '../../../src/core/indicators/rsi';
import { addSma, createSma } from '../../../src/core/indicators/sma';
import { addStddev, createStddev } from '../../../src/core/indicators/stddev';
import { addTrueRange, createTrueRange, trueRangeOf } from '../../../src/core/indicators/true-range';
import { addZscore, createZscore } from '../../../src/core/indicators/zscore';

describe('indicator state', () => {
  const all: Readonly<
    Record<string, { create: () => StateShape; add: (state: never, bar: readonly number[]) => void }>
  > = {
    adx: { create: () => createAdx(5), add: (s, [h, l, c]) => addAdx(s, h as number, l as number, c as number) },
    atr: { create: () => createAtr(5), add: (s, [h, l, c]) => addAtr(s, h as number, l as number, c as number) },
    tr: {
      create: () => createTrueRange(),
      add: (s, [h, l, c]) => addTrueRange(s, h as number, l as number, c as number),
    },
    donchian: { create: () => createDonchian(5), add: (s, [h, l]) => addDonchian(s, h as number, l as number) },
    sma: { create: () => createSma(5), add: (s, [, , c]) => addSma(s, c as number) },
    ema: { create: () => createEma(5), add: (s, [, , c]) => addEma(s, c as number) },
    rsi: { create: () => createRsi(5), add: (s, [, , c]) => addRsi(s, c as number) },
    roc: { create: () => createRoc(5), add: (s, [, , c]) => addRoc(s, c as number) },
    stddev: { create: () => createStddev(5), add: (s, [, , c]) => addStddev(s, c as number) },
    zscore: { create: () => createZscore(5), add: (s, [, , c]) => addZscore(s, c as number) },
    bollinger: { create: () => createBollinger(5, 2), add: (s, [, , c]) => addBollinger(s, c as number) },
    ewma: { create: () => createEwmaVolatility(5), add: (s, [, , c]) => addEwmaVolatility(s, c as number) },
    ar1: { create: () => createAr1(5), add: (s, [, , c]) => addAr1(s, c as number) },
  };

  for (const [name, { create, add }] of Object.entries(all)) {
    it(`${name} restored from its bytes goes on as if never stopped`, () => {
      const bars = Array.from({ length: 40 }, (_, i) => {
        const close = 100 + 10 * Math.sin(i * 1.7) + i;
        return [close + 1 + (i % 3), close - 1 - (i % 2), close];
      });
      for (const stop of [0, 1, 5, 6, 17, 39]) {
        const never = create();
        let stopped = create();
        bars.forEach((bar, i) => {
          if (i === stop) {
            const writer = new StateWriter();
            writer.shape(stopped);
            stopped = create();
            assert.ok(new StateReader(writer.bytes()).shape(stopped).complete);
          }
          add(never as never, bar);
          add(stopped as never, bar);
        });
        assert.deepEqual(stopped, never);
      }
    });
  }

  it('the true range reaches to the close before', () => {
    assert.equal(trueRangeOf(10, 9, 12), 3);
    assert.equal(trueRangeOf(10, 9, 5), 5);
    assert.equal(trueRangeOf(10, 9, 9.5), 1);
  });
});
