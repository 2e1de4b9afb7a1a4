/**
 * A family of strategies as one: its members run on the same bars and vote. The vote is Σ wᵢ·dirᵢ·confᵢ / Σ wᵢ over the
 * warm members with equal weights, dirᵢ the side member i stands on (0 when it is out, its stop and target included)
 * and confᵢ its confidence now. The family answers once more than half of its members are warm, and speaks when |vote|
 * reaches `confidenceThreshold`: its side is the vote's sign, its score the vote, its confidence |vote|. It leaves when
 * the vote turns against the side it stands on, or no member stands anywhere any more; a tie of members that stand
 * against each other is silence. Members of a family never add to a position.
 *
 * Stop: the members' stops on the family's side, averaged by confidence; target likewise, when all of them have one.
 */
import { z } from 'zod';
import type { Bar } from '../domain/bar';
import type { FamilyMember } from '../domain/signal';
import { commonParameters } from './common-parameters';
import { createPaperPosition, movePaper, type PaperPosition, placePaper, sideOf, tellPaper } from './paper-position';
import { because, enter, leave, say } from './standing';
import {
  type BarStrategyDefinition,
  type CommonParameters,
  type IntentSlot,
  type StateShape,
  type StepCode,
  type StepContext,
  stepCode,
} from './strategy';

