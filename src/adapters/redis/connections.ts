/** Connections for keys of several slots: one for all of them, or on a cluster one to the owner of each. */
import type { Clock, FeedState, Logger } from '../../live/ports';
import { RedisConnection } from './connection';
import { parseRedisUrl } from './redis-target';

export interface ConnectionsOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): the jitter of the retries. */
  readonly random: () => number;
  readonly onState?: (state: FeedState, message: string) => void;
}

export interface Connections {
  /** The one that serves the key, which is one of those they were made for. */
  of(key: string): RedisConnection;
  /** Settles when each has succeeded or failed once; never rejects. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function createConnections(options: ConnectionsOptions, keys: readonly string[]): Connections {
  const { url, clock, logger, random, onState } = options;
  const { isCluster } = parseRedisUrl(url);
  const told = onState === undefined ? {} : { onState };
  const connect = (key: string) => new RedisConnection({ url, role: 'commands', key, clock, logger, random, ...told });
  const byKey = new Map<string, RedisConnection>();
  for (const key of keys) {
    const [shared] = byKey.values();
    byKey.set(key, isCluster || shared === undefined ? connect(key) : shared);
  }
  const all = [...new Set(byKey.values())];
  return {
    of(key) {
      const connection = byKey.get(key);
      if (connection === undefined) throw new Error(`no connection was made for ${key}`);
      return connection;
    },
    async start() {
      await Promise.all(all.map((connection) => connection.start()));
    },
    async close() {
      await Promise.all(all.map((connection) => connection.close()));
    },
  };
}
