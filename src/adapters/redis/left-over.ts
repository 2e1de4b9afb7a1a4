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
  private readonly options: LeftOverOptions;
  private readonly recent = new RecentEvents();
  private isOver: boolean;

  constructor(options: LeftOverOptions) {
    this.options = options;
    for (const entry of options.found) this.recent.add(entry);
    this.isOver = options.found.length === 0;
  }

  /** Answers the end of the log on which nothing follows that is left, `null` when nothing is left. */
  async putBack(): Promise<number | null> {
    if (this.isOver) return null;
    const { log, events, end } = await putBack(this.options.commands, this.recent);
    if (events > 0) this.options.onPutBack(events);
    if (log === 'short') return end;
    if (log === 'other') await this.giveUp();
    this.isOver = true;
    return null;
  }

  /** Nobody will put there what is missing before it. */
  async giveUp(): Promise<void> {
    if (this.isOver) return;
    const lost = await missingOf(this.options.commands, this.options.found);
    this.isOver = true;
    if (lost.length > 0) await this.options.onLost(lost);
  }
}
