/**
 * Entries of streams on their way in. What the tape does not take is not evaluated either, and then nothing after it is
 * until it comes again: a hole on the tape would never be filled, because a reader goes on from the last entry.
 */
import { EngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import { type EntryPosition, isLaterEntry } from '../core/domain/tick';

export interface EntryOrder {
  /** Throws a `ConnectionError` when the batch cannot be taken now; its reader then hands over all after `cursor` anew. */
  admit(position: EntryPosition, cursor: string): void;
  /** The tape did not take it. Answers the error to throw. */
  refused(position: EntryPosition, cursor: string): EngineError;
  taken(feed: string): void;
  /** The engine knows the feed only up to `cursor` any more: what comes behind it waits until that is handed over again. */
  wentBack(feed: string, cursor: string): void;
  /** Whether a batch of the feed was refused and has not come again. */
  isRefused(feed: string): boolean;
}

const later = (a: string, b: string): string => (isLaterEntry(a, b) ? a : b);

export function createEntryOrder(): EntryOrder {
  /** Of each feed that was refused, the entry before what was. */
  const waiting = new Map<string, string>();
  const wait = (feed: string, after: string): void => {
    waiting.delete(feed);
    waiting.set(feed, after);
    if (waiting.size > limits.feeds) waiting.delete(waiting.keys().next().value as string);
  };
  const refuse = (feed: string, after: string, message: string) => {
    wait(feed, after);
    return new EngineError('ConnectionError', message, { retryAfterS: 1 });
  };
  return {
    admit({ feed, entry, after }, cursor) {
      if (after === undefined || !isLaterEntry(entry, cursor)) return;
      if (isLaterEntry(cursor, after))
        throw refuse(feed, cursor, `entries of ${feed} up to ${cursor} were taken already`);
      const since = waiting.get(feed);
      if (since === undefined || !isLaterEntry(after, later(since, cursor))) return;
      throw new EngineError('ConnectionError', `entries of ${feed} before it wait`, { retryAfterS: 1 });
    },
    refused: ({ feed, after }, cursor) => refuse(feed, after ?? cursor, 'the tape takes nothing: entries wait'),
    taken: (feed) => void waiting.delete(feed),
    wentBack: wait,
    isRefused: (feed) => waiting.has(feed),
  };
}
