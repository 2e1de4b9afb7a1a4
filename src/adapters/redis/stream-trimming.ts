/** Keeps a stream from growing without an end: of what is acknowledged only the last entries stay. */
import { limits } from '../../core/domain/limits';
import type { Clock } from '../../live/ports';
import type { StreamCommands } from './stream-commands';
import type { StreamRanks } from './stream-ranks';
import type { StreamInfo } from './stream-replies';

export class StreamTrimming {
  private readonly commands: StreamCommands;
  private readonly clock: Clock;
  private readonly keepEntries: number;
  private trimmedAt = Number.NEGATIVE_INFINITY;

  constructor(commands: StreamCommands, clock: Clock, keepEntries: number = limits.inputStreamEntries) {
    this.commands = commands;
    this.clock = clock;
    this.keepEntries = keepEntries;
  }

  /** Trims when it is due; what is not acknowledged stays. */
  async look(stream: StreamInfo, ranks: StreamRanks, unacknowledged: number): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.trimmedAt < limits.streamTrimMs || stream.length <= this.keepEntries) return;
    this.trimmedAt = nowMs;
    const drop = ranks.droppable(stream, unacknowledged, this.keepEntries);
    if (drop > 0 && stream.added !== null) await this.commands.trim(stream.added - stream.length, drop);
  }
}
