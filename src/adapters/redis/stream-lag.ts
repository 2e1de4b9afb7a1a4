/** Measures how far a reader is behind its stream, about once a second and beside the reading. */
import { limits } from '../../core/domain/limits';
import { addedMs, isLaterEntry } from '../../core/domain/tick';
import type { Clock, FeedLag } from '../../live/ports';
import type { StreamCommands } from './stream-commands';

export interface StreamLagOptions {
  readonly commands: StreamCommands;
  readonly clock: Clock;
  /** Id of the last entry that was taken. */
  readonly at: () => string;
  /** How many entries came up to it; `null` while unknown. */
  readonly rank: () => number | null;
  readonly isLeading: () => boolean;
  readonly told: (lag: FeedLag) => void;
}

export class StreamLag {
  last: FeedLag | null = null;
  private readonly options: StreamLagOptions;
  private cancel: (() => void) | null = null;

  constructor(options: StreamLagOptions) {
    this.options = options;
  }

  start(): void {
    if (this.cancel !== null) return;
    const beat = (): void => {
      const done = this.measure().catch(() => undefined);
      void done.then(() => {
        if (this.cancel !== null) this.cancel = this.options.clock.after(limits.streamLagEveryMs, beat);
      });
    };
    this.cancel = this.options.clock.after(0, beat);
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
  }

  private async measure(): Promise<void> {
    const { commands, at, rank, isLeading, told } = this.options;
    const stream = await commands.streamInfo();
    const pending = isLeading() ? ((await commands.groupInfo())?.pending ?? 0) : 0;
    const reached = at();
    const entriesRead = rank();
    const isBehind = stream !== null && isLaterEntry(stream.lastId, reached);
    const unread = isBehind ? (await commands.range(reached, '+', 1))[0] : undefined;
    const ageMs = unread === undefined ? 0 : Math.max(0, (await commands.timeMs()) - addedMs(unread.id));
    const known = stream === null || stream.added === null || entriesRead === null;
    const entries = isBehind ? (known ? null : Math.max(0, stream.added - entriesRead)) : 0;
    if (this.cancel === null) return;
    this.last = { entries, pending, ageMs };
    told(this.last);
  }
}
