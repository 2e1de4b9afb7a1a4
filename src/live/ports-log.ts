/** The log of a living engine, as adapters have to keep it. */
import type { LogEvent, NewEvent } from '../core/domain/log-event';
import type { FeedState } from './ports';

export type AppendOutcome =
  | { readonly kind: 'applied'; readonly event: LogEvent }
  /** The id is known; `sameContent` says whether it was the same thing. */
  | {
      readonly kind: 'duplicate';
      readonly seq: number;
      readonly sameContent: boolean;
    }
  /** `expectedVersion`, or else the place of the `link`, is not current: of which aggregate, and what is. */
  | { readonly kind: 'conflict'; readonly aggregate: string; readonly aggregateVersion: number };

/** Whether what was acknowledged survives, in words the summary can show. */
export interface Durability {
  readonly kind: 'memory' | 'embedded' | 'redis';
  /** Survives kill -9 of this process. */
  readonly survivesProcessKill: boolean;
  /** Survives kill -9 of the store's own process, and its bounds of memory; `false` is alerted. */
  readonly survivesStoreKill: boolean | 'unknown';
  readonly survivesPowerLoss: boolean | 'unknown';
  /** Events that the store had acknowledged and lost, and that this process wrote again. */
  readonly putBackEvents?: number;
  /** Events that it had acknowledged and lost, and whose place others have taken. */
  readonly lostEvents?: number;
  readonly text: string;
}

/** What a log answers to whoever only reads it. */
export interface LogReader {
  /** Events with `seq > afterSeq`, in order, at most `limit`. Checksums are verified; a bad one rejects, naming the seq. */
  read(afterSeq: number, limit: number): Promise<readonly LogEvent[]>;
  lastSeq(): Promise<number>;
}

/**
 * The truth for what must never be lost. `append` is atomic per event, in order, idempotent by id and conditional on
 * the aggregate's version, and on that of the `link`'s aggregate where the event has one (the id is judged first, then
 * `expectedVersion`, then the link; an event that is applied raises both aggregates). It settles within `limits.storeMs` after the events are durable, or rejects with an
 * EngineError (`ConnectionError`, `TimeoutError`). A timed-out append may still have happened: only the id makes a
 * retry harmless.
 */
export interface EventLog extends LogReader {
  append(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]>;
  durability(): Durability;
  /** Tells how the store is, now and at every change; absent where it lives in this process. */
  readonly onState?: (listener: (state: FeedState, message: string) => void) => void;
  /**
   * Where a store can lose what it acknowledged: names who makes the state anew from what it has kept, when the log went
   * on without events that this process has folded. Until that settles the log answers nobody else; if it rejects, it is
   * asked again.
   */
  readonly onForked?: (makeAnew: (log: LogReader) => Promise<void>) => void;
  /** Whether other processes may append too, so that their events have to be followed. */
  readonly isShared: boolean;
  close(): Promise<void>;
}
