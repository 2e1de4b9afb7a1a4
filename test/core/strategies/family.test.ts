import assert from 'node:assert/strict';
import { z } from 'zod';
import { commonParameters } from '../../../src/core/strategies/common-parameters';
import { driveBar } from '../../../src/core/strategies/drive';
import { familyDefinition } from '../../../src/core/strategies/family';
import { builtInStrategies } from '../../../src/core/strategies/registry';
import { type BarStrategyDefinition, stepCode } from '../../../src/core/strategies/strategy';
import { answers, barsOf, proposals, startDrive, wordsAt } from '../../helpers/strategy-bars';

type Plan = readonly (readonly [side: number, confidence: number, stop?: number, target?: number] | null)[];

/** Says on bar i what `plan[i]` says; warm after `warmup` bars. */
function scripted(type: string, plan: Plan, warmup = 1): BarStrategyDefinition {
  return {
    type,
    family: 'test',
    description: type,
    parameters: z.object(commonParameters()),
    tier: 'tactical',
    data: 'bars',
    warmup: () => warmup,
    create: () => ({ n: 0 }),
    step(state, _bar, _parameters, _context, intent) {
      const now = plan[state.n as number];
      state.n = (state.n as number) + 1;
      if (state.n < warmup) return stepCode.WARMING;
      if (!now) return stepCode.HOLD;
      [intent.side, intent.confidence, intent.stopLoss = 0, intent.takeProfit = 0] = now;
      intent.volatilityRatio = 0.01;
      return stepCode.PROPOSE;
    },
    reasons: [() => type],
  };
}

function family(plans: Readonly<Record<string, Plan>>, warmups: Readonly<Record<string, number>> = {}) {
  return familyDefinition(
    'crowd',
    Object.entries(plans).map(([type, plan]) => scripted(type, plan, warmups[type] ?? 1)),
  );
}

const none = null;

describe('a family', () => {
  it('votes Σ w·dir·conf / Σ w and speaks when that reaches the threshold', () => {
    const crowd = family({ a: [none, [1, 0.8]], b: [none, none, [1, 0.4]], c: [] });
    const list = answers(crowd, barsOf([10, 10, 10, 10]), { confidence_threshold: 0.35 });
    assert.deepEqual(proposals(list), [[3, 1]]);
    const intent = list[2]?.intent;
    assert.ok(Math.abs((intent?.confidence ?? 0) - 0.4) < 1e-12);
    assert.ok(Math.abs((intent?.score ?? 0) - 0.4) < 1e-12);
    assert.equal(wordsAt(crowd, list, 3), '2 of 3 members stand long, vote 0.4');
    assert.deepEqual(proposals(answers(crowd, barsOf([10, 10, 10]), { confidence_threshold: 0.41 })), []);
  });

  it('names its members, their weights and votes', () => {
    const crowd = family({ a: [[1, 0.8]], b: [[-1, 0.5]], c: [] }, { c: 9 });
    const drive = startDrive(crowd, { confidence_threshold: 0.1 });
    driveBar(drive, barsOf([10])[0] as never);
    assert.deepEqual(crowd.members?.(drive.state as never, drive.parameters as never), [
      { strategyId: 'a', weight: 0.5, vote: 0.8 },
      { strategyId: 'b', weight: 0.5, vote: -0.5 },
    ]);
  });

  it('is warm when more than half of its members are', () => {
    const crowd = family({ a: [], b: [], c: [], d: [] }, { a: 2, b: 5, c: 3, d: 4 });
    assert.equal(crowd.warmup(startDrive(crowd).parameters as never), 4);
    const codes = answers(crowd, barsOf([10, 10, 10, 10, 10])).map((one) => one.code);
    const { WARMING, HOLD } = stepCode;
    assert.deepEqual(codes, [WARMING, WARMING, WARMING, HOLD, HOLD]);
  });

  it('a tie is silence, before a position and in one', () => {
    const crowd = family({ a: [[1, 0.6], none, none, none], b: [[-1, 0.6]] });
    assert.deepEqual(proposals(answers(crowd, barsOf([10, 10]))), []);
    const held = family({ a: [[1, 0.6]], b: [none, none, [-1, 0.6]] });
    assert.deepEqual(proposals(answers(held, barsOf([10, 10, 10, 10]))), [[1, 1]]);
  });

  it('leaves when the vote turns against it, and when nobody stands any more', () => {
    const turned = family({ a: [[1, 0.6]], b: [none, none, [-1, 0.7]] });
    const list = answers(turned, barsOf([10, 10, 10, 10]));
    assert.deepEqual(proposals(list), [
      [1, 1],
      [3, 0],
    ]);
    assert.match(wordsAt(turned, list, 3), /^the vote turned: -0\.05, 1 of 2/);
    const left = family({ a: [[1, 0.8], none, [0, 1]], b: [] });
    const gone = answers(left, barsOf([10, 10, 10, 10]));
    assert.deepEqual(proposals(gone), [
      [1, 1],
      [3, 0],
    ]);
    assert.match(wordsAt(left, gone, 3), /^none of 2 members/);
  });

  it('turns round when the vote does so strongly', () => {
    const crowd = family({ a: [[1, 0.8], none, [-1, 0.8]], b: [none, none, [-1, 0.4]] });
    assert.deepEqual(proposals(answers(crowd, barsOf([10, 10, 10, 10]))), [
      [1, 1],
      [3, -1],
    ]);
  });

  it('a member whose stop was hit stands nowhere', () => {
    const crowd = family({ a: [[1, 0.8, 9]], b: [] });
    const list = answers(crowd, barsOf([10, 10, 9.2, 9.2]), {}, true);
    assert.deepEqual(proposals(list), [[1, 1]]);
    const drive = startDrive(crowd);
    for (const bar of barsOf([10, 10, 9.2])) driveBar(drive, bar);
    const votes = crowd.members?.(drive.state as never, drive.parameters as never);
    assert.equal(votes?.[0]?.vote, 0);
  });

  it('lays its stop at the mean of those that agree, by confidence, and a target only when all have one', () => {
    const crowd = family({ a: [[1, 0.9, 8, 14]], b: [[1, 0.3, 6]], c: [[-1, 0.1, 15, 3]] });
    const intent = answers(crowd, barsOf([10]))[0]?.intent;
    assert.ok(Math.abs((intent?.stopLoss ?? 0) - (0.9 * 8 + 0.3 * 6) / 1.2) < 1e-12);
    assert.equal(intent?.takeProfit, 0);
    const both = family({ a: [[1, 0.9, 8, 14]], b: [[1, 0.3, 6, 12]] });
    assert.ok(
      Math.abs((answers(both, barsOf([10]))[0]?.intent?.takeProfit ?? 0) - (0.9 * 14 + 0.3 * 12) / 1.2) < 1e-12,
    );
  });

  it('applies its own threshold alone: a member that is weak by itself still votes', () => {
    const trend = builtInStrategies.get('trend_following');
    assert.ok(trend);
    const members = startDrive(trend, { confidence_threshold: 0.9 }).parameters as { members?: object };
    assert.deepEqual(Object.keys(members.members ?? {}), [
      'moving_average_crossover',
      'momentum_rider',
      'breakout_strategy',
    ]);
  });
});
