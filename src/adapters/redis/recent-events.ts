/**
 * The last events of a log as this process has seen them. A Redis that dies may come back without what it acknowledged last
 * (an AOF is not written while the disk is busy with a sync, a server without one keeps what it saved): these are put back.
 * There may be holes: what other processes wrote is not always seen before what was written here behind it.
 */
import { limits } from '../../core/domain/limits';
import type { LogEntry } from './log-entry';

export class RecentEvents {
  private readonly bySeq = new Map<number, LogEntry>();
  private newestSeq = 0;

  at(seq: number): LogEntry | undefined {
    return this.bySeq.get(seq);
  }

  /** The newest that was seen, whether or not all before it was. */
  get newest(): { readonly seq: number; readonly seal: string } {
    return { seq: this.newestSeq, seal: this.bySeq.get(this.newestSeq)?.seal ?? '' };
  }

  add(entry: LogEntry): void {
    this.bySeq.set(entry.seq, entry);
    this.newestSeq = Math.max(this.newestSeq, entry.seq);
    // The one that has been remembered longest.
    if (this.bySeq.size > limits.eventsRecalled) this.bySeq.delete(this.bySeq.keys().next().value as number);
  }

  /** In order. */
  all(): readonly LogEntry[] {
    return [...this.bySeq.values()].sort((a, b) => a.seq - b.seq);
  }

  /** The newest that is known of a log that ends there; by it the log is recognised. */
  upTo(seq: number): LogEntry | undefined {
    const known = this.bySeq.get(seq);
    if (known !== undefined || seq === 0) return known;
    let closest: LogEntry | undefined;
    for (const entry of this.bySeq.values()) if (entry.seq < seq && entry.seq > (closest?.seq ?? 0)) closest = entry;
    return closest;
  }

  /** Those right behind that one, in order, up to the next hole and at most that many. */
  behind(seq: number, most: number): readonly LogEntry[] {
    const entries: LogEntry[] = [];
    for (let next = this.bySeq.get(seq + 1); next !== undefined && entries.length < most; ) {
      entries.push(next);
      next = this.bySeq.get(next.seq + 1);
    }
    return entries;
  }
}
