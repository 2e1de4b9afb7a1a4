/**
 * The last events of a log as this process has seen them. A Redis that dies may come back without what it acknowledged last
 * (an AOF is not written while the disk is busy with a sync, a server without one keeps what it saved): these are put back.
 */
import { limits } from '../../core/domain/limits';
import type { LogEntry } from './log-entry';

export class RecentEvents {
  private readonly bySeq = new Map<number, LogEntry>();
  private newestSeq = 0;

  /** The newest; a log without it is not the one that this process has folded. */
  get newest(): { readonly seq: number; readonly seal: string } {
    return { seq: this.newestSeq, seal: this.bySeq.get(this.newestSeq)?.seal ?? '' };
  }

  add(entry: LogEntry): void {
    this.bySeq.set(entry.seq, entry);
    this.newestSeq = Math.max(this.newestSeq, entry.seq);
    if (this.bySeq.size <= limits.eventsRecalled) return;
    // The one that came first; a hole is never filled with a guess, it only ends what can be put back.
    this.bySeq.delete(this.bySeq.keys().next().value as number);
  }

  /** All behind an entry, in order; `null` when that one was another here, or not all behind it are remembered. */
  behind(seq: number, seal: string): readonly LogEntry[] | null {
    if (seq > 0 && this.bySeq.get(seq)?.seal !== seal) return null;
    const entries: LogEntry[] = [];
    for (let next = seq + 1; next <= this.newestSeq; next++) {
      const known = this.bySeq.get(next);
      if (known === undefined) return null;
      entries.push(known);
    }
    return entries;
  }
}
