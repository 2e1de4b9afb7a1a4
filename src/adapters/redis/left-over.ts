/** What the last life of this process has left of the log's end, until Redis has it, or never will. */
import type { LogCommands } from './log-commands';
import type { LogEntry } from './log-entry';
import { missingOf, putBack } from './put-back';
import { RecentEvents } from './recent-events';

export interface LeftOverOptions {
  readonly commands: LogCommands;
  /** Oldest first; there may be holes. */
  readonly found: readonly LogEntry[];
  readonly onPutBack: (events: number) => void;
  /** Told those that are gone for good, because the log went on without them. */
  readonly onLost: (entries: readonly LogEntry[]) => Promise<void>;
}

export class LeftOver {
  private readonly options: Omit<LeftOverOptions, 'found'>;
  private recent = new RecentEvents();

  constructor({ found, ...options }: LeftOverOptions) {
    this.options = options;
    for (const entry of found) this.recent.add(entry);
  }

  /** Answers the end of the log on which nothing follows that is left, `null` when nothing is left. */
  async putBack(): Promise<number | null> {
    if (this.recent.newest.seq === 0) return null;
    const { log, events, end } = await putBack(this.options.commands, this.recent);
    if (events > 0) this.options.onPutBack(events);
    if (log === 'short') return end;
    if (log === 'other') await this.drop();
    this.recent = new RecentEvents();
    return null;
  }

  /** Nobody will put there what is missing before it: what does not follow even now is lost. */
  async giveUp(): Promise<void> {
    if ((await this.putBack()) !== null) await this.drop();
  }

  private async drop(): Promise<void> {
    const lost = await missingOf(this.options.commands, this.recent.all());
    this.recent = new RecentEvents();
    if (lost.length > 0) await this.options.onLost(lost);
  }
}
