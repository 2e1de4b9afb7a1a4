import type { LogEvent, NewEvent } from '../core/domain/log-event';
import type { AppendOutcome } from '../live/ports';

/** What a plan must know of the log as it is now. */
export interface LogView {
  readonly lastSeq: number;
  /** The event that has this id, while ids are remembered. */
  known(id: string): { readonly seq: number; readonly contentHash: string } | null;
  /** Current version of the aggregate; 0 when it has none. */
  version(aggregate: string): number;
}

export interface AppendPlan {
  /** One for each event, in order. */
  readonly outcomes: readonly AppendOutcome[];
  /** The events to be written, in order. */
  readonly applied: readonly LogEvent[];
  /** New versions of the aggregates they touch. */
  readonly versions: ReadonlyMap<string, number>;
}

/** Decides what each event becomes, seeing those before it in the same group. For stores with one writer. */
export function planAppend(events: readonly NewEvent[], view: LogView): AppendPlan {
  const outcomes: AppendOutcome[] = [];
  const applied: LogEvent[] = [];
  const versions = new Map<string, number>();
  const ids = new Map<string, LogEvent>();
  for (const event of events) {
    const known = ids.get(event.id) ?? view.known(event.id);
    if (known) {
      outcomes.push({ kind: 'duplicate', seq: known.seq, sameContent: known.contentHash === event.contentHash });
      continue;
    }
    const versionOf = (aggregate: string) => versions.get(aggregate) ?? view.version(aggregate);
    const version = versionOf(event.aggregate);
    const { link } = event;
    if (event.expectedVersion !== null && event.expectedVersion !== version) {
      outcomes.push({ kind: 'conflict', aggregate: event.aggregate, aggregateVersion: version });
      continue;
    }
    if (link !== undefined && versionOf(link.aggregate) !== link.version - 1) {
      outcomes.push({ kind: 'conflict', aggregate: link.aggregate, aggregateVersion: versionOf(link.aggregate) });
      continue;
    }
    const stored = storedEvent(event, view.lastSeq + applied.length + 1, version + 1);
    applied.push(stored);
    ids.set(event.id, stored);
    versions.set(event.aggregate, stored.aggregateVersion);
    if (link !== undefined) versions.set(link.aggregate, link.version);
    outcomes.push({ kind: 'applied', event: stored });
  }
  return { outcomes, applied, versions };
}

/** What becomes of an event that is applied. Type and data stay the pair they came as, which a copy cannot show the compiler. */
export function storedEvent(event: NewEvent, seq: number, aggregateVersion: number): LogEvent {
  const { id, type, v, aggregate, atMs, actor, contentHash, data, link } = event;
  const stored = { seq, id, type, v, aggregate, aggregateVersion, atMs, actor, contentHash, data };
  return (link === undefined ? stored : { ...stored, link }) as LogEvent;
}

/** The versions that these events leave their aggregates at. */
export function versionsAfter(events: readonly LogEvent[]): ReadonlyMap<string, number> {
  const versions = new Map<string, number>();
  for (const { aggregate, aggregateVersion, link } of events) {
    versions.set(aggregate, aggregateVersion);
    if (link !== undefined) versions.set(link.aggregate, link.version);
  }
  return versions;
}
