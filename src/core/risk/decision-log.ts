/** Why and why not: per strategy, the last decisions that were not "hold" and the funnel of all. */
import type { Decision, DecisionCode, Funnel } from '../domain/decision';
import { decisionCodes } from '../domain/decision';
import { limits } from '../domain/limits';
import type { StateReader, StateWriter } from '../domain/state-codec';

const codeIndex: ReadonlyMap<DecisionCode, number> = new Map(decisionCodes.map((code, i) => [code, i]));

export interface DecisionLog {
  /** Ring of the last `limits.decisionsPerStrategy`. */
  readonly ring: Decision[];
  next: number;
  evaluated: number;
  /** Per index of `decisionCodes`. */
  readonly counts: Float64Array;
  signals: number;
  /** Decisions ever kept, and how many of them the last snapshot knew. */
  kept: number;
  saved: number;
}

export function createDecisionLog(): DecisionLog {
  return {
    ring: [],
    next: 0,
    evaluated: 0,
    counts: new Float64Array(decisionCodes.length),
    signals: 0,
    kept: 0,
    saved: 0,
  };
}

/** Counts `times` evaluations that ended in `code`. */
export function count(log: DecisionLog, code: DecisionCode, times = 1): void {
  log.evaluated += times;
  const i = codeIndex.get(code) as number;
  log.counts[i] = (log.counts[i] as number) + times;
}

export function keep(log: DecisionLog, decision: Decision): void {
  log.kept++;
  if (log.ring.length < limits.decisionsPerStrategy) log.ring.push(decision);
  else log.ring[log.next] = decision;
  log.next = (log.next + 1) % limits.decisionsPerStrategy;
}

/** Kept decisions, newest first. */
export function newestFirst(log: DecisionLog): Decision[] {
  const size = log.ring.length;
  const full = size === limits.decisionsPerStrategy;
  const last = full ? log.next : size;
  const list: Decision[] = [];
  for (let i = 1; i <= size; i++) list.push(log.ring[(last - i + size) % size] as Decision);
  return list;
}

export function funnel(log: DecisionLog): Funnel {
  const outcomes: Partial<Record<DecisionCode, number>> = {};
  decisionCodes.forEach((code, i) => {
    if ((log.counts[i] as number) > 0) outcomes[code] = log.counts[i] as number;
  });
  return { evaluated: log.evaluated, outcomes };
}

/** The counts; the kept decisions are written apart, and only when there are new ones. */
export function writeCounts(log: DecisionLog, out: StateWriter): void {
  out.f64(log.evaluated);
  out.f64(log.signals);
  out.f64s(log.counts);
}

export function readCounts(input: StateReader): DecisionLog {
  const log = createDecisionLog();
  log.evaluated = input.f64();
  log.signals = input.f64();
  const counts = input.f64s();
  log.counts.set(counts.subarray(0, log.counts.length));
  return log;
}

export function writeKept(log: DecisionLog, out: StateWriter): void {
  out.f64(log.kept);
  out.json(newestFirst(log));
}

export function readKept(log: DecisionLog, input: StateReader): void {
  const kept = input.f64();
  for (const decision of (input.json() as Decision[]).reverse()) keep(log, decision);
  log.kept = kept;
  log.saved = kept;
}
