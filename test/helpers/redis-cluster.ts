/** A real Redis Cluster for one suite: three masters on loopback that share the slots, and replicas where asked for. */
import { Redis } from 'ioredis';
import { slotOf } from '../../src/adapters/redis/slot';
import { type RedisServer, startRedis } from './redis-server';
import { until } from './until';

const nodes = 3;
const slots = 16_384;
const formMs = 30_000;

export interface RedisCluster {
  /** `redis-cluster://…` with all nodes. */
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** The node that owns the key's slot. */
  ownerOf(key: string): RedisServer;
  /** A plain client of one node. */
  probe(server: RedisServer): Redis;
  /** A plain client of the key's owner. */
  probeOf(key: string): Redis;
  flush(): Promise<void>;
  /** Settles when every node says that the cluster serves. */
  healthy(): Promise<void>;
  stop(): Promise<void>;
}

/** How long a node may be unheard before the cluster stops serving. */
const nodeTimeoutMs = 2_000;

const clusterArgs = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)];

/** A server that copies one of the masters, and takes over when that one is away. Stopped by whoever asked for it. */
export async function startReplica(cluster: RedisCluster, master: RedisServer): Promise<RedisServer> {
  const replica = await startRedis({ args: clusterArgs, portMax: 55_535 });
  const client = cluster.probe(replica);
  const masterId = String(await cluster.probe(master).call('CLUSTER', 'MYID'));
  await client.call('CLUSTER', 'MEET', '127.0.0.1', master.port);
  const knows = async () => String(await client.call('CLUSTER', 'NODES')).includes(masterId);
  await until('the replica knows its master', knows, formMs);
  await client.call('CLUSTER', 'REPLICATE', masterId);
  const copies = async () => /master_link_status:up/.test(await client.info('replication'));
  await until('the replica copies', copies, formMs);
  // Others have to know it as a replica, or nobody votes for it.
  for (const node of cluster.nodes) {
    const line = new RegExp(`:${replica.port}@\\S+ slave ${masterId}`);
    const sees = async () => line.test(String(await cluster.probe(node).call('CLUSTER', 'NODES')));
    await until(`${node.url} knows the replica`, sees, formMs);
  }
  return replica;
}

export async function startRedisCluster(options: { readonly args?: readonly string[] } = {}): Promise<RedisCluster> {
  const args = [...clusterArgs, ...(options.args ?? [])];
  const servers: RedisServer[] = [];
  const clients = new Map<RedisServer, Redis>();
  const stop = async (): Promise<void> => {
    for (const client of clients.values()) client.disconnect();
    await Promise.all(servers.map((server) => server.stop()));
  };
  const probe = (server: RedisServer): Redis => {
    const known = clients.get(server);
    if (known !== undefined) return known;
    const client = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', () => {});
    clients.set(server, client);
    return client;
  };
  const ownerOf = (key: string): RedisServer => {
    const owner = servers.find((_, index) => slotOf(key) < Math.ceil(((index + 1) * slots) / nodes));
    if (owner === undefined) throw new Error(`nobody owns ${key}`);
    return owner;
  };
  const healthy = async (): Promise<void> => {
    for (const server of servers) {
      await until(`${server.url} serves`, async () => /cluster_state:ok/.test(await infoOf(probe(server))), formMs);
    }
  };
  try {
    // The bus listens ten thousand ports higher, so the port must leave room for that.
    while (servers.length < nodes) servers.push(await startRedis({ args, portMax: 55_535 }));
    for (const [index, server] of servers.entries()) {
      const from = Math.ceil((index * slots) / nodes);
      const to = Math.ceil(((index + 1) * slots) / nodes) - 1;
      await probe(server).call('CLUSTER', 'ADDSLOTSRANGE', from, to);
      await probe(server).call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    }
    for (const server of servers.slice(1)) {
      await probe(server).call('CLUSTER', 'MEET', '127.0.0.1', servers[0]?.port ?? 0);
    }
    for (const server of servers) {
      const knows = async () => new RegExp(`cluster_known_nodes:${nodes}`).test(await infoOf(probe(server)));
      await until(`${server.url} knows all`, knows, formMs);
    }
    await healthy();
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    url: `redis-cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes: servers,
    ownerOf,
    probe,
    probeOf: (key) => probe(ownerOf(key)),
    async flush() {
      await Promise.all(servers.map((server) => probe(server).flushall()));
    },
    healthy,
    stop,
  };
}

async function infoOf(client: Redis): Promise<string> {
  return String(await client.call('CLUSTER', 'INFO'));
}

/** Gives a slot with all of its keys to another node, as an operator does while the cluster is at work. */
export async function moveSlot(cluster: RedisCluster, slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  const [source, target] = [cluster.probe(from), cluster.probe(to)];
  const [sourceId, targetId] = await Promise.all([source.call('CLUSTER', 'MYID'), target.call('CLUSTER', 'MYID')]);
  await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(sourceId));
  await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(targetId));
  for (;;) {
    const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
    if (keys.length === 0) break;
    await source.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
  }
  await target.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(targetId));
  await source.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(targetId));
  const third = cluster.nodes.find((node) => node !== from && node !== to);
  if (third !== undefined) await cluster.probe(third).call('CLUSTER', 'SETSLOT', slot, 'NODE', String(targetId));
}
