/**
 * A disk in memory that outlives the process on it. Each life of the process opens its own handles; when it dies, what
 * was not flushed is gone, its handles do nothing any more, and its promises never settle. The stores keep text, so
 * nothing is shared with the living.
 */
import { planAppend } from '../../src/adapters/append-plan';
import { decodeRecord, encodeRecord } from '../../src/adapters/log-record';
import { EngineError, valueError } from '../../src/core/domain/errors';
import { limits } from '../../src/core/domain/limits';
import type { LogEvent } from '../../src/core/domain/log-event';
import type { EventLog, Snapshot, SnapshotMeta, Snapshots, Tape, TapeRecord } from '../../src/live/ports';
import type { Bug, Faults } from './faults';

interface StoredSet {
  readonly generation: number;
  readonly meta: SnapshotMeta;
  readonly chunks: ReadonlyMap<string, Uint8Array>;
  damaged: boolean;
}

/** What happened to the core, in the order in which it happened: what a run without crashes would have been given. */
export type Entry =
  | { readonly kind: 'market'; readonly record: TapeRecord; readonly position: number | null }
  | { readonly kind: 'event'; readonly seq: number }
  | { readonly kind: 'snapshot'; readonly generation: number };

export interface Handles {
  readonly log: EventLog;
  readonly snapshots: Snapshots;
  readonly tape: Tape;
  /** Settles when a fault ended this life. */
  readonly died: Promise<'died'>;
  /** Ends this life. */
  kill(): void;
}

const refused = (): EngineError => new EngineError('ConnectionError', 'the disk refuses', { retryAfterS: 1 });
const silent = (): EngineError => new EngineError('TimeoutError', 'the disk is silent', { retryAfterS: 1 });
/** One for each who waits: a shared one would remember them all. */
export const never = (): Promise<never> => new Promise(() => undefined);

export class Disk {
  faults: Faults = { log: 'none', snapshots: 'none', tape: 'none' };
  history: Entry[] = [];
  readonly bug: Bug | null;
  private events: string[] = [];
  private ids = new Map<string, { seq: number; contentHash: string }>();
  private versions = new Map<string, number>();
  private sets: StoredSet[] = [];
  private generations = 0;
  private records: { readonly position: number; readonly text: string }[] = [];
  private nextPosition = 1;
  private trimmedTo = 0;
  private tornBytes = 0;
  private delivered = 0;

  private readonly idsKept: number;

  constructor(bug: Bug | null = null, idsKept: number = limits.executionIds) {
    this.bug = bug;
    this.idsKept = idsKept;
  }

  /** All events that are durable. */
  log(): LogEvent[] {
    return this.events.map((text, i) => decodeRecord(text, i + 1));
  }

  /** The chunks of the newest set. */
  chunks(): ReadonlyMap<string, Uint8Array> {
    return this.sets[this.sets.length - 1]?.chunks ?? new Map();
  }

  /** The last `count` records of the tape never reached the disk, and where they end cannot be told. */
  tearTape(count: number): void {
    if (count <= 0) return;
    this.records.splice(Math.max(0, this.records.length - count));
    this.tornBytes += count;
    this.nextPosition += limits.tapeJump;
  }

  /** The newest set is found damaged; only while there is an older one. */
  damageNewestSet(): void {
    const newest = this.sets[this.sets.length - 1];
    if (newest !== undefined && this.sets.length > 1) newest.damaged = true;
  }

  /**
   * A process opens the disk. What it will be able to know is now settled: entries behind the newest whole set that
   * are neither on the tape nor in the log have never been.
   */
  open(): Handles {
    this.settleHistory();
    let alive = true;
    let tell: (word: 'died') => void = () => undefined;
    const died = new Promise<'died'>((resolve) => {
      tell = resolve;
    });
    const kill = () => {
      alive = false;
      tell('died');
    };
    const life = { isAlive: () => alive, kill };
    return { log: this.logOf(life), snapshots: this.snapshotsOf(life), tape: this.tapeOf(life), died, kill };
  }

  private settleHistory(): void {
    const newest = this.sets.findLast((set) => !set.damaged);
    const from = this.history.findIndex(
      (entry) => entry.kind === 'snapshot' && entry.generation === newest?.generation,
    );
    const onTape = new Set(this.records.map(({ position }) => position));
    this.history = this.history.filter((entry, i) => {
      if (entry.kind !== 'market' || i < from) return true;
      return entry.position !== null && onTape.has(entry.position);
    });
    for (let seq = this.delivered + 1; seq <= this.events.length; seq++) this.history.push({ kind: 'event', seq });
    this.delivered = this.events.length;
  }

  private deliver(toSeq: number): void {
    for (let seq = this.delivered + 1; seq <= toSeq; seq++) this.history.push({ kind: 'event', seq });
    this.delivered = Math.max(this.delivered, toSeq);
  }

  private commit(event: LogEvent): void {
    this.events[event.seq - 1] = encodeRecord(event);
    if (this.bug !== 'forgets ids') this.ids.set(event.id, { seq: event.seq, contentHash: event.contentHash });
    if (this.ids.size > this.idsKept) for (const oldest of this.ids.keys()) if (this.ids.delete(oldest)) break;
    this.versions.set(event.aggregate, event.aggregateVersion);
    if (event.link !== undefined) this.versions.set(event.link.aggregate, event.link.version);
  }