export interface FamilyParameters extends CommonParameters {
  readonly members: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

type MemberState = {
  warm: number;
  /** Of its last proposal. */
  confidence: number;
  volatilityRatio: number;
  paper: PaperPosition;
  state: StateShape;
};

export type FamilyState = { n: number; desired: number; vote: number; members: Record<string, MemberState> };

const reason = { VOTED: 0, TURNED: 1, LEFT: 2 } as const;
const noVote = 1e-12;

/** Two members of three that agree at an ordinary confidence of 0.6 vote 0.4; one alone is not a family's opinion. */
const familyThreshold = 0.3;

/** The definition of a family with these members; its type is the family's name. */
export function familyDefinition(
  family: string,
  members: readonly BarStrategyDefinition[],
): BarStrategyDefinition<FamilyParameters, FamilyState> {
  const memberParameters = new Map(members.map((member) => [member.type, memberSchema(member)]));
  const names = members.map((member) => member.type).join(', ');
  const parameters = z.object({
    ...commonParameters(familyThreshold),
    members: z
      .object(Object.fromEntries([...memberParameters].map(([type, schema]) => [type, schema.prefault({})])))
      .prefault({})
      .describe(
        `Parameters of each member by type (${names}); a name given without a member goes to all that have it.`,
      ),
  });
  const complete = completed(members);
  return {
    type: family,
    family,
    description: `The ${family.replaceAll('_', ' ')} strategies voting as one: ${names}.`,
    parameters,
    memberParameters,
    tier: 'tactical',
    data: 'bars',
    warmup: (p) => majority(members.map((member, i) => member.warmup(complete(p)[i] as CommonParameters))),
    create: (p) => createFamily(members, complete(p)),
    step: (state, bar, p, context, intent) => {
      runMembers(state, bar, members, complete(p), context, intent);
      return answer(state, bar, p, context, intent, members.length);
    },
    members: (state) => votes(state),
    reasons: [
      (vote, agree, warm) => `${agree} of ${warm} members stand ${vote > 0 ? 'long' : 'short'}, vote ${say(vote)}`,
      (vote, agree, warm) => `the vote turned: ${say(vote)}, ${agree} of ${warm} members still stand with the position`,
      (_, __, warm) => `none of ${warm} members stands anywhere any more`,
    ],
  };
}

/** A member's schema without the common parameters, which are the family's; its refinements still hold. */
function memberSchema(member: BarStrategyDefinition): z.ZodObject {
  const common = commonParameters();
  const own = Object.entries(member.parameters.shape).filter(([name]) => !Object.hasOwn(common, name));
  return z.object(Object.fromEntries(own)).superRefine((value, context) => {
    const whole = member.parameters.safeParse(value);
    for (const { path, message } of whole.error?.issues ?? []) context.addIssue({ code: 'custom', path, message });
  });
}

/** Members' parameters as their steps take them, made once for each version; the family alone applies a threshold. */
function completed(members: readonly BarStrategyDefinition[]) {
  const made = new WeakMap<FamilyParameters, readonly CommonParameters[]>();
  return (parameters: FamilyParameters): readonly CommonParameters[] => {
    const known = made.get(parameters);
    if (known) return known;
    const { riskTolerance, cooldownMs } = parameters;
    const list = members.map((member) => {
      return { ...parameters.members[member.type], riskTolerance, cooldownMs, confidenceThreshold: 0 };
    });
    made.set(parameters, list);
    return list;
  };
}

/** Bars after which more than half are warm. */
function majority(warmups: readonly number[]): number {
  const sorted = [...warmups].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function createFamily(members: readonly BarStrategyDefinition[], parameters: readonly CommonParameters[]): FamilyState {
  const states: Record<string, MemberState> = {};
  members.forEach((member, i) => {
    const state = member.create(parameters[i] as CommonParameters);
    states[member.type] = { warm: 0, confidence: 0, volatilityRatio: 0, paper: createPaperPosition(), state };
  });
  return { n: 0, desired: 0, vote: 0, members: states };
}

function runMembers(
  family: FamilyState,
  bar: Bar,
  members: readonly BarStrategyDefinition[],
  parameters: readonly CommonParameters[],
  { trendT, volatilityRatio }: StepContext,
  intent: IntentSlot,
): void {
  family.n++;
  for (let i = 0; i < members.length; i++) {
    const definition = members[i] as BarStrategyDefinition;
    const member = family.members[definition.type] as MemberState;
    const own: StepContext = { exposure: 0, entryPrice: 0, age: 0, trendT, volatilityRatio };
    movePaper(member.paper, bar);
    tellPaper(member.paper, own);
    const code = definition.step(member.state, bar, parameters[i] as CommonParameters, own, intent);
    member.warm = code === stepCode.WARMING ? 0 : 1;
    if (code === stepCode.PROPOSE) {
      placePaper(member.paper, intent);
      member.confidence = intent.confidence;
      member.volatilityRatio = intent.volatilityRatio;
    }
  }
}

/** Its confidence now where its state keeps one, else that of its last proposal. */
function confidenceNow(member: MemberState): number {
  const { confidence } = member.state;
  return typeof confidence === 'number' && confidence > 0 ? confidence : member.confidence;
}

/** The votes of the warm members: direction times confidence, weights that sum to 1. */
function votes(family: FamilyState): FamilyMember[] {
  const warm = Object.entries(family.members).filter(([, member]) => member.warm === 1);
  return warm.map(([strategyId, member]) => {
    return { strategyId, weight: 1 / warm.length, vote: sideOf(member.paper) * confidenceNow(member) };
  });
}

function answer(
  family: FamilyState,
  bar: Bar,
  p: FamilyParameters,
  context: StepContext,
  intent: IntentSlot,
  size: number,
): StepCode {
  const list = votes(family);
  if (2 * list.length <= size) return stepCode.WARMING;
  let vote = 0;
  for (const member of list) vote += member.weight * member.vote;
  vote = Math.abs(vote) < noVote ? 0 : Math.max(-1, Math.min(1, vote));
  family.vote = vote;
  const side = Math.abs(vote) >= p.confidenceThreshold ? Math.sign(vote) : 0;
  if (side !== 0) return side === family.desired ? stepCode.HOLD : speak(family, bar, intent, list, side);
  const standing = list.filter((member) => member.vote !== 0).length;
  const isOver = vote * family.desired < 0 || standing === 0;
  if (family.desired === 0 || !isOver) return stepCode.HOLD;
  const agree = agreeing(list, family.desired);
  family.desired = 0;
  if (context.exposure === 0) return stepCode.HOLD;
  leave(intent, 0, standing === 0 ? reason.LEFT : reason.TURNED);
  because(intent, vote, agree, list.length, 0);
  return stepCode.PROPOSE;
}

function agreeing(list: readonly FamilyMember[], side: number): number {
  return list.filter((member) => member.vote * side > 0).length;
}

function speak(
  family: FamilyState,
  bar: Bar,
  intent: IntentSlot,
  list: readonly FamilyMember[],
  side: number,
): StepCode {
  const agree = list.filter((member) => member.vote * side > 0);
  const states = agree.map((member) => family.members[member.strategyId] as MemberState);
  const volatility = states.reduce((sum, member) => sum + member.volatilityRatio, 0) / states.length;
  family.desired = side;
  enter(intent, side, family.vote, volatility, reason.VOTED);
  intent.confidence = Math.abs(family.vote);
  intent.stopLoss = averageLevel(states, bar.close, -side, 'stop', false);
  intent.takeProfit = averageLevel(states, bar.close, side, 'target', true);
  because(intent, family.vote, agree.length, list.length, 0);
  return stepCode.PROPOSE;
}

/** The members' levels on that side of the price, averaged by confidence; 0 when there is none, or not of all. */
function averageLevel(
  states: readonly MemberState[],
  close: number,
  side: number,
  which: 'stop' | 'target',
  ofAll: boolean,
): number {
  let sum = 0;
  let weight = 0;
  let found = 0;
  for (const member of states) {
    const level = levelOf(member.paper, which);
    if (level === 0 || side * (level - close) <= 0) continue;
    const confidence = confidenceNow(member);
    sum += confidence * level;
    weight += confidence;
    found++;
  }
  return weight === 0 || (ofAll && found < states.length) ? 0 : sum / weight;
}

function levelOf(paper: PaperPosition, which: 'stop' | 'target'): number {
  if (paper.pending === 1) return which === 'stop' ? paper.pendingStop : paper.pendingTarget;
  return which === 'stop' ? paper.stopLoss : paper.takeProfit;
}
