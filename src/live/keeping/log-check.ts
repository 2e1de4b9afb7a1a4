/** The events of a log, handed over one by one, against all that they say about each other. */
import { createCore } from '../../core/create';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent } from '../../core/domain/log-event';
import { apply } from '../../core/fold';
import type { CoreState } from '../../core/state';
import { brokenAt, isAudited } from '../audit-chain';

/** What a check has found first; `null` is nothing. */
export type Finding = string | null;

export interface LogCheck {
  take(event: LogEvent): void;
  readonly events: number;
  /** Audited events with a place in the chain, and those of before there was one. */
  readonly linked: number;
  readonly unlinked: number;
  /** The version that each aggregate has after them. */
  readonly versions: ReadonlyMap<string, number>;
  /** What they fold to. */
  readonly core: CoreState;
  readonly found: Readonly<Found>;
}

interface Found {
  numbering: Finding;
  versions: Finding;
  ids: Finding;
  chain: Finding;
}

class LogChecking implements LogCheck {
  events = 0;
  linked = 0;
  unlinked = 0;
  readonly versions = new Map<string, number>();
  readonly core = createCore();
  readonly found: Found = { numbering: null, versions: null, ids: null, chain: null };
  /** As many as a store remembers: past that an id may come again. */
  private readonly ids = new Set<string>();

  take(event: LogEvent): void {
    this.events++;
    if (event.seq !== this.events) this.found.numbering ??= `event ${event.seq} stands where ${this.events} must`;
    this.version(event.seq, event.aggregate, event.aggregateVersion);
    this.id(event);
    const { link } = event;
    if (link !== undefined) this.version(event.seq, link.aggregate, link.version);
    const broken = brokenAt(this.core.audit.chain, event);
    if (broken !== null) this.found.chain ??= `event ${event.seq} ${broken}`;
    if (link !== undefined) this.linked++;
    else if (isAudited(event)) this.unlinked++;
    foldNamed(this.core, event);
  }

  private id({ seq, id }: LogEvent): void {
    if (this.ids.has(id)) this.found.ids ??= `event ${seq} has the id of an earlier one: it is counted twice`;
    this.ids.add(id);
    if (this.ids.size > limits.executionIds) for (const oldest of this.ids) if (this.ids.delete(oldest)) break;
  }

  private version(seq: number, aggregate: string, version: number): void {
    const before = this.versions.get(aggregate) ?? 0;
    if (version !== before + 1) {
      this.found.versions ??= `event ${seq} is version ${version} of "${aggregate}" and follows version ${before}`;
    }
    this.versions.set(aggregate, version);
  }
}

/** Folds one event; what cannot be folded would stop an engine from starting, so its number is told. */
export function foldNamed(core: CoreState, event: LogEvent): void {
  try {
    apply(core, event);
  } catch (error) {
    throw new EngineError('InternalError', `event ${event.seq} of the log cannot be folded: ${String(error)}`);
  }
}

export function createLogCheck(): LogCheck {
  return new LogChecking();
}
