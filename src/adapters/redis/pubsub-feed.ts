/** Market data from a Redis channel. The medium delivers at most once: what is promised is that every gap is reported. */
import { limits } from '../../core/domain/limits';
import type { Clock, Feed, FeedListener, FeedState, Logger } from '../../live/ports';
import { RedisConnection, redisError, retryDelayMs } from './connection';

export interface PubSubFeedOptions {
  readonly url: string;
  /** Default `strategy_engine_input`. */
  readonly channel?: string;
  /** Default `redis:<channel>`; stands in gaps and states. */
  readonly name?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): the jitter of the retries. */
  readonly random: () => number;
  readonly onReconnect?: () => void;
}

class PubSubFeed implements Feed {
  readonly name: string;
  private readonly options: PubSubFeedOptions;
  private readonly channel: string;
  private readonly connection: RedisConnection;
  private listener: FeedListener | null = null;
  private state: FeedState = 'connecting';
  private reason = '';
  private isSubscribed = false;
  private gapFromMs: number | null = null;
  private gapReason = '';
  private refusals = 0;
  private cancelRetry: () => void = () => {};
  private firstOutcome: () => void = () => {};

  constructor(options: PubSubFeedOptions) {
    this.options = options;
    this.channel = options.channel ?? 'strategy_engine_input';
    this.name = options.name ?? `redis:${this.channel}`;
    this.connection = new RedisConnection({
      ...options,
      role: 'subscriber',
      onReady: () => this.subscribe(),
      onState: (state, message) => this.connectionState(state, message),
    });
  }

  async start(listener: FeedListener): Promise<void> {
    if (this.listener !== null) return;
    this.listener = listener;
    this.become('connecting', `connecting to ${this.connection.address}`);
    this.connection.client.on('message', (_channel: string, text: string) => this.message(text));
    const settled = new Promise<void>((resolve) => {
      const cancel = this.options.clock.after(limits.redisConnectMs + limits.storeMs, resolve);
      this.firstOutcome = () => {
        cancel();
        resolve();
      };
    });
    await this.connection.start();
    await settled;
  }

  async close(): Promise<void> {
    this.cancelRetry();
    this.firstOutcome();
    await this.connection.close();
    this.become('closed', 'closed');
    this.listener = null;
  }

  private message(text: string): void {
    this.connection.heard();
    try {
      this.listener?.message(text, this.options.clock.nowMs());
    } catch (thrown) {
      this.options.logger.error(`${this.name}: a listener threw on a message`, { error: String(thrown) });
    }
  }

  private connectionState(state: FeedState, message: string): void {
    if (state === 'down') {
      this.cancelRetry();
      this.isSubscribed = false;
      if (this.gapFromMs === null) {
        this.gapFromMs = this.connection.aliveMs;
        this.gapReason = message;
      }
    }
    // Connected is not yet subscribed.
    if (state !== 'up' || this.isSubscribed) this.become(state, message);
  }

  private subscribe(): void {
    const sentMs = this.options.clock.nowMs();
    this.connection.client.subscribe(this.channel).then(
      () => this.subscribed(sentMs),
      (thrown: unknown) => this.refused(thrown),
    );
  }

  private subscribed(sentMs: number): void {
    if (this.isCut()) return;
    const { gapFromMs } = this;
    this.isSubscribed = true;
    this.refusals = 0;
    this.gapFromMs = null;
    this.connection.aliveMs = sentMs;
    this.become('up', `subscribed to ${this.channel} at ${this.connection.address}`);
    if (gapFromMs === null) return;
    const toMs = Math.max(gapFromMs, this.options.clock.nowMs());
    const gap = { source: this.name, fromMs: gapFromMs, toMs, lost: null, reason: this.gapReason };
    this.options.logger.warn(`${this.name}: market data may be missing`, gap);
    this.tell(() => this.listener?.gap(gap));
  }

  private refused(thrown: unknown): void {
    if (this.isCut()) return;
    const reason = redisError(thrown, this.connection.redact).message;
    this.gapFromMs ??= this.connection.aliveMs;
    this.gapReason = reason;
    this.refusals += 1;
    this.become('down', `${this.channel} cannot be subscribed: ${reason}`);
    this.cancelRetry = this.options.clock.after(retryDelayMs(this.refusals, this.options.random), () =>
      this.subscribe(),
    );
  }

  /** Then the next `ready` subscribes. */
  private isCut(): boolean {
    const { state } = this.connection;
    return state === 'down' || state === 'closed';
  }

  private become(state: FeedState, message: string): void {
    if (state !== 'connecting') this.firstOutcome();
    const isNews = state !== this.state || state === 'connecting' || (state === 'down' && message !== this.reason);
    if (this.state === 'closed' || !isNews) return;
    this.state = state;
    this.reason = message;
    this.tell(() => this.listener?.state(state, message));
  }

  private tell(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.options.logger.error(`${this.name}: a listener threw`, { error: String(thrown) });
    }
  }
}

/**
 * A feed of one Redis channel. `start` settles with the first attempt's outcome and never rejects; an outage shows as
 * state `stale` or `down` within 3 s, and as a gap from the last proof of life to the confirmed new subscription.
 * Throws a `ValueError` for a URL that is none.
 */
export function createPubSubFeed(options: PubSubFeedOptions): Feed {
  return new PubSubFeed(options);
}
