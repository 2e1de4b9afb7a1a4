import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { addAdx, createAdx } from '../../../src/core/indicators/adx';
import { addAtr, createAtr } from '../../../src/core/indicators/atr';
import { addBollinger, createBollinger } from '../../../src/core/indicators/bollinger';
import { addDonchian, createDonchian } from '../../../src/core/indicators/donchian';
import { addEma, createEma } from '../../../src/core/indicators/ema';
import { addRoc, createRoc } from '../../../src/core/indicators/roc';
import { addRollingExtreme, createRollingExtreme } from '../../../src/core/indicators/rolling-extreme';
import { addRsi, createRsi } from '../../../src/core/indicators/rsi';
import { addSma, createSma } from '../../../src/core/indicators/sma';
import { addStddev, createStddev } from '../../../src/core/indicators/stddev';
import { addTrueRange, createTrueRange } from '../../../src/core/indicators/true-range';
import { addZscore, createZscore } from '../../../src/core/indicators/zscore';
import { reference } from '../../helpers/references';

type Column = readonly (number | null)[];
interface Bars {
  readonly high: readonly number[];
  readonly low: readonly number[];
  readonly close: readonly number[];
}
interface Talib {
  readonly datasets: Readonly<
    Record<string, { readonly bars: Bars | string; readonly results: readonly TalibResult[] }>
  >;
}
interface TalibResult {
  readonly fn: string;
  readonly params: Readonly<Record<string, number>>;
  readonly output: Readonly<Record<string, Column>>;
}
interface Skender {
  readonly bars: Bars;
  readonly indicators: Readonly<Record<string, { readonly output: Readonly<Record<string, Column>> }>>;
}

/** Adds bar by bar; what an indicator reads as before it is warm is `null`, as in the references. */
function column<S extends { n: number; warmup: number }>(
  bars: Bars,
  state: S,
  add: (state: S, high: number, low: number, close: number) => void,
  read: (state: S) => number,
): (number | null)[] {
  return bars.close.map((close, i) => {
    add(state, bars.high[i] as number, bars.low[i] as number, close);
    return state.n >= state.warmup ? read(state) : null;
  });
}

