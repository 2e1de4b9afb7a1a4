/** The client's settings for money. */
import { Redis } from 'ioredis';
import { limits } from '../../core/domain/limits';
import { type ClusterRoute, connectorOf } from './cluster-connector';
import type { RedisTarget } from './redis-target';

/**
 * What a connection is for. `commands` and `subscriber` are watched; `reader` blocks in XREAD, which no command timeout
 * may cut, so its caller's own loop shows that it lives.
 */
export type RedisRole = 'commands' | 'subscriber' | 'reader';

/** Refusals after which the client connects anew, to whoever is the right one now; nothing of them was done. */
const elsewhere = /^(READONLY|MOVED) /;

/** A client that connects when it is told to. On a cluster it finds the node by the route. */
export function openClient(
  target: RedisTarget,
  route: ClusterRoute | null,
  role: RedisRole,
  retry: () => number,
): Redis {
  const { nodes, isCluster: _isCluster, ...how } = target;
  return new Redis({
    ...how,
    ...nodes[0],
    ...(route === null ? {} : { Connector: connectorOf(route) }),
    lazyConnect: true,
    // The client's queue has no bound; calls made while Redis is away fail at once instead.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // Resending a command whose reply was lost runs it twice.
    autoResendUnfulfilledCommands: false,
    // The client's resubscription is fire and forget: cut during it, it rejects unhandled and never subscribes again.
    // The feed subscribes by itself on every `ready` instead, and knows when that was confirmed.
    autoResubscribe: false,
    retryStrategy: retry,
    reconnectOnError: (error: Error) => elsewhere.test(error.message),
    connectTimeout: limits.redisConnectMs,
    disconnectTimeout: limits.redisDisconnectMs,
    maxLoadingRetryTime: limits.storeMs,
    ...(role === 'reader'
      ? { socketTimeout: limits.redisReaderSilenceMs }
      : { socketTimeout: limits.redisSilenceMs, commandTimeout: limits.storeMs }),
  });
}
