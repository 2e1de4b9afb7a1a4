import assert from 'node:assert/strict';
import type { Bar } from '../../../src/core/domain/bar';
import { type Answer, driveBar } from '../../../src/core/strategies/drive';
import { breakoutStrategy } from '../../../src/core/strategies/trend-following/breakout-strategy';
import { marketFiles } from '../../helpers/market-bars';
import { naiveTurtle, type TurtleAct, type TurtleRules } from '../../helpers/naive-turtle';
import { answers, barsOf, proposals, startDrive, wordsAt } from '../../helpers/strategy-bars';

const small = { entryPeriod: 3, exitPeriod: 2, failsafePeriod: 5, failsafeExitPeriod: 3, atrPeriod: 2 };
const flat = [10, 10, 10, 10, 10, 10];

describe('breakout_strategy', () => {
  it('enters at the breakout, adds after every half N up to four units, and leaves at the opposite channel', () => {
    // Bar 7: true range 2.5 after 1s, so N is 1.75; half of it is 0.875.
    const list = answers(breakoutStrategy, barsOf([...flat, 12, 13, 13.5, 14, 14.9, 16, 13]), small);
    assert.deepEqual(proposals(list), [
      [7, 1],
      [8, '1+'],
      [10, '1+'],
      [11, '1+'],
      [13, 0],
    ]);
    const stops = list.flatMap((one) => (one.intent ? [one.intent.stopLoss] : []));
    assert.deepEqual(stops, [12 - 3.5, 13 - 3.5, 14 - 3.5, 14.9 - 3.5, 0]);
    const entry = list[6]?.intent;
    assert.ok(Math.abs((entry?.score ?? 0) - (0.4 + 0.4 * (1.5 / 1.75))) < 1e-12);
    assert.ok(Math.abs((entry?.confidence ?? 0) - (0.4 + 0.6 * (0.4 + 0.4 * (1.5 / 1.75)))) < 1e-12);
    assert.equal(wordsAt(breakoutStrategy, list, 7), 'close 12 above the 3-bar channel 10.5, N 1.75');
    assert.equal(wordsAt(breakoutStrategy, list, 8), 'close 13 gained 0.571429 N on the last unit at 12: unit 2');
    assert.equal(wordsAt(breakoutStrategy, list, 13), 'close 13 below the 2-bar channel 14.4, N 1.75: exit');
  });

  it('skips the breakout after a winner, and the failsafe channel catches the move', () => {
    const closes = [...flat, 12, 13, 13.5, 14, 14.9, 16, 14, 14, 14, 14, 15, 17];
    const list = answers(breakoutStrategy, barsOf(closes), small);
    assert.deepEqual(proposals(list).slice(5), [[18, 1]]);
    assert.match(
      wordsAt(breakoutStrategy, list, 18),
      /^close 17 above the 5-bar channel 15\.5, N .*\(failsafe entry\)$/,
    );
    const all = answers(breakoutStrategy, barsOf(closes), { ...small, skipAfterWinner: false });
    assert.deepEqual(proposals(all).slice(5, 6), [[17, 1]]);
  });

  it('takes the breakout after a loser', () => {
    // Bar 9 falls through the stop at 8.5; bar 14 is above the channel of 8.5s again.
    const list = answers(breakoutStrategy, barsOf([...flat, 12, 11, 8, 8, 8, 8, 8, 9]), small);
    const sides = proposals(list);
    assert.deepEqual(sides[0], [7, 1]);
    assert.deepEqual(sides.at(-1), [14, 1]);
  });

  it('a bar that is its own high is no breakout: the channel is that of the bars before', () => {
    const rising = barsOf([...flat, 10.5]);
    assert.deepEqual(proposals(answers(breakoutStrategy, rising, small)), []);
    assert.deepEqual(proposals(answers(breakoutStrategy, barsOf([...flat, 10.51]), small)), [[7, 1]]);
  });

  it('refused, it asks for no units and closes nothing, and asks once more at the failsafe channel', () => {
    const closes = [12, 9, 9, 9, 9, 9, 10, 13, 14, 15, 16, 17, 10];
    const refused = answers(breakoutStrategy, barsOf(closes), small, false);
    assert.deepEqual(proposals(refused), [
      [7, 1],
      [8, 1],
      [13, -1],
    ]);
    assert.match(wordsAt(breakoutStrategy, refused, 8), /failsafe/);
  });

  it('a unit that was refused moves no stop, and a stop that passed unseen is asked for as an exit', () => {
    const bars = [
      ...barsOf([...flat, 12, 13]),
      ...barsOf([12, 12]).map((bar, i) => ({ ...bar, low: i === 0 ? 9.3 : 8 })),
    ];
    const drive = startDrive(breakoutStrategy, small, false);
    const list = bars.map((bar) => {
      const answer = driveBar(drive, bar);
      // The entry was filled elsewhere, and no unit more.
      if (answer.intent?.side === 1 && answer.intent.add === 0) drive.paper.exposure = 1;
      return answer;
    });
    assert.deepEqual(proposals(list), [
      [7, 1],
      [8, '1+'],
      [10, 0],
    ]);
    assert.equal(wordsAt(breakoutStrategy, list, 10), "the bar's low 8 passed the stop 8.5");
    const filled = startDrive(breakoutStrategy, small);
    for (const bar of bars.slice(0, 9)) driveBar(filled, bar);
    assert.equal(filled.state.desired, 0, "the filled unit's stop at 9.5 was hit by a low of 9.3");
  });

  describe('is the naive Turtle, act by act', () => {
    const usual: TurtleRules = {
      entry: 20,
      exit: 10,
      failsafe: 55,
      failsafeExit: 20,
      atr: 20,
      stop: 2,
      pyramid: 0.5,
      units: 4,
      skip: true,
    };
    const variants: readonly (readonly [string, TurtleRules])[] = [
      ['with the rules as published', usual],
      ['without the skip rule', { ...usual, skip: false }],
      ['without pyramids', { ...usual, units: 1 }],
      [
        'with short channels and tight stops',
        { ...usual, entry: 8, exit: 4, failsafe: 13, failsafeExit: 6, atr: 5, stop: 1 },
      ],
    ];
    for (const [name, rules] of variants) {
      for (const market of ['spy', 'goog', 'btc'] as const) {
        it(`${name}, on ${market}`, function () {
          const bars = marketFiles[market]();
          if (bars === null) return this.skip();
          compare(bars, rules);
        });
      }
    }
  });
});

