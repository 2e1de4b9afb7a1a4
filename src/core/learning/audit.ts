/**
 * The audit trail: a fold of adaptation and freeze events. It says what was changed, why, and how to undo it, and holds
 * what the rails need (frozen, last forced step).
 */
import type { AdaptationView } from '../domain/bodies';
import { EngineError, notFound } from '../domain/errors';
import { limits } from '../domain/limits';
import type { AdaptationApplied, LearningFrozen, LogEvent } from '../domain/log-event';
import type { StateReader, StateWriter } from '../domain/state-codec';
import type { Parameters } from '../domain/strategy';
import { snakeName } from '../strategies/parameters';
import type { Step } from './adapt';

export interface AuditEntry {
  readonly data: AdaptationApplied;
  readonly atMs: number;
  readonly actor: string;
  /** The adaptation that undid this one. */
  revertedBy: string | null;
}

export interface AuditTrail {
  /** By adaptation id, oldest first; past `limits.adaptations` the oldest are only in the log. */
  readonly entries: Map<string, AuditEntry>;
  /** Ever folded, those no longer kept included. */
  total: number;
  frozen: boolean;
  frozenReason: string;
  frozenMs: number;
  /** By strategy id. */
  readonly lastForcedMs: Map<string, number>;
  /** Where the chain of the events folded here ends: how many have a place in it, and the hash of the last. */
  chain: ChainHead;
}

export interface ChainHead {
  readonly version: number;
  readonly hash: string;
}

/** The aggregate whose versions number the chain. */
export const auditAggregate = 'audit';

/** A trail of nothing. */
export function createAudit(): AuditTrail {
  const frozen = { frozen: false, frozenReason: '', frozenMs: 0 };
  return { entries: new Map(), total: 0, ...frozen, lastForcedMs: new Map(), chain: { version: 0, hash: '' } };
}

/** Folds an adaptation or a freeze; other events change nothing. */
export function foldAudit(trail: AuditTrail, event: LogEvent): void {
  if (event.type === 'learning_frozen') foldFreeze(trail, event.data, event.atMs);
  if (event.type === 'adaptation') foldAdaptation(trail, event.data, event.atMs, event.actor);
  if (event.link?.aggregate === auditAggregate) trail.chain = { version: event.link.version, hash: event.link.hash };
}

function foldFreeze(trail: AuditTrail, { frozen, reason }: LearningFrozen, atMs: number): void {
  trail.frozen = frozen;
  trail.frozenReason = reason;
  trail.frozenMs = atMs;
}

function foldAdaptation(trail: AuditTrail, data: AdaptationApplied, atMs: number, actor: string): void {
  trail.entries.set(data.adaptationId, { data, atMs, actor, revertedBy: null });
  trail.total++;
  const undone = data.reverses === null ? undefined : trail.entries.get(data.reverses);
  if (undone !== undefined) undone.revertedBy = data.adaptationId;
  if (data.reason.code === 'forced') trail.lastForcedMs.set(data.strategyId, atMs);
  for (const oldest of trail.entries.keys()) {
    if (trail.entries.size <= limits.adaptations) break;
    trail.entries.delete(oldest);
  }
}

/** What the rails of a strategy know. */
export function railsOf(trail: AuditTrail, strategyId: string, nowMs: number) {
  return {
    nowMs,
    frozen: trail.frozen ? trail.frozenReason : null,
    lastForcedMs: trail.lastForcedMs.get(strategyId) ?? null,
  };
}

/** The event that applies a step. */
export function adaptationOf(
  step: Step,
  of: { readonly adaptationId: string; readonly strategyId: string; readonly fromVersion: number },
): AdaptationApplied {
  return {
    ...of,
    stage: 'applied',
    from: { ...step.from },
    to: { ...step.to },
    reason: step.reason,
    evidence: { ...step.evidence },
    reverses: null,
  };
}

/**
 * The event that undoes an adaptation: every parameter it changed gets back its exact value of before; others stay.
 * @throws EngineError `NotFoundError` for an unknown adaptation; `ConflictError` when it is undone already, or when a
 * parameter it changed was changed again since.
 */
