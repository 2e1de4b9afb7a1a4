/** How a stream is read. */
import type { Clock, Logger } from '../../live/ports';
import { rejectedStreamDefault } from './dead-letter';
import type { StreamNames } from './stream-commands';

export interface StreamFeedOptions {
  readonly url: string;
  /** Default `strategy_engine:input`. */
  readonly stream?: string;
  /** Reads `<stream>:<partition>` instead. */
  readonly partition?: number;
  /** Default `strategy_engine`. */
  readonly group?: string;
  /** Names this reader in the group; default `strategy_engine`. */
  readonly consumer?: string;
  /** Default `strategy_engine:rejected`. */
  readonly rejectedStream?: string;
  /** How it begins; default `lead`. */
  readonly mode?: 'lead' | 'follow';
  /** Entries that trimming leaves; default `limits.inputStreamEntries`. */
  readonly keepEntries?: number;
  /** Oldest entry that a kept snapshot goes on from; what comes after it is not trimmed, and empty keeps everything. */
  readonly keep?: () => string;
  /** Called whenever one of its connections is there again. */
  readonly onReconnect?: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): the jitter of the retries. */
  readonly random: () => number;
}

/** The stream's key. */
export function streamKey({ stream, partition }: Pick<StreamFeedOptions, 'stream' | 'partition'>): string {
  const key = stream ?? 'strategy_engine:input';
  return partition === undefined ? key : `${key}:${partition}`;
}

/** All that the commands name. */
export function streamNames(options: StreamFeedOptions): StreamNames {
  return {
    stream: streamKey(options),
    group: options.group ?? 'strategy_engine',
    consumer: options.consumer ?? 'strategy_engine',
    rejectedStream: options.rejectedStream ?? rejectedStreamDefault,
  };
}
