import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { keysOf } from '../../../src/adapters/redis/keys';
import { openRedisStore, type RedisStore } from '../../../src/adapters/redis/store';
import { systemClock } from '../../../src/adapters/system/clock';
import { limits } from '../../../src/core/domain/limits';
import { type FaultProxy, seeded, startProxy } from '../../faults/proxy';
import { probe } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { recordingLogger } from '../../helpers/temporary';
import { until } from '../../helpers/until';

describe('the lease of an engine in Redis', function () {
  this.timeout(30_000);
  let server: RedisServer;
  let asker: ReturnType<typeof probe>;
  const opened: RedisStore[] = [];
  const proxies: FaultProxy[] = [];

  before(async () => {
    server = await startRedis();
    asker = probe(server.url);
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });

  after(async () => {
    asker.disconnect();
    await server.stop();
  });

  /** A process of the engine, with the roles it was told. */
  async function member(engineName: string, more: { url?: string; holder?: string } = {}) {
    const logger = recordingLogger();
    const own = { url: server.url, ...more };
    const store = await openRedisStore({ engineName, clock: systemClock, logger, random: seeded(1), ...own });
    opened.push(store);
    const roles: string[] = [];
    await store.lease.start((role) => roles.push(role));
    return { store, roles, lease: store.lease };
  }

  async function behindProxy(engineName: string) {
    const proxy = await startProxy(server.port);
    proxies.push(proxy);
    return { proxy, ...(await member(engineName, { url: proxy.url })) };
  }

  it('is of the first who asks; the others stand by and know how many they are', async () => {
    const name = randomUUID();
    const [a, b, c] = [await member(name), await member(name), await member(name)];
    assert.deepEqual([a.lease.role(), b.lease.role(), c.lease.role()], ['leader', 'standby', 'standby']);
    assert.ok(a.lease.fence() !== null && b.lease.fence() === null);
    await until('the leader sees them', () => a.lease.message() === 'leads; 2 standby');
    assert.equal((await member(randomUUID())).lease.role(), 'leader', 'another engine has a lease of its own');
  });

  it('passes on at once when it is given up, with a larger token', async () => {
    const name = randomUUID();
    const [a, b] = [await member(name), await member(name)];
    const before = Number.parseInt(a.lease.fence() ?? '', 10);
    const from = performance.now();
    await a.lease.close();
    await until('the other leads', () => b.lease.role() === 'leader');
    assert.ok(performance.now() - from < limits.leaseMs, 'without waiting for its end');
    assert.ok(Number.parseInt(b.lease.fence() ?? '', 10) > before);
  });

  it('passes on within 3 s when its holder is cut off, who then knows that it may have', async () => {
    const name = randomUUID();
    const a = await behindProxy(name);
    const b = await member(name);
    await until('the leader knows that it is not alone', () => a.lease.message().includes('1 standby'));
    a.proxy.set({ kind: 'freeze' });
    const from = performance.now();
    await until('the other leads', () => b.lease.role() === 'leader', 6_000);
    assert.ok(performance.now() - from < 3_000, `${performance.now() - from} ms`);
    await until('the first one is silent', () => a.lease.role() === 'standby');
    assert.ok((b.lease.predecessorMs() ?? 0) > Date.now() - 6_000);
    a.proxy.set({ kind: 'pass' });
    await until('it hears who leads', () => a.lease.message().includes('another process leads'), 8_000);
    assert.equal(b.lease.role(), 'leader', 'and takes nothing back');
  });

  it('is kept by one who is alone while Redis is away, and taken up again after it', async () => {
    const { lease, roles, proxy } = await behindProxy(randomUUID());
    proxy.set({ kind: 'reset' });
    await until('it says that Redis is not heard', () => lease.message().includes('not heard'));
    await new Promise((resolve) => setTimeout(resolve, limits.leaseMs + 500));
    assert.equal(lease.role(), 'leader');
    proxy.set({ kind: 'pass' });
    await until('it leads as before', () => lease.message() === 'leads alone', 8_000);
    assert.ok(!roles.includes('standby'));
  });

  it('is taken up at once by the next life of a process that bears the same name', async () => {
    const name = randomUUID();
    const a = await behindProxy(name);
    void a;
    const key = keysOf(name).lease;
    await asker.set(key, '7:the folder', 'PX', 60_000);
    assert.equal((await member(name)).lease.role(), 'standby');
    const next = await member(name, { holder: 'the folder' });
    assert.deepEqual([next.lease.role(), next.lease.fence()], ['leader', '7:the folder']);
    assert.ok((await asker.pttl(key)) <= limits.leaseMs);
  });
});
