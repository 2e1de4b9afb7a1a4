/** What is looked at when a store is checked or copied: reading only, beside whoever runs on it. */
import type { LogEvent } from '../../core/domain/log-event';
import type { LogReader, Snapshot } from '../ports';

/** One set of a snapshot as it was found. */
export interface KeptSet {
  readonly name: string;
  readonly chunks: number;
  /** `null` when anything of it is damaged or missing. */
  readonly snapshot: Snapshot | null;
  /** What is wrong with it, by the name of the set or chunk. */
  readonly problem: string | null;
}

/** A stretch of the tape, one file of it. */
export interface TapeStretch {
  readonly name: string;
  readonly records: number;
  readonly bytes: number;
  /** What is wrong with it, by the number of the record. */
  readonly problem: string | null;
  /** What is no damage, and still worth telling: an end that a kill tore off. */
  readonly note: string | null;
}

export interface VerifiableStore {
  readonly log: LogReader;
  /** The version by which the store judges the next event of the aggregate. Rejects when that note is damaged. */
  versionOf(aggregate: string): Promise<number>;
  /** The first of these events whose id the store would not know again, of those that it is to remember. */
  forgotten(events: readonly LogEvent[]): Promise<number | null>;
  /** Every set that is kept, newest first; one that its owner removes meanwhile is left out. */
  sets(): AsyncIterable<KeptSet>;
  /** In order; nothing where the store has no tape of its own. */
  tape(): AsyncIterable<TapeStretch>;
  close(): Promise<void>;
}
