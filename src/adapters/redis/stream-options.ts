/** How a stream is read. */
import type { Clock, Logger } from '../../live/ports';
import { rejectedStreamDefault } from './dead-letter';
import { parseRedisUrl } from './redis-target';
import { hashTagOf, slotOf } from './slot';
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
  /** Default `strategy_engine:rejected`; on a cluster, unless it lies in the stream's slot, `strategy_engine:{STREAM}:rejected`. */
  readonly rejectedStream?: string;
  /** How it begins; default `lead`. */
  readonly mode?: 'lead' | 'follow';
  /** Entries that trimming leaves; default `limits.inputStreamEntries`. */
  readonly keepEntries?: number;
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
  const stream = streamKey(options);
  return {
    stream,
    group: options.group ?? 'strategy_engine',
    consumer: options.consumer ?? 'strategy_engine',
    rejectedStream: rejectedStreamOf(stream, options),
  };
}

/** One script acknowledges an entry and keeps it as a dead letter. */
function rejectedStreamOf(stream: string, { url, rejectedStream = rejectedStreamDefault }: StreamFeedOptions): string {
  const fits = !parseRedisUrl(url).isCluster || slotOf(rejectedStream) === slotOf(stream);
  return fits ? rejectedStream : `strategy_engine:{${hashTagOf(stream)}}:rejected`;
}
