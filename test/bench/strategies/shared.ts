/** What the bench's types have in common: parameters, the words of a reason, how a proposal is written. */
import { z } from 'zod';
import { commonParameters } from '../../../src/core/strategies/common-parameters';
import type { IntentList } from '../../../src/core/strategies/strategy';

export const parameters = z.object({
  ...commonParameters(),
  period: z.number().int().min(2).max(10_000).default(400).describe('Ticks or bars of the faster view.'),
});
export type Parameters = z.output<typeof parameters>;

export const reasons = [(a: number, b: number) => `${a} against ${b}`];

/** Weight of the newest value in an average of so many. */
export function alpha(period: number): number {
  return 2 / (period + 1);
}

export function put(out: IntentList, index: number, side: number, a: number, b: number): void {
  const { slot } = out;
  slot.side = side;
  slot.score = side * 0.8;
  slot.confidence = 0.9;
  slot.stopLoss = 0;
  slot.takeProfit = 0;
  slot.add = 0;
  slot.volatilityRatio = 0.01;
  slot.reason = 0;
  slot.a = a;
  slot.b = b;
  out.push(index);
}
