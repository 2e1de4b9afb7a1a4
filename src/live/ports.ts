/** What a living engine needs from outside. Adapters fill these in; contract suites hold every adapter to them. */
import type { Signal } from '../core/domain/signal';
import type { MarketBatch } from '../core/domain/tick';

export type { AppendOutcome, Durability, EventLog, LogReader } from './ports-log';
export type { FeedLag, StreamEntry, StreamFeed, StreamListener, StreamRefusal } from './ports-stream';

/** Time, handed in. `nowMs` is the calendar (may step); `monotonicMs` is for durations and never goes back. */
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
  /** Calls back once after `delayMs`; the answer cancels. The timer never keeps the process alive by itself. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** One named part of a snapshot. */
export interface SnapshotChunk {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface SnapshotMeta {
  readonly logSeq: number;
  /** Position on the tape of that id: positions of another process's tape mean nothing here. */
  readonly tapePosition: number;
  readonly tapeId: string;
  readonly foldVersion: number;
  readonly atMs: number;
}

export interface Snapshot {
  readonly meta: SnapshotMeta;
  readonly chunks: ReadonlyMap<string, Uint8Array>;
}

/**
 * Complete, checksummed sets of chunks; the last `limits.snapshotsKept` are kept. A set becomes visible only when all of
 * it is durable. `dirty` chunks replace those of the set before; the others are carried over; `removed` are dropped.
 */
export interface Snapshots {
  /** With `isWhole` nothing is carried over: what another process left may be of other chunks. */
  save(
    meta: SnapshotMeta,
    dirty: readonly SnapshotChunk[],
    removed: readonly string[],
    isWhole?: boolean,
  ): Promise<void>;
  /** The newest set whose every checksum holds, and how many newer ones were refused; `null` when there is none. */
  load(): Promise<{
    readonly snapshot: Snapshot | null;
    readonly refused: number;
  }>;
  close(): Promise<void>;
}

export type TapeRecord =
  | { readonly kind: 'batch'; readonly batch: MarketBatch }
  /** Log events up to and including `logSeq` were applied here. */
  | { readonly kind: 'log'; readonly logSeq: number }
  /** Time was told. `scope` live: only symbols fed by live doors. */
  | {
      readonly kind: 'advance';
      readonly timestampMs: number;
      readonly scope: 'all' | 'live';
    };

export interface TapeHealth {
  readonly health: 'up' | 'degraded' | 'down';
  readonly message: string;
  readonly records: number;
  readonly bytes: number;
  /** Bytes cut from a torn tail when it was opened. */
  readonly tornBytes: number;
  /** Records that could not be written (disk full, stalled), since opening. */
  readonly shed: number;
}

/**
 * The market as it was seen: append-only, local to the process. Positions count records from 1 and never repeat.
 * `append` is synchronous (one write call) and answers the record's position, or `null` when it could not be written
 * (counted as shed; the engine goes on, and says so).
 */
export interface Tape {
  append(record: TapeRecord): number | null;
  /** Records with position > `afterPosition`, in order. */
  read(afterPosition: number): Iterable<{ readonly position: number; readonly record: TapeRecord }>;
  lastPosition(): number;
  /** Drops whole old segments by size and age, never one that holds a position above `keepAfter`. */
  trim(keepAfter: number, nowMs: number): void;
  /**
   * Settles, within `limits.diskStallMs`, once all that was appended is as safe as this tape makes it. `false` when that
   * cannot be said: closed, a disk that is silent, a sync that failed since the last call. What was written before it
   * is then kept by the next snapshot only.
   */
  synced(): Promise<boolean>;
  health(): TapeHealth;
  close(): Promise<void>;
}

export type Role = 'leader' | 'standby';

/**
 * The right to speak for an engine that several processes keep: to publish signals and write snapshots. At most one
 * holds it; unheard for `limits.leaseMs` it loses it, and another takes over within 3 s of its death.
 */
export interface Lease {
  /** Settles when the role is known; `onRole` is told of every change of role or words afterwards. */
  start(onRole: (role: Role, message: string) => void): Promise<void>;
  role(): Role;
  /** In words, for whoever looks. */
  message(): string;
  /** When the process that led before this one was last known to live; `null` when it is not known. */
  predecessorMs(): number | null;
  /** Gives it up, so that another need not wait. */
  close(): Promise<void>;
}

export type FeedState = 'connecting' | 'up' | 'stale' | 'down' | 'closed';

/** A stretch in which market data was, or may have been, lost. */
export interface Gap {
  readonly source: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Number of messages lost, when the producer's `seq` tells; else `null`. */
  readonly lost: number | null;
  readonly reason: string;
}

/** Where a raw message came from, and when. */
export interface IntakeOrigin {
  readonly source: string;
  readonly arrivalMs: number;
}

export interface FeedListener {
  /** The text of one message; must not throw. */
  message(text: string, arrivalMs: number): void;
  state(state: FeedState, message: string): void;
  gap(gap: Gap): void;
}

/** A source of raw messages. Dead, frozen and silent connections are noticed within 3 s. */
export interface Feed {
  readonly name: string;
  start(listener: FeedListener): Promise<void>;
  close(): Promise<void>;
}

/** A message that could not be used, on its way to the dead letters. */
export interface RejectedMessage {
  readonly text: string;
  readonly reason: string;
  readonly atMs: number;
  /** Name of the feed it came from, so that it can be put back. */
  readonly source?: string;
}

/** What became of what an output was handed since it was opened: every signal is in exactly one of them. */
export interface OutputCounters {
  readonly published: number;
  readonly duplicates: number;
  readonly waiting: number;
  /** Had no room, or waited when the output closed. */
  readonly shed: number;
  /** Waited past their validity. */
  readonly stale: number;
  /** Refused since another process speaks for the engine. */
  readonly fenced: number;
  readonly unencodable: number;
  /** Dead letters kept, and not kept. */
  readonly rejectsKept: number;
  readonly rejectsDropped: number;
}

/** Where signals go beside the listeners in this process. Publishing a `signalId` twice publishes it once. */
export interface Output {
  readonly name: string;
  publish(signals: readonly Signal[]): Promise<{ readonly published: number; readonly duplicates: number }>;
  /** Keeps a rejected message for later. Best effort, bounded. */
  reject(message: RejectedMessage): Promise<void>;
  onState(listener: (state: FeedState, message: string) => void): void;
  counters?(): OutputCounters;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** How late the event loop ran since it was asked last. */
export interface LoopLag {
  take(): { readonly p99Ms: number; readonly maxMs: number };
  close(): void;
}

/** What the engine counts. The label of each stands in the adapter. */
export type MetricCounter =
  | 'ticks'
  | 'signals'
  | 'decisions'
  | 'executions'
  | 'gaps'
  | 'gap_seconds'
  | 'shed'
  | 'requests'
  | 'alerts'
  | 'output_signals'
  | 'dead_letters'
  | 'appends'
  | 'reconnects';

/** What the engine holds right now. */
export type MetricGauge =
  | 'health'
  | 'uptime_seconds'
  | 'strategies'
  | 'symbols'
  | 'intake_ticks'
  | 'signals_waiting'
  | 'log_seq'
  | 'tape_bytes'
  | 'snapshot_age_seconds'
  | 'event_loop_lag_p99_seconds'
  | 'event_loop_lag_max_seconds'
  | 'durable'
  | 'input_lag_entries'
  | 'input_pending_entries'
  | 'input_lag_seconds'
  | 'leader';

/** Figures for a monitoring system. Cheap enough to be called once per batch; never throws. */
export interface Metrics {
  /** Adds to a counter, whose series is there from the first 0 on; `label` is ignored by `signals`, and counted as `other` past `limits.metricLabels` of them. */
  count(counter: MetricCounter, label: string, by?: number): void;
  gauge(gauge: MetricGauge, value: number): void;
  /** One measured way, in ms, by tier (`fast`, `tactical`, `strategic`, `api` …). */
  latency(tier: string, latencyMs: number): void;
  /** How long one append to the log took, in ms. */
  append(latencyMs: number): void;
  component(name: string, health: 'up' | 'degraded' | 'down'): void;
  /** The component is not there any more. */
  forget(component: string): void;
  /** Prometheus text. */
  text(): Promise<string>;
}
