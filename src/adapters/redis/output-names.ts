/** What an output to Redis is called there. One script touches the stream and the engine's keys: on a cluster in one slot. */
import { keysOf } from './keys';
import { parseRedisUrl } from './redis-target';
import { assertOneSlot } from './slot';

export interface OutputNamesOptions {
  readonly url: string;
  readonly engineName: string;
  /** Default `strategy_engine_output`; with `sharded` `strategy_engine_output:{NAME}`. */
  readonly channel?: string;
  /** Default `strategy_engine:signals`; on a cluster `strategy_engine:{NAME}:signals`. */
  readonly stream?: string;
  /** Default `strategy_engine:rejected`; on a cluster `strategy_engine:{NAME}:rejected`. */
  readonly rejectedStream?: string;
  /** Publishes on a channel of the engine's slot (Redis 7), which on a cluster only that slot's nodes carry. */
  readonly sharded?: boolean;
}

export interface OutputNames {
  readonly channel: string;
  readonly stream: string;
  readonly rejectedStream: string;
}

/** The names; a `ValueError` for one that the engine's slot cannot hold, which says what to name it. */
export function outputNames(options: OutputNamesOptions): OutputNames {
  const { engineName, sharded = false } = options;
  const { isCluster } = parseRedisUrl(options.url);
  const own = (name: string) => `strategy_engine:{${engineName}}:${name}`;
  const names = {
    channel: options.channel ?? (sharded ? `strategy_engine_output:{${engineName}}` : 'strategy_engine_output'),
    stream: options.stream ?? (isCluster ? own('signals') : 'strategy_engine:signals'),
    rejectedStream: options.rejectedStream ?? (isCluster ? own('rejected') : 'strategy_engine:rejected'),
  };
  if (isCluster) {
    const { lease } = keysOf(engineName);
    assertOneSlot('redis.signalStream', names.stream, lease, own('signals'));
    assertOneSlot('redis.rejectedStream', names.rejectedStream, lease, own('rejected'));
    if (sharded) assertOneSlot('redis.outputChannel', names.channel, lease, `strategy_engine_output:{${engineName}}`);
  }
  return names;
}