export function revertOf(
  trail: AuditTrail,
  adaptationId: string,
  now: { readonly adaptationId: string; readonly parameters: Parameters; readonly version: number },
): AdaptationApplied {
  const entry = trail.entries.get(adaptationId);
  if (entry === undefined) throw notFound('adaptation', adaptationId);
  const { data, revertedBy } = entry;
  if (revertedBy !== null) throw conflict(`adaptation "${adaptationId}" is undone already, by "${revertedBy}"`);
  const to: Record<string, unknown> = { ...now.parameters };
  for (const name of changedNames(data)) {
    if (!isSame(now.parameters[name], data.to[name])) {
      throw conflict(
        `${snakeName(name)} was changed since adaptation "${adaptationId}": undo that first, or roll back by version`,
      );
    }
    if (Object.hasOwn(data.from, name)) to[name] = data.from[name];
    else delete to[name];
  }
  return {
    adaptationId: now.adaptationId,
    strategyId: data.strategyId,
    stage: 'reverted',
    fromVersion: now.version,
    from: { ...now.parameters },
    to,
    reason: { code: 'reverted', text: `undoes adaptation "${adaptationId}" of version ${data.fromVersion}` },
    evidence: { reverses: adaptationId },
    reverses: adaptationId,
  };
}

function conflict(message: string): EngineError {
  return new EngineError('ConflictError', message);
}

function changedNames({ from, to }: AdaptationApplied): readonly string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((name) => !isSame(from[name], to[name]));
}

/** Parameters are plain JSON made by one parser: their keys come in one order. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** All that is kept, newest first. */
export function adaptationViews(trail: AuditTrail): readonly AdaptationView[] {
  return [...trail.entries.values()].reverse().map(viewOf);
}

/** One adaptation; `undefined` when it is not kept. */
export function adaptationView(trail: AuditTrail, adaptationId: string): AdaptationView | undefined {
  const entry = trail.entries.get(adaptationId);
  return entry && viewOf(entry);
}

/** An applied one that was undone is `reverted` and no longer in force; the act that undid it is `reverted` and is. */
function viewOf({ data, atMs, revertedBy }: AuditEntry): AdaptationView {
  const inForce = revertedBy === null;
  return {
    adaptationId: data.adaptationId,
    strategyId: data.strategyId,
    stage: inForce ? data.stage : 'reverted',
    applied: inForce,
    from: data.from,
    to: data.to,
    reason: data.reason,
    evidence: inForce ? data.evidence : { ...data.evidence, revertedBy },
    revert: inForce ? `/api/learning/adaptations/${data.adaptationId}/revert` : null,
    at: new Date(atMs).toISOString(),
  };
}

/** A step that was not applied: refused by a rail, or only asked for (`dry_run`). It is not in the log. */
export function unappliedView(step: Step, adaptationId: string, strategyId: string, atMs: number): AdaptationView {
  return {
    adaptationId,
    strategyId,
    stage: step.isRefused ? 'refused' : 'proposed',
    applied: false,
    from: step.from,
    to: step.to,
    reason: step.reason,
    evidence: step.evidence,
    revert: null,
    at: new Date(atMs).toISOString(),
  };
}

/** Writes the trail into a snapshot. */
export function writeAudit(trail: AuditTrail, out: StateWriter): void {
  const { entries, lastForcedMs, ...rest } = trail;
  out.json({ ...rest, entries: [...entries.values()], lastForcedMs: [...lastForcedMs] });
}

/** Fills a fresh trail. */
export function readAudit(trail: AuditTrail, input: StateReader): void {
  const { entries, lastForcedMs, ...rest } = input.json() as Omit<AuditTrail, 'entries' | 'lastForcedMs'> & {
    readonly entries: readonly AuditEntry[];
    readonly lastForcedMs: readonly [string, number][];
  };
  Object.assign(trail, rest);
  for (const entry of entries) trail.entries.set(entry.data.adaptationId, entry);
  for (const [strategyId, atMs] of lastForcedMs) trail.lastForcedMs.set(strategyId, atMs);
}
