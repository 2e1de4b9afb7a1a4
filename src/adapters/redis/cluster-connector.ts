/**
 * The way to the node of a cluster that owns a key. All keys of an engine lie in one slot, so one plain connection to the
 * slot's owner is all that it needs; every attempt to connect asks the nodes anew who that is.
 */
import { createConnection, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis } from 'ioredis';
import { limits } from '../../core/domain/limits';
import type { RedisAddress, RedisTarget } from './redis-target';
import { slotOf } from './slot';

/** What the nodes told last, shared by the attempts of one connection. */
export interface ClusterRoute {
  readonly target: RedisTarget;
  /** Its slot's owner is connected to; without one, the node that answers first. */
  readonly key: string | null;
  /** Nodes that may be asked: those of the URL, and those found since. */
  known: readonly RedisAddress[];
  /** Where the last attempt went. */
  current: RedisAddress;
}

export function createRoute(target: RedisTarget, key: string | null): ClusterRoute {
  return { target, key, known: target.nodes, current: target.nodes[0] };
}

const nameOf = ({ host, port }: RedisAddress): string => `${host}:${port}`;

interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly owner: RedisAddress;
}

/** An answer to CLUSTER SLOTS. A node that does not know its own host means the one it was asked at. */
export function slotRanges(answer: unknown, asked: RedisAddress): SlotRange[] {
  if (!Array.isArray(answer)) throw new Error('unexpected answer to CLUSTER SLOTS');
  return answer.map((range: unknown) => {
    const [from, to, owner] = Array.isArray(range) ? range : [];
    const [host, port] = Array.isArray(owner) ? owner : [];
    const isNamed = typeof host === 'string' && host !== '' && host !== '?';
    return { from: Number(from), to: Number(to), owner: { host: isNamed ? host : asked.host, port: Number(port) } };
  });
}

/** Asks one node who owns what; the connection for it lives no longer than the question. */
async function ask(node: RedisAddress, target: RedisTarget): Promise<SlotRange[]> {
  const { nodes: _nodes, isCluster: _isCluster, ...how } = target;
  const client = new Redis({
    ...how,
    ...node,
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: limits.storeMs,
    commandTimeout: limits.storeMs,
    disconnectTimeout: limits.redisDisconnectMs,
    maxRetriesPerRequest: 0,
  });
  let why = '';
  client.on('error', (error: Error) => {
    why = error.message;
  });
  try {
    await client.connect();
    return slotRanges(await client.call('CLUSTER', 'SLOTS'), node);
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`${nameOf(node)}: ${why === '' ? said : why}`);
  } finally {
    client.disconnect();
  }
}

/** Finds the node to connect to. Rejects with what the first of the nodes said when none of them is of use. */
async function locate(route: ClusterRoute): Promise<RedisAddress> {
  const asked = route.known.map(async (node) => ({ node, ranges: await ask(node, route.target) }));
  try {
    const { node, ranges } = await Promise.any(asked);
    remember(route, ranges);
    if (route.key === null) return node;
    const slot = slotOf(route.key);
    const owner = ranges.find(({ from, to }) => from <= slot && slot <= to)?.owner;
    if (owner === undefined) throw new Error(`no node of the cluster serves slot ${slot} of ${route.key}`);
    return owner;
  } catch (thrown) {
    if (thrown instanceof AggregateError) throw thrown.errors[0];
    throw thrown;
  }
}

/** What the URL names stays first: it is what was meant, whatever a node says. */
function remember(route: ClusterRoute, ranges: readonly SlotRange[]): void {
  const all = new Map(route.target.nodes.map((node) => [nameOf(node), node]));
  for (const { owner } of ranges) {
    if (all.size < limits.redisNodesAsked) all.set(nameOf(owner), owner);
  }
  route.known = [...all.values()];
}

/** The class that the client makes its connections with. An attempt never rejects: the client would not try again. */
export function connectorOf(route: ClusterRoute): new () => AbstractConnector {
  return class extends AbstractConnector {
    constructor() {
      super(limits.redisDisconnectMs);
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      try {
        route.current = await locate(route);
        if (!this.connecting) throw new Error('Connection is closed.');
        this.stream = open(route);
        this.stream.once('error', (error: Error) => {
          this.firstError = error;
        });
      } catch (thrown) {
        this.firstError = thrown instanceof Error ? thrown : new Error(String(thrown));
        this.stream = new Socket();
        this.stream.destroy();
      }
      return this.stream;
    }
  };
}

function open({ current, target }: ClusterRoute): Socket {
  const { host, port } = current;
  if (target.tls === undefined) return createConnection({ host, port });
  return connectTls({ ...target.tls, host, port });
}
