/**
 * The log went on without events that this process has folded, and nobody can put them back: nothing more is folded on
 * them, and the state is made anew from what Redis has kept.
 */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Clock, Logger } from '../../live/ports';
import type { LogEntry } from './log-entry';
import type { SeenEvents } from './seen-events';

export interface ForkOptions {
  readonly seen: SeenEvents;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when it has happened, in words. */
  readonly onForked: (message: string) => void;
  /** Told the events that the log went on without. */
  readonly onLost: (entries: readonly LogEntry[]) => void;
  /** Told when the state is that of the log again. */
  readonly onAnew: () => void;
}

export class Fork {
  /** Why the log answers nobody now; `null` while it does. */
  refusal: EngineError | null = null;
  /** How often it has happened. */
  forks = 0;
  private readonly options: ForkOptions;
  private makeAnew: (() => Promise<void>) | null = null;
  private cancel: () => void = () => {};
  private closed = false;
  /** Whether it was said of this one that it cannot be made anew yet. */
  private isTold = false;

  constructor(options: ForkOptions) {
    this.options = options;
  }

  /** Names who makes the state anew; without one the log stays silent until it is opened again. */
  use(makeAnew: () => Promise<void>): void {
    this.makeAnew = makeAnew;
    if (this.refusal !== null) void this.begin();
  }

  /** From now on the log answers nobody; the making anew begins. */
  happened(): void {
    if (this.refusal !== null || this.closed) return;
    this.forks += 1;
    this.isTold = false;
    const { seen, onForked } = this.options;
    const message = `Redis has lost events that it had acknowledged (event ${seen.newest.seq} is gone): the engine begins anew with what Redis has kept`;
    this.refusal = new EngineError('ConnectionError', message, { retryAfterS: 1 });
    onForked(message);
    void this.begin();
  }

  close(): void {
    this.closed = true;
    this.cancel();
  }

  private async begin(): Promise<void> {
    const { makeAnew } = this;
    const { seen, clock, logger, onLost, onAnew } = this.options;
    if (makeAnew === null || this.closed) return;
    try {
      const lost = await seen.missing();
      if (this.closed) return;
      if (lost.length > 0) onLost(lost);
      seen.forget();
      await seen.recallLast();
      await makeAnew();
    } catch (error) {
      const words = 'the state cannot be made anew from what Redis has kept yet; it is tried again until it can';
      if (!this.isTold) logger.warn(words, { error: String(error) });
      this.isTold = true;
      if (!this.closed) this.cancel = clock.after(limits.anewRetryMs, () => void this.begin());
      return;
    }
    if (this.closed) return;
    this.refusal = null;
    onAnew();
  }
}