  private logOf(life: { isAlive(): boolean; kill(): void }): EventLog {
    let closed = false;
    const assertOpen = () => {
      if (closed) throw refused();
    };
    return {
      append: async (events) => {
        assertOpen();
        if (events.length > limits.eventsPerAppend) throw valueError('events', 'are too many', events.length);
        const fault = this.faults.log;
        if (fault === 'refuse') throw refused();
        if (fault === 'timeout_lost') throw silent();
        const isEarly = this.bug === 'acknowledges before it is flushed';
        // The flush: whoever dies meanwhile has written nothing.
        if (!isEarly) await null;
        if (!life.isAlive()) return never();
        if (fault === 'die_before') life.kill();
        if (fault === 'die_before' && !isEarly) return never();
        const plan = planAppend(events, {
          lastSeq: this.events.length,
          known: (id) => this.ids.get(id) ?? null,
          version: (aggregate) => this.versions.get(aggregate) ?? 0,
        });
        const commitAll = () => {
          for (const event of plan.applied) this.commit(event);
        };
        if (isEarly) setImmediate(() => life.isAlive() && commitAll());
        else commitAll();
        if (fault === 'timeout_written') throw silent();
        if (fault === 'die_after') life.kill();
        if (!life.isAlive()) return never();
        const first = plan.applied[0];
        if (first !== undefined && first.seq === this.delivered + 1) this.deliver(first.seq + plan.applied.length - 1);
        return plan.outcomes;
      },
      read: async (afterSeq, limit) => {
        assertOpen();
        if (this.faults.log === 'refuse') throw refused();
        if (!life.isAlive()) return never();
        const end = Math.min(this.events.length, afterSeq + limit);
        const events = this.log().slice(afterSeq, end);
        this.deliver(end);
        if (this.bug === 'skips an event when read again' && events.length > 1) events.splice(-1);
        return events;
      },
      lastSeq: async () => {
        assertOpen();
        return this.events.length;
      },
      isShared: false,
      durability: () => ({
        kind: 'embedded',
        survivesProcessKill: true,
        survivesStoreKill: true,
        survivesPowerLoss: true,
        text: 'on a disk of the simulation',
      }),
      close: async () => {
        closed = true;
      },
    };
  }

  private snapshotsOf(life: { isAlive(): boolean; kill(): void }): Snapshots {
    let closed = false;
    return {
      save: async (meta, dirty, removed) => {
        if (closed) throw refused();
        if (!life.isAlive()) return never();
        const fault = this.faults.snapshots;
        const generation = ++this.generations;
        this.history.push({ kind: 'snapshot', generation });
        const chunks = new Map(this.sets.findLast((set) => !set.damaged)?.chunks);
        for (const name of removed) chunks.delete(name);
        for (const { name, bytes } of dirty) {
          if (this.bug === 'keeps an old chunk of a symbol' && name !== 'rest' && chunks.has(name)) continue;
          chunks.set(name, bytes.slice());
        }
        if (fault === 'refuse') throw refused();
        if (fault === 'die_before') life.kill();
        await null;
        if (!life.isAlive()) return never();
        this.sets.push({ generation, meta: { ...meta }, chunks, damaged: false });
        while (this.sets.length > limits.snapshotsKept) this.sets.shift();
        if (fault === 'die_after') life.kill();
        return life.isAlive() ? undefined : never();
      },
      load: async () => {
        if (closed) throw refused();
        const at = this.sets.findLastIndex((set) => !set.damaged);
        const refusedSets = this.sets.length - 1 - at;
        const set = this.sets[at];
        if (set === undefined) return { snapshot: null, refused: refusedSets };
        this.sets.splice(at + 1);
        const copies = [...set.chunks].map(([name, bytes]) => [name, bytes.slice()] as const);
        const snapshot: Snapshot = { meta: set.meta, chunks: new Map(copies) };
        return { snapshot, refused: refusedSets };
      },
      close: async () => {
        closed = true;
      },
    };
  }

  private tapeOf(life: { isAlive(): boolean }): Tape {
    let closed = false;
    let shed = 0;
    let lastPosition = this.records[this.records.length - 1]?.position ?? this.trimmedTo;
    const put = (record: TapeRecord): number | null => {
      if (closed || this.faults.tape === 'full') {
        shed++;
        return null;
      }
      const position = this.nextPosition++;
      lastPosition = position;
      this.records.push({ position, text: JSON.stringify(record) });
      return position;
    };
    return {
      append: (record) => {
        if (!life.isAlive()) return null;
        if (record.kind === 'log') {
          return this.bug === 'loses the marks of the log' ? lastPosition : put(record);
        }
        const position = put(record);
        this.history.push({ kind: 'market', record: JSON.parse(JSON.stringify(record)) as TapeRecord, position });
        return position;
      },
      read: (afterPosition) => this.read(afterPosition),
      lastPosition: () => lastPosition,
      trim: (keepAfter) => {
        if (!life.isAlive()) return;
        while ((this.records[0]?.position ?? Number.POSITIVE_INFINITY) <= keepAfter) {
          this.trimmedTo = this.records.shift()?.position ?? 0;
        }
      },
      synced: async () => !closed && life.isAlive(),
      health: () => ({
        health: closed ? 'down' : this.faults.tape === 'full' ? 'degraded' : 'up',
        message: this.faults.tape === 'full' ? 'the disk is full' : 'on a disk of the simulation',
        records: this.records.length,
        bytes: 0,
        tornBytes: this.tornBytes,
        shed,
      }),
      close: async () => {
        closed = true;
      },
    };
  }

  private *read(afterPosition: number): Generator<{ readonly position: number; readonly record: TapeRecord }> {
    for (const [i, { position, text }] of [...this.records].entries()) {
      if (position <= afterPosition) continue;
      if (this.bug === 'loses a record of the tape' && i % 7 === 3) continue;
      const record = JSON.parse(text) as TapeRecord;
      yield { position, record };
      if (this.bug === 'repeats a record of the tape' && i % 7 === 3) yield { position, record };
    }
  }
}
