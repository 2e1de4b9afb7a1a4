/** Entries that were taken and wait to be stored: only then they are acknowledged, refused ones with their dead letter. */
import { limits } from '../../core/domain/limits';
import { isLaterEntry } from '../../core/domain/tick';
import type { Clock, Logger, StreamEntry, StreamRefusal } from '../../live/ports';
import type { StreamCommands } from './stream-commands';

export interface StreamAcksOptions {
  readonly commands: StreamCommands;
  readonly stored: () => Promise<string>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An answer of the server, and no failure on the way to it. */
const isReply = (thrown: unknown): boolean => thrown instanceof Error && thrown.name === 'ReplyError';
/** Answers after which the same call may succeed. */
const isPassing = (thrown: unknown): boolean =>
  thrown instanceof Error && /^(LOADING|READONLY|BUSY|TRYAGAIN|MASTERDOWN|NOREPLICAS)/.test(thrown.message);

export class StreamAcks {
  private readonly options: StreamAcksOptions;
  private readonly waiting = new Map<string, StreamRefusal | null>();
  private running: Promise<void> | null = null;
  private cancelNext: () => void = () => {};
  private onRoom: () => void = () => {};
  private isStopped = true;
  /** Dead letters that the server would not keep. */
  dropped = 0;

  constructor(options: StreamAcksOptions) {
    this.options = options;
  }

  get size(): number {
    return this.waiting.size;
  }

  get isFull(): boolean {
    return !this.isStopped && this.waiting.size >= limits.streamUnacknowledged;
  }

  add(entries: readonly StreamEntry[], refusals: readonly StreamRefusal[]): void {
    if (this.isStopped) return;
    for (const { id } of entries) this.waiting.set(id, null);
    for (const one of refusals) this.waiting.set(one.entry, one);
    this.next(0);
  }

  start(): void {
    this.isStopped = false;
    this.next(0);
  }

  /** Forgets what waits: whoever leads finds it in the group. Settles when no call is under way any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancelNext();
    this.waiting.clear();
    this.onRoom();
    await this.running;
  }

  /** Settles when there is room for more. */
  async room(): Promise<void> {
    if (!this.isFull) return;
    await new Promise<void>((resolve) => {
      this.onRoom = resolve;
    });
  }

  /** Acknowledges what is stored now. */
  async once(): Promise<void> {
    await this.running;
    this.cancelNext();
    if (!this.isStopped) await this.run();
  }

  private next(delayMs: number): void {
    if (this.isStopped || this.running !== null || this.waiting.size === 0) return;
    this.cancelNext();
    this.cancelNext = this.options.clock.after(delayMs, () => {
      if (this.running === null) void this.run();
    });
  }

  private run(): Promise<void> {
    this.running = this.acknowledge()
      .catch((thrown: unknown) => {
        this.options.logger.debug('entries could not be acknowledged and will be', { error: String(thrown) });
        return limits.tapeRetryMs;
      })
      .then((pauseMs) => {
        this.running = null;
        if (!this.isFull) this.onRoom();
        this.next(pauseMs);
      });
    return this.running;
  }

  /** Answers the pause before the next look, in ms. */
  private async acknowledge(): Promise<number> {
    const { commands, stored } = this.options;
    const upTo = await stored();
    const due = [...this.waiting].filter(([id]) => !isLaterEntry(id, upTo));
    const plain = due.flatMap(([id, refusal]) => (refusal === null ? [id] : []));
    for (let at = 0; at < plain.length && !this.isStopped; at += limits.streamAcks) {
      const ids = plain.slice(at, at + limits.streamAcks);
      await commands.acknowledge(ids);
      for (const id of ids) this.waiting.delete(id);
    }
    for (const [id, refusal] of due) {
      if (refusal === null || this.isStopped) continue;
      await this.refuse(refusal);
      this.waiting.delete(id);
    }
    return limits.streamAckMs;
  }

  private async refuse(refusal: StreamRefusal): Promise<void> {
    const { commands, clock, logger } = this.options;
    try {
      await commands.keepRefused(refusal, clock.nowMs());
    } catch (thrown) {
      if (!isReply(thrown) || isPassing(thrown)) throw thrown;
      const { entry, reason } = refusal;
      this.dropped += 1;
      logger.error('a dead letter could not be kept', { entry, reason, error: String(thrown) });
      await commands.acknowledge([entry]);
    }
  }
}
