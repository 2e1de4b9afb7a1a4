/** One strategy at work on one symbol: its version's parameters and state, and the book it shares with other versions. */
import { currentVersion, type StrategyRecord, type StrategyVersion } from '../domain/strategy';
import type { Book } from '../execution/book';
import type { DecisionLog } from '../risk/decision-log';
import type {
  CommonParameters,
  IntentList,
  IntentSlot,
  StateShape,
  StepCode,
  StepContext,
  StrategyDefinition,
  TickInstance,
} from './strategy';

/** A registered strategy with its parsed parameters; one per strategy id. */
export interface StrategyRuntime {
  record: StrategyRecord;
  version: StrategyVersion;
  readonly definition: StrategyDefinition;
  parameters: CommonParameters;
  readonly log: DecisionLog;
}

export interface Running extends TickInstance<CommonParameters, StateShape> {
  readonly strategy: StrategyRuntime;
  readonly version: StrategyVersion;
  readonly definition: StrategyDefinition;
  readonly book: Book;
  /** Timeframe of its bars on this symbol (`auto` resolved); empty for a tick type. */
  readonly timeframe: string;
  /** True for an older version that only manages its open trade to its end. */
  managesOnly: boolean;
  /** Last code, to keep a decision on a change of reason. */
  lastCode: StepCode | -1;
  /** For a tick type: the symbol's tick count when it was last settled, ticks settled so far, proposals since. */
  ticksBefore: number;
  settledTicks: number;
  proposals: number;
}

export function createStrategyRuntime(
  record: StrategyRecord,
  definition: StrategyDefinition,
  parameters: CommonParameters,
  log: DecisionLog,
): StrategyRuntime {
  return { record, version: currentVersion(record), definition, parameters, log };
}

/** Which version of a strategy runs, with what parameters, on which timeframe's bars. */
export interface Variant {
  readonly version: StrategyVersion;
  readonly parameters: CommonParameters;
  readonly timeframe: string;
}

export function createRunning(strategy: StrategyRuntime, book: Book, variant: Variant): Running {
  const { definition } = strategy;
  const { version, parameters, timeframe } = variant;
  return {
    state: definition.create(parameters),
    parameters,
    context: createContext(),
    desired: 0,
    strategy,
    version,
    definition,
    book,
    timeframe,
    managesOnly: false,
    lastCode: -1,
    ticksBefore: 0,
    settledTicks: 0,
    proposals: 0,
  };
}

function createContext(): StepContext {
  return { exposure: 0, entryPrice: 0, age: 0, trendT: 0, volatilityRatio: 1 };
}

export function createSlot(): IntentSlot {
  const slot = { side: 0, score: 0, confidence: 0, stopLoss: 0, takeProfit: 0, add: 0, volatilityRatio: 0 };
  return { ...slot, reason: 0, a: 0, b: 0, c: 0, d: 0 };
}

/** Back to "nothing": a step writes only what it means. */
export function clearSlot(slot: IntentSlot): void {
  slot.side = 0;
  slot.score = 0;
  slot.confidence = 0;
  slot.stopLoss = 0;
  slot.takeProfit = 0;
  slot.add = 0;
  slot.volatilityRatio = 0;
  slot.reason = 0;
  slot.a = 0;
  slot.b = 0;
  slot.c = 0;
  slot.d = 0;
}

function copySlot(from: IntentSlot, to: IntentSlot): void {
  to.side = from.side;
  to.score = from.score;
  to.confidence = from.confidence;
  to.stopLoss = from.stopLoss;
  to.takeProfit = from.takeProfit;
  to.add = from.add;
  to.volatilityRatio = from.volatilityRatio;
  to.reason = from.reason;
  to.a = from.a;
  to.b = from.b;
  to.c = from.c;
  to.d = from.d;
}

/** The list a tick type's loop writes into; slots are reused, so reading happens before the next group runs. */
export interface Proposals extends IntentList {
  length: number;
  readonly slots: IntentSlot[];
  readonly indexes: number[];
}

export function createProposals(): Proposals {
  const slots: IntentSlot[] = [];
  const indexes: number[] = [];
  const list: Proposals = {
    length: 0,
    slots,
    indexes,
    slot: createSlot(),
    push(index) {
      let slot = slots[list.length];
      if (slot === undefined) {
        slot = createSlot();
        slots.push(slot);
      }
      copySlot(list.slot, slot);
      indexes[list.length] = index;
      list.length++;
    },
  };
  return list;
}
