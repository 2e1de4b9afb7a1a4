/** What reading a stream needs: a feed that pulls, and whoever takes its entries. */
import type { FeedState, Gap } from './ports';

/** One entry of a stream, as it was added. */
export interface StreamEntry {
  /** `<ms>-<n>`: when it was added, and which one of that millisecond. */
  readonly id: string;
  /** Its field `data`; `null` when it has none. */
  readonly text: string | null;
  /** How often it was put back from the dead letters. */
  readonly attempts: number;
}

/** An entry, or a part of one, that is no market data. */
export interface StreamRefusal {
  readonly entry: string;
  /** What was refused, as it can be sent again. */
  readonly text: string;
  readonly reason: string;
  readonly attempts: number;
}

/** How far a reader is behind its stream; `null` where the server does not tell. */
export interface FeedLag {
  readonly entries: number | null;
  /** Delivered and not acknowledged; 0 while it only follows. */
  readonly pending: number | null;
  /** Since the first entry that was not read yet was added. */
  readonly ageMs: number;
}

/** Who takes the entries of a stream. */
export interface StreamListener {
  /** Id of the last entry that was taken; empty when none was. Where reading goes on. */
  cursor(): string;
  /**
   * Takes entries in their order; those up to the cursor are passed over. Rejects when they cannot be taken now: then
   * nothing after them is read, and the same ones are handed over again.
   */
  take(entries: readonly StreamEntry[]): Promise<readonly StreamRefusal[]>;
  /** What `take` would refuse of them. */
  refusals(entries: readonly StreamEntry[]): readonly StreamRefusal[];
  /** Id of the last entry whose effects are stored; up to it entries may be acknowledged. Never rejects. */
  stored(): Promise<string>;
  state(state: FeedState, message: string): void;
  gap(gap: Gap): void;
  lag(lag: FeedLag): void;
}

/**
 * A stream that is read by pulling, never faster than its entries are taken, losing and doubling nothing. Whoever leads
 * acknowledges, keeps dead letters and trims; whoever follows only reads.
 */
export interface StreamFeed {
  readonly name: string;
  start(listener: StreamListener): Promise<void>;
  /** Settles when no read of the other kind is under way any more; what it takes of Redis is made up for later. */
  lead(): Promise<void>;
  follow(): Promise<void>;
  mode(): 'lead' | 'follow';
  /** The listener's cursor went back: goes on from there. */
  rewind(): void;
  /** As it was measured last, at most about a second ago; `null` before the first time. */
  lag(): FeedLag | null;
  close(): Promise<void>;
}
