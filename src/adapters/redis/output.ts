/** Signals to Redis, each at most once: a channel for whoever listens now, a trimmed stream for whoever comes later. */
import { limits } from '../../core/domain/limits';
import type { Signal } from '../../core/domain/signal';
import type { FeedState, OutputCounters, RejectedMessage } from '../../live/ports';
import { RedisConnection, redisError, retryDelayMs } from './connection';
import { letterFields, rejectedStreamDefault } from './dead-letter';
import { type EngineKeys, keysOf } from './keys';
import type { PublishOutcome, RedisOutput, RedisOutputOptions } from './output-form';
import { publishScript } from './publish-script';
import { type SignalOutcome, SignalQueue, type WaitingSignal, waitableMs } from './signal-queue';

export type { RedisOutput, RedisOutputOptions } from './output-form';

class RedisSignalOutput implements RedisOutput {
  readonly name: string;
  private readonly options: RedisOutputOptions;
  private readonly channel: string;
  private readonly stream: string;
  private readonly rejectedStream: string;
  private readonly keys: EngineKeys;
  private readonly connection: RedisConnection;
  private readonly queue = new SignalQueue();
  private readonly listeners = new Set<(state: FeedState, message: string) => void>();
  private state: FeedState = 'connecting';
  private message = '';
  private isSending = false;
  private isClosed = false;
  private failures = 0;
  private cancelRetry: (() => void) | null = null;
  private rejectsUnderWay = 0;
  private underWay = 0;
  private onIdle: () => void = () => {};
  private readonly counts = {
    published: 0,
    duplicates: 0,
    shed: 0,
    stale: 0,
    fenced: 0,
    unencodable: 0,
    rejectsKept: 0,
    rejectsDropped: 0,
  };

  constructor(options: RedisOutputOptions) {
    this.options = options;
    this.channel = options.channel ?? 'strategy_engine_output';
    this.stream = options.stream ?? 'strategy_engine:signals';
    this.rejectedStream = options.rejectedStream ?? rejectedStreamDefault;
    this.keys = keysOf(options.engineName);
    this.name = `redis:${this.channel}`;
    this.connection = new RedisConnection({
      ...options,
      role: 'commands',
      onReady: () => this.flushNow(),
      onState: (state, message) => this.become(state, message),
    });
  }

  start(): Promise<void> {
    return this.connection.start();
  }

  onState(listener: (state: FeedState, message: string) => void): void {
    this.listeners.add(listener);
  }

  counters(): OutputCounters {
    return { ...this.counts, waiting: this.queue.length + this.underWay };
  }

  publish(signals: readonly Signal[]): Promise<PublishOutcome> {
    const tally = { published: 0, duplicates: 0, dropped: 0 };
    return new Promise<PublishOutcome>((resolve) => {
      let open = signals.length;
      let cancel = (): void => {};
      const done = (): void => {
        cancel();
        resolve({ ...tally, waiting: open });
      };
      if (open === 0) return done();
      for (const signal of signals) {
        this.enqueue(signal, (outcome) => {
          if (outcome === 'published') tally.published += 1;
          else if (outcome === 'duplicate') tally.duplicates += 1;
          else tally.dropped += 1;
          open -= 1;
          if (open === 0) done();
        });
      }
      this.flush();
      if (open === 0) return;
      if (this.connection.state === 'up') cancel = this.options.clock.after(limits.storeMs, done);
      else done();
    });
  }

  async reject(message: RejectedMessage): Promise<void> {
    if (this.isClosed || this.rejectsUnderWay >= limits.rejectsInFlight) {
      this.counts.rejectsDropped += 1;
      return;
    }
    this.rejectsUnderWay += 1;
    try {
      const fields = letterFields(message);
      const trim = ['MAXLEN', '~', limits.rejectedStreamEntries] as const;
      await this.connection.client.xadd(this.rejectedStream, ...trim, '*', ...fields);
      this.counts.rejectsKept += 1;
    } catch {
      this.counts.rejectsDropped += 1;
    } finally {
      this.rejectsUnderWay -= 1;
      this.onIdle();
    }
  }

