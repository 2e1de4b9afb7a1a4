/**
 * What a reader knows of ranks: the how-manieth entry of the stream it has reached. From it follow what was trimmed away
 * before it was read, and how much may be trimmed now.
 */
import { addedMs, isLaterEntry } from '../../core/domain/tick';
import type { GroupInfo, StreamInfo } from './stream-replies';

/** Entries that were gone before they were read; `lost` is `null` when it cannot be known how many. */
export interface Missing {
  readonly lost: number | null;
  readonly reason: string;
  /** Id of the first entry that is left, empty when none is. */
  readonly toId: string;
}

/** The stretch after `before` in which they were added. */
export function gapOf(before: string, { lost, reason, toId }: Missing, nowMs: number) {
  const fromMs = addedMs(before);
  return { fromMs, toMs: toId === '' ? nowMs : Math.max(fromMs, addedMs(toId)), lost, reason };
}

export class StreamRanks {
  /** Of the last entry that was read; `null` while unknown. */
  rank: number | null = null;

  /** So many entries were read. */
  moved(entries: number): void {
    if (this.rank !== null) this.rank += entries;
  }

  /** Compares with the stream while no read is under way; answers what is missing, once. */
  check(at: string, stream: StreamInfo, group: GroupInfo | null): Missing | null {
    const { length, firstId, lastId, added } = stream;
    const gone = added === null ? null : added - length;
    if (at === '') {
      this.rank = gone;
      return null;
    }
    if (this.rank === null && group !== null && group.deliveredId === at) this.rank = group.read;
    const missing = this.missing(at, stream, gone);
    if (at === lastId && added !== null) this.rank = added;
    else if (missing !== null) this.rank = firstId === '' ? added : gone;
    return missing;
  }

  private missing(at: string, { firstId, lastId, added }: StreamInfo, gone: number | null): Missing | null {
    const { rank } = this;
    const isBehindFirst = firstId === '' ? isLaterEntry(lastId, at) : isLaterEntry(firstId, at);
    if (!isBehindFirst && at !== lastId) return null;
    const toId = isBehindFirst ? firstId : at;
    if (rank === null || gone === null || added === null) {
      return isBehindFirst ? { lost: null, reason: 'entries may have been trimmed', toId } : null;
    }
    // All up to the last one read are gone, or it is the last one there is: so many were before it.
    const passed = isBehindFirst ? gone : added;
    if (passed === rank) return null;
    if (passed < rank) return { lost: null, reason: 'the stream began anew', toId };
    return { lost: passed - rank, reason: 'entries were trimmed before they were read', toId };
  }

  /** How many of the oldest entries may go so that `keepEntries` stay, with all that was not acknowledged. */
  droppable({ added, length }: StreamInfo, unacknowledged: number, keepEntries: number): number {
    if (added === null || this.rank === null) return 0;
    return Math.max(0, Math.min(added - keepEntries, this.rank - unacknowledged) - (added - length));
  }
}
