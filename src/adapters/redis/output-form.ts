/** What an output to Redis takes, answers and counts. */
import type { Signal } from '../../core/domain/signal';
import type { Clock, Logger, Output, OutputCounters } from '../../live/ports';

export interface RedisOutputOptions {
  readonly url: string;
  /** Names the memory of signal ids; engines of one name share it. */
  readonly engineName: string;
  /** Default `strategy_engine_output`. */
  readonly channel?: string;
  /** Default `strategy_engine:signals`. */
  readonly stream?: string;
  /** Default `strategy_engine:rejected`. */
  readonly rejectedStream?: string;
  /** The lease under which this process speaks for the engine, `null` when it does not. Absent: no lease is asked for. */
  readonly fence?: () => string | null;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): the jitter of the retries. */
  readonly random: () => number;
  readonly onReconnect?: () => void;
  /** A signal as JSON text. */
  readonly encode: (signal: Signal) => string;
}

/** What became of one `publish` by the time it settled. What still waits goes out, or is counted, later. */
export interface PublishOutcome {
  readonly published: number;
  readonly duplicates: number;
  /** Not sent yet: Redis is away or slow. */
  readonly waiting: number;
  /** Given up: no room, too old, or not encodable. */
  readonly dropped: number;
}

export interface RedisOutput extends Output {
  /**
   * Settles when every signal's fate is known, or after `limits.storeMs`, or at once while Redis is away; never rejects.
   */
  publish(signals: readonly Signal[]): Promise<PublishOutcome>;
  counters(): OutputCounters;
}
