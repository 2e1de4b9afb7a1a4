/**
 * The last events of a log as this process has seen them. A Redis that dies may come back without what it acknowledged last
 * (an AOF is not written while the disk is busy with a sync, a server without one keeps what it saved): these are put back.
 */
import { limits } from '../../core/domain/limits';
import type { LogEvent } from '../../core/domain/log-event';

interface Sealed {
  readonly event: LogEvent;
  readonly seal: string;
}

export class RecentEvents {
  private readonly bySeq = new Map<number, Sealed>();
  private newestSeq = 0;

  /** The newest; a log without it is not the one that this process has folded. */
  get newest(): { readonly seq: number; readonly seal: string } {
    return { seq: this.newestSeq, seal: this.sealOf(this.newestSeq) };
  }

  /** Empty for one that is not remembered. */
  sealOf(seq: number): string {
    return this.bySeq.get(seq)?.seal ?? '';
  }

  add(event: LogEvent, seal: string): void {
    this.bySeq.set(event.seq, { event, seal });
    this.newestSeq = Math.max(this.newestSeq, event.seq);
    if (this.bySeq.size <= limits.eventsRecalled) return;
    // The one that came first; a hole is never filled with a guess, it only ends what can be put back.
    this.bySeq.delete(this.bySeq.keys().next().value as number);
  }

  /** All behind an event, in order; `null` when that event was another one here, or not all behind it are remembered. */
  behind(seq: number, seal: string): readonly LogEvent[] | null {
    if (seq > 0 && this.bySeq.get(seq)?.seal !== seal) return null;
    const events: LogEvent[] = [];
    for (let next = seq + 1; next <= this.newestSeq; next++) {
      const known = this.bySeq.get(next);
      if (known === undefined) return null;
      events.push(known.event);
    }
    return events;
  }
}
