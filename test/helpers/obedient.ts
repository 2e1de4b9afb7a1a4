/** Strategies that do as the bar says: for tests of what happens around a strategy. */
import { z } from 'zod';
import { commonParameters } from '../../src/core/strategies/common-parameters';
import {
  type BarStrategyDefinition,
  type CommonParameters,
  stepCode,
  type TickStrategyDefinition,
} from '../../src/core/strategies/strategy';

interface ObedientParameters extends CommonParameters {
  readonly confidence: number;
  readonly stopRatio: number;
  readonly targetRatio: number;
}

type Seen = { bars: number };

const parameters = z.object({
  ...commonParameters(),
  confidence: z.number().min(0).max(1).default(1).describe('Confidence of every proposal.'),
  stopRatio: z.number().min(0).max(1).default(0.1).describe('Distance of the stop over price; 0 = none.'),
  targetRatio: z.number().min(0).max(1).default(0).describe('Distance of the target over price; 0 = none.'),
});

/** Long on a bar that rose, short on one that fell, flat on one whose close is its open; after two bars of warm-up. */
export const obedient: BarStrategyDefinition<ObedientParameters, Seen> = {
  type: 'obedient',
  family: 'test',
  description: 'Does as the bar says.',
  data: 'bars',
  tier: 'tactical',
  parameters: parameters as unknown as BarStrategyDefinition<ObedientParameters, Seen>['parameters'],
  warmup: () => 2,
  create: () => ({ bars: 0 }),
  step(state, bar, given, _context, intent) {
    state.bars += 1;
    if (state.bars < 2) return stepCode.WARMING;
    const side = Math.sign(bar.close - bar.open);
    intent.side = side;
    intent.score = side;
    intent.confidence = given.confidence;
    intent.stopLoss = given.stopRatio === 0 ? 0 : bar.close * (1 - side * given.stopRatio);
    intent.takeProfit = given.targetRatio === 0 ? 0 : bar.close * (1 + side * given.targetRatio);
    intent.volatilityRatio = 0.01;
    intent.a = bar.close;
    return stepCode.PROPOSE;
  },
  reasons: [(close) => `the bar closed at ${close}`],
};

/** Buys when the price is a multiple of 10, sells when it ends in 5; warm at once. */
export const everyTick: TickStrategyDefinition<CommonParameters, Seen> = {
  type: 'every_tick',
  family: 'test',
  description: 'Does as the tick says.',
  data: 'ticks',
  tier: 'fast',
  parameters: z.object(commonParameters()) as unknown as TickStrategyDefinition<CommonParameters, Seen>['parameters'],
  warmup: () => 3,
  create: () => ({ bars: 0 }),
  run(instances, tick, out) {
    for (let i = 0; i < instances.length; i++) {
      const one = instances[i];
      if (one === undefined) continue;
      one.state.bars += 1;
      const want = tick.price % 10 === 0 ? 1 : tick.price % 10 === 5 ? -1 : one.desired;
      if (one.state.bars < 3 || want === one.desired) continue;
      one.desired = want;
      out.slot.side = want;
      out.slot.score = want;
      out.slot.confidence = 1;
      out.slot.volatilityRatio = 0.01;
      out.push(i);
    }
  },
  reasons: [() => 'the tick said so'],
};
