/** What this process has seen of a log: remembered, and kept, so that a Redis that loses it can get it back. */
import { limits } from '../../core/domain/limits';
import type { LogCommands } from './log-commands';
import { decodeEntry, type LogEntry } from './log-entry';
import { missingOf, type PutBack, putBack } from './put-back';
import { RecentEvents } from './recent-events';

export interface SeenEventsOptions {
  readonly commands: LogCommands;
  /** Keeps what is seen, in order, before anybody is answered; each call is one write. */
  readonly keep: (entries: readonly LogEntry[]) => void;
  /** Told how many events were put back that Redis had acknowledged and lost. */
  readonly onPutBack: (events: number) => void;
}

export class SeenEvents {
  private readonly options: SeenEventsOptions;
  private recent = new RecentEvents();
  /** Seen, and not kept yet. */
  private unkept: LogEntry[] = [];

  constructor(options: SeenEventsOptions) {
    this.options = options;
  }

  get newest() {
    return this.recent.newest;
  }

  /** Of the event of that number, while it is remembered. */
  sealAt(seq: number): string | undefined {
    return this.recent.at(seq)?.seal;
  }

  /** Whether another event is remembered under that number. */
  isOther(seq: number, seal: string | undefined): boolean {
    const known = this.sealAt(seq);
    return known !== undefined && known !== seal;
  }

  add(entry: LogEntry): void {
    this.recent.add(entry);
    this.unkept.push(entry);
  }

  keep(): void {
    if (this.unkept.length === 0) return;
    this.options.keep(this.unkept);
    this.unkept = [];
  }

  /** Begins to remember with the last events that there are, as many as can be put back. */
  async recallLast(): Promise<void> {
    const { commands } = this.options;
    const last = (await commands.newest()).seq;
    let next = Math.max(1, last - limits.eventsRecalled + 1);
    while (next <= last) {
      const entries = await commands.range(next, limits.eventsPerPage);
      if (entries.length === 0) return;
      for (const given of entries) {
        next = Number.parseInt(given[0], 10) + 1;
        const entry = wholeEntry(given, next - 1);
        if (entry !== null) this.add(entry);
      }
      this.keep();
    }
  }

  /** Writes again what Redis came back without, as far as it follows on what is there. */
  async putBack(): Promise<PutBack> {
    const result = await putBack(this.options.commands, this.recent);
    if (result.events > 0) this.options.onPutBack(result.events);
    return result;
  }

  /** Those that the log has not. */
  async missing(): Promise<readonly LogEntry[]> {
    return missingOf(this.options.commands, this.recent.all());
  }

  forget(): void {
    this.recent = new RecentEvents();
    this.unkept = [];
  }
}

/** `null` for a damaged one: whoever reads it is told, here it only ends what can be put back. */
function wholeEntry(given: unknown, seq: number): LogEntry | null {
  try {
    return decodeEntry(given, seq);
  } catch {
    return null;
  }
}