function compare(bars: readonly Bar[], rules: TurtleRules): void {
  const list = answers(breakoutStrategy, bars, {
    entryPeriod: rules.entry,
    exitPeriod: rules.exit,
    failsafePeriod: rules.failsafe,
    failsafeExitPeriod: rules.failsafeExit,
    atrPeriod: rules.atr,
    stopAtr: rules.stop,
    pyramidAtr: rules.pyramid,
    maxUnits: rules.units,
    skipAfterWinner: rules.skip,
  });
  const said = list.flatMap((answer, index) => actOf(answer, index));
  const expected = naiveTurtle(bars, rules);
  assert.ok(expected.length > 40, `${expected.length} acts`);
  assert.equal(said.length, expected.length);
  expected.forEach((act, i) => {
    const ours = said[i] as TurtleAct;
    assert.deepEqual({ ...ours, stop: 0 }, { ...act, stop: 0 }, `act ${i}`);
    assert.ok(Math.abs(ours.stop - act.stop) <= 1e-9 * Math.abs(act.stop), `stop of act ${i}`);
  });
}

let held = { side: 0, system: 0 };

function actOf({ intent }: Answer, index: number): TurtleAct[] {
  if (intent === null) return [];
  const { side, add, stopLoss: stop, reason } = intent;
  if (side !== 0 && add === 0) held = { side, system: reason + 1 };
  const what = side === 0 ? 'exit' : add === 1 ? 'add' : 'enter';
  return [{ index, what, ...held, stop }];
}
