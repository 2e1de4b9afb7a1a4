/** What a feed says of itself: its state when it changes, and nothing that a listener throws comes back. */
import { limits } from '../../core/domain/limits';
import type { Clock, FeedState, Logger } from '../../live/ports';

export class FeedVoice {
  private readonly name: string;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly told: (state: FeedState, message: string) => void;
  private state: FeedState = 'connecting';
  private message = '';
  private firstOutcome: () => void = () => {};

  constructor(name: string, clock: Clock, logger: Logger, told: (state: FeedState, message: string) => void) {
    this.name = name;
    this.clock = clock;
    this.logger = logger;
    this.told = told;
  }

  /** Settles with the first state beside `connecting`, or when that takes too long. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(limits.redisConnectMs + limits.storeMs, resolve);
      this.firstOutcome = () => {
        cancel();
        resolve();
      };
    });
  }

  become(state: FeedState, message: string): void {
    if (state !== 'connecting') this.firstOutcome();
    if (this.state === 'closed' || (state === this.state && message === this.message)) return;
    this.state = state;
    this.message = message;
    this.tell(() => this.told(state, message));
  }

  tell(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.logger.error(`${this.name}: a listener threw`, { error: String(thrown) });
    }
  }
}