  /** Sends what waits while there is a connection and a little time, then counts the rest as shed. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    if (this.pending() && this.connection.state === 'up') {
      await new Promise<void>((resolve) => {
        const cancel = this.options.clock.after(limits.storeMs, resolve);
        this.onIdle = () => {
          if (this.pending()) return;
          cancel();
          resolve();
        };
        this.flushNow();
      });
    }
    this.isClosed = true;
    this.cancelRetry?.();
    await this.connection.close();
    this.queue.clear();
    this.listeners.clear();
  }

  private pending(): boolean {
    return this.queue.length + this.underWay + this.rejectsUnderWay > 0;
  }

  private enqueue(signal: Signal, told: (outcome: SignalOutcome) => void): void {
    let text: string;
    try {
      text = this.options.encode(signal);
    } catch (thrown) {
      this.counts.unencodable += 1;
      this.options.logger.error('a signal could not be encoded', { signalId: signal.signalId, error: String(thrown) });
      told('shed');
      return;
    }
    const waiting: WaitingSignal = {
      signalId: signal.signalId,
      text,
      expiresAtMs: this.options.clock.monotonicMs() + waitableMs(signal),
      attempted: false,
      settle: (outcome) => {
        this.counts[outcome === 'duplicate' ? 'duplicates' : outcome] += 1;
        told(outcome);
      },
    };
    if (this.isClosed) waiting.settle('shed');
    else this.queue.push(waiting);
  }

  private flushNow(): void {
    this.cancelRetry?.();
    this.cancelRetry = null;
    this.flush();
  }

  /** One call under way at a time keeps the order; the next takes all that gathered meanwhile. */
  private flush(): void {
    this.queue.dropStale(this.options.clock.monotonicMs());
    if (this.isSending || this.isClosed || this.cancelRetry !== null || this.connection.client.status !== 'ready')
      return;
    const batch = this.queue.take(this.options.clock.monotonicMs());
    if (batch.length === 0) return;
    this.isSending = true;
    this.underWay = batch.length;
    this.send(batch).then(
      (answers) => this.sent(batch, answers),
      (thrown: unknown) => this.failed(batch, thrown),
    );
  }

  private async send(batch: readonly WaitingSignal[]): Promise<readonly unknown[]> {
    const pairs = batch.flatMap((signal) => [signal.signalId, signal.text]);
    const { fence } = this.options;
    // A lease that nobody can hold: who knows that it does not speak sends nothing that Redis would take.
    const lease = fence === undefined ? '' : (fence() ?? 'none');
    const args = [this.channel, limits.signalIds, limits.signalStreamEntries, lease, ...pairs];
    const keys = [this.keys.signalIds, this.stream, this.keys.lease];
    const answers = await publishScript.run(this.connection.client, keys, args);
    if (!Array.isArray(answers) || answers.length !== batch.length) throw new Error('unexpected answer of the script');
    return answers;
  }

  private sent(batch: readonly WaitingSignal[], answers: readonly unknown[]): void {
    this.isSending = false;
    this.underWay = 0;
    this.failures = 0;
    batch.forEach((signal, index) => {
      // After a call without an answer, a known id means that the call was done.
      if (answers[index] === 3) signal.settle('fenced');
      else signal.settle(answers[index] === 0 && !signal.attempted ? 'duplicate' : 'published');
    });
    if (answers.includes(2))
      this.become('stale', `the channel ${this.channel} refuses; signals are in ${this.stream} only`);
    else this.become('up', `connected to ${this.connection.address}`);
    this.flush();
    this.onIdle();
  }

  private failed(batch: readonly WaitingSignal[], thrown: unknown): void {
    this.isSending = false;
    this.underWay = 0;
    for (const signal of batch) signal.attempted = true;
    if (this.isClosed) {
      for (const signal of batch) signal.settle('shed');
      return;
    }
    this.queue.putBack(batch);
    this.failures += 1;
    if (this.connection.state !== 'down') {
      this.become('stale', `signals wait: ${redisError(thrown, this.connection.redact).message}`);
    }
    this.cancelRetry = this.options.clock.after(retryDelayMs(this.failures, this.options.random), () => {
      this.cancelRetry = null;
      this.flush();
    });
  }

  private become(state: FeedState, message: string): void {
    if (state === this.state && (state !== 'down' || message === this.message)) return;
    this.state = state;
    this.message = message;
    for (const listener of this.listeners) {
      try {
        listener(state, message);
      } catch (thrown) {
        this.options.logger.error(`${this.name}: a listener threw`, { error: String(thrown) });
      }
    }
  }
}

/**
 * An output to one Redis. On a cluster give `stream` and the engine's keys one hash slot (`{name}`), or the script is
 * refused. Throws a `ValueError` for a URL that is none.
 */
export function createRedisOutput(options: RedisOutputOptions): RedisOutput {
  return new RedisSignalOutput(options);
}