function close(name: string, ours: Column, theirs: Column | undefined, tolerance = 2e-10): void {
  assert.ok(theirs, `${name} is in the reference`);
  assert.equal(ours.length, theirs.length);
  let compared = 0;
  for (let i = 0; i < ours.length; i++) {
    const a = ours[i] as number | null;
    const b = theirs[i] as number | null;
    assert.equal(a === null, b === null, `${name}[${i}] is ${a}, theirs ${b}`);
    if (a === null || b === null) continue;
    compared++;
    assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${name}[${i}] is ${a}, theirs ${b}`);
  }
  assert.ok(compared > 200, `${name} was compared on ${compared} bars`);
}

const onClose =
  <S>(add: (state: S, value: number) => void) =>
  (state: S, _high: number, _low: number, value: number) =>
    add(state, value);
const value = (state: { readonly value: number }) => state.value;

/** Ours for each TA-Lib function we have, with its parameters. */
const ours: Readonly<Record<string, (bars: Bars, n: number) => Readonly<Record<string, Column>>>> = {
  SMA: (bars, n) => ({ out: column(bars, createSma(n), onClose(addSma), value) }),
  EMA: (bars, n) => ({ out: column(bars, createEma(n), onClose(addEma), value) }),
  RSI: (bars, n) => ({ out: column(bars, createRsi(n), onClose(addRsi), value) }),
  ROC: (bars, n) => ({ out: column(bars, createRoc(n), onClose(addRoc), value) }),
  STDDEV: (bars, n) => ({ out: column(bars, createStddev(n), onClose(addStddev), value) }),
  MAX: (bars, n) => ({ out: column(bars, createRollingExtreme(n, 1), onClose(addRollingExtreme), value) }),
  MIN: (bars, n) => ({ out: column(bars, createRollingExtreme(n, -1), onClose(addRollingExtreme), value) }),
  ATR: (bars, n) => ({ out: column(bars, createAtr(n), addAtr, value) }),
  TRANGE: (bars) => ({ out: column(bars, createTrueRange(), addTrueRange, value) }),
  BBANDS: (bars, n) => ({
    upper: column(bars, createBollinger(n, 2), onClose(addBollinger), (s) => s.upper),
    middle: column(bars, createBollinger(n, 2), onClose(addBollinger), (s) => s.middle),
    lower: column(bars, createBollinger(n, 2), onClose(addBollinger), (s) => s.lower),
  }),
};

describe('indicators against TA-Lib', () => {
  const file = reference('indicators-talib.json');
  const bars = reference('indicators-skender.json');
  if (file === null || bars === null) return;
  const talib = JSON.parse(readFileSync(file, 'utf8')) as Talib;
  const skender = JSON.parse(readFileSync(bars, 'utf8')) as Skender;
  for (const [name, set] of Object.entries(talib.datasets)) {
    const data = typeof set.bars === 'string' ? skender.bars : set.bars;
    for (const result of set.results) {
      const make = ours[result.fn];
      if (make === undefined) continue;
      it(`${result.fn} ${JSON.stringify(result.params)} on ${name} is theirs to 2e-10`, () => {
        const columns = make(data, result.params.n ?? 0);
        for (const [output, expected] of Object.entries(result.output)) {
          close(`${result.fn}.${output}`, columns[output] ?? [], expected);
        }
      });
    }
    it(`ADX 14 on ${name}, seeded differently, comes within 1e-5 of theirs`, () => {
      const expected = set.results.find((result) => result.fn === 'ADX')?.output.out as Column;
      const adx = column(data, createAdx(14), addAdx, (s) => s.adx);
      const last = adx.length - 1;
      assert.ok(Math.abs((adx[last] as number) - (expected[last] as number)) < 1e-5);
    });
  }
  it('twelve of their runs and more are covered', () => {
    const runs = Object.values(talib.datasets).flatMap((set) => set.results.filter((result) => result.fn in ours));
    assert.ok(runs.length >= 24, `${runs.length}`);
  });
});

describe('indicators against Skender', () => {
  const file = reference('indicators-skender.json');
  if (file === null) return;
  const { bars, indicators } = JSON.parse(readFileSync(file, 'utf8')) as Skender;
  const theirs = (name: string, output: string) => indicators[name]?.output[output];

  it('SMA 20, EMA 20, RSI 14, ROC 14 are theirs to 2e-10', () => {
    close('sma', column(bars, createSma(20), onClose(addSma), value), theirs('sma', 'sma'));
    close('ema', column(bars, createEma(20), onClose(addEma), value), theirs('ema', 'ema'));
    close('rsi', column(bars, createRsi(14), onClose(addRsi), value), theirs('rsi', 'rsi'));
    close('roc', column(bars, createRoc(14), onClose(addRoc), value), theirs('roc', 'roc'));
  });

  it('the true range and ATR 14 are theirs to 2e-10', () => {
    close('tr', column(bars, createTrueRange(), addTrueRange, value), theirs('tr', 'tr'));
    close('atr', column(bars, createAtr(14), addAtr, value), theirs('atr', 'atr'));
    close('tr of atr', column(bars, createTrueRange(), addTrueRange, value), theirs('atr', 'tr'));
  });

  it('ADX 14 with +DI, -DI and DX is theirs to 2e-10', () => {
    const dis = { ...createAdx(14), warmup: 15 };
    close(
      'pdi',
      column(bars, { ...dis }, addAdx, (s) => s.plusDi),
      theirs('adx', 'pdi'),
    );
    close(
      'mdi',
      column(bars, { ...dis }, addAdx, (s) => s.minusDi),
      theirs('adx', 'mdi'),
    );
    close(
      'dx',
      column(bars, { ...dis }, addAdx, (s) => s.dx),
      theirs('adx', 'dx'),
    );
    close(
      'adx',
      column(bars, createAdx(14), addAdx, (s) => s.adx),
      theirs('adx', 'adx'),
    );
  });

  it('standard deviation, mean and z-score 14 are theirs to 2e-10', () => {
    close('stdev', column(bars, createStddev(14), onClose(addStddev), value), theirs('stdev', 'stdDev'));
    close(
      'mean',
      column(bars, createStddev(14), onClose(addStddev), (s) => s.mean),
      theirs('stdev', 'mean'),
    );
    close('zscore', column(bars, createZscore(14), onClose(addZscore), value), theirs('stdev', 'zScore'), 1e-9);
  });

  it('Bollinger 20/2 with percent b and width, and its z-score, are theirs to 1e-9', () => {
    const of = (read: (state: ReturnType<typeof createBollinger>) => number) =>
      column(bars, createBollinger(20, 2), onClose(addBollinger), read);
    close(
      'upper',
      of((s) => s.upper),
      theirs('bb', 'upperBand'),
    );
    close(
      'middle',
      of((s) => s.middle),
      theirs('bb', 'sma'),
    );
    close(
      'lower',
      of((s) => s.lower),
      theirs('bb', 'lowerBand'),
    );
    close(
      'percentB',
      of((s) => s.percentB),
      theirs('bb', 'percentB'),
      1e-9,
    );
    close(
      'width',
      of((s) => s.width),
      theirs('bb', 'width'),
      1e-9,
    );
    close('zscore', column(bars, createZscore(20), onClose(addZscore), value), theirs('bb', 'zScore'), 1e-9);
  });

  it('Donchian 20 is theirs exactly: the channel excludes the current bar', () => {
    const of = (read: (state: ReturnType<typeof createDonchian>) => number) =>
      column(bars, createDonchian(20), addDonchian, read);
    close(
      'upper',
      of((s) => s.upper),
      theirs('donchian', 'upperBand'),
      0,
    );
    close(
      'lower',
      of((s) => s.lower),
      theirs('donchian', 'lowerBand'),
      0,
    );
    close(
      'middle',
      of((s) => s.middle),
      theirs('donchian', 'centerline'),
      1e-15,
    );
  });
});
