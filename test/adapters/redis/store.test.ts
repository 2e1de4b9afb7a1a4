import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { keysOf } from '../../../src/adapters/redis/keys';
import { openRedisStore, type RedisStore } from '../../../src/adapters/redis/store';
import { systemClock } from '../../../src/adapters/system/clock';
import { limits } from '../../../src/core/domain/limits';
import { eventLogContract, executionEvent } from '../../contract/event-log.contract';
import { chunk, contentOf, metaAt, snapshotsContract } from '../../contract/snapshots.contract';
import { seeded, startProxy } from '../../faults/proxy';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { recordingLogger } from '../../helpers/temporary';
import { until } from '../../helpers/until';

let server: RedisServer;
let admin: Redis;

before(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});

after(async () => {
  admin?.disconnect();
  await server?.stop();
});

async function open(engineName: string, more: { executionIds?: number; url?: string } = {}): Promise<RedisStore> {
  const { url = server.url, ...rest } = more;
  const logger = recordingLogger();
  return openRedisStore({ url, engineName, clock: systemClock, logger, random: seeded(1), ...rest });
}

eventLogContract('redis', async ({ executionIds }) => {
  const name = randomUUID();
  let store = await open(name, { executionIds });
  return {
    log: store.log,
    reopen: async () => {
      await store.close();
      store = await open(name, { executionIds });
      return store.log;
    },
    dispose: () => store.close(),
  };
});

snapshotsContract('redis', async () => {
  const name = randomUUID();
  let store = await open(name);
  await store.lease.start(() => {});
  return {
    snapshots: store.snapshots,
    reopen: async () => {
      await store.close();
      store = await open(name);
      await store.lease.start(() => {});
      return store.snapshots;
    },
    dispose: () => store.close(),
  };
});

describe('the store in Redis', () => {
  const opened: RedisStore[] = [];
  const openOne = async (name: string, more: { executionIds?: number; url?: string } = {}) => {
    const store = await open(name, more);
    opened.push(store);
    return store;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });

  describe('its log', () => {
    it('of two processes is one: numbers have no gaps, and each reads what the other wrote', async () => {
      const name = randomUUID();
      const [a, b] = [await openOne(name), await openOne(name)];
      await Promise.all([a.log.read(0, 10), b.log.read(0, 10)]);
      const writes = Array.from({ length: 200 }, (_, i) => (i % 2 ? a : b).log.append([executionEvent(`e${i}`)]));
      const seqs = (await Promise.all(writes)).flat().map((one) => (one.kind === 'applied' ? one.event.seq : 0));
      assert.deepEqual(
        [...seqs].sort((x, y) => x - y),
        Array.from({ length: 200 }, (_, i) => i + 1),
      );
      const [fromA, fromB] = [await all(a), await all(b)];
      assert.equal(fromA.length, 200);
      assert.deepEqual(fromA, fromB);
    });

    async function all(store: RedisStore) {
      const events = [];
      for (;;) {
        const page = await store.log.read(events.length, 7);
        if (page.length === 0) return events;
        events.push(...page);
      }
    }

    it('hands out what others wrote with the answer to an append, without asking again', async () => {
      const name = randomUUID();
      const [a, b] = [await openOne(name), await openOne(name)];
      await a.log.read(0, 10);
      await b.log.append([executionEvent('of b'), executionEvent('of b too')]);
      await a.log.append([executionEvent('of a')]);
      const asked = async () => Number(/cmdstat_xrange:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
      const before = await asked();
      assert.deepEqual(
        (await a.log.read(0, 10)).map(({ id }) => id),
        ['of b', 'of b too'],
      );
      assert.equal(await asked(), before);
      assert.deepEqual(
        (await a.log.read(2, 10)).map(({ id }) => id),
        ['of a'],
      );
    });

    it('names an event whose body, number, version or place is not as it was written', async () => {
      const name = randomUUID();
      const { log } = await openOne(name);
      await log.append([executionEvent('a'), executionEvent('b'), executionEvent('c')]);
      const key = keysOf(name).log;
      const entries = await admin.xrange(key, '-', '+');
      const write = async (change: (fields: string[], i: number) => string[] | null) => {
        await admin.del(key);
        for (const [i, [id, fields]] of entries.entries()) {
          const changed = change([...fields], i);
          if (changed !== null) await admin.xadd(key, id, ...changed);
        }
      };
      const damaged = { code: 'InternalError', message: /event 2 of the log is/ };
      await write((fields, i) => (i === 1 ? fields.map((f) => f.replace('strategy for b', 'strategy for x')) : fields));
      await assert.rejects(log.read(0, 10), damaged);
      await write((fields, i) => (i === 1 ? fields.map((f, at) => (at === 3 ? '9' : f)) : fields));
      await assert.rejects(log.read(0, 10), damaged);
      await write((fields, i) => (i === 1 ? null : fields));
      await assert.rejects(log.read(0, 10), damaged);
      await write((fields) => fields);
      assert.equal((await log.read(0, 10)).length, 3);
    });

    it('refuses whole what Redis has no memory for, and takes it when there is some', async () => {
      const small = await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] });
      const store = await openOne('small', { url: small.url });
      const actor = 'x'.repeat(200_000);
      const kinds: string[] = [];
      for (let i = 0; i < 30 && !kinds.includes('ConnectionError'); i++) {
        const kind = await store.log.append([executionEvent(`e${i}`, { actor }), executionEvent(`f${i}`)]).then(
          () => 'applied',
          (error: { code: string }) => error.code,
        );
        kinds.push(kind);
      }
      assert.equal(kinds.at(-1), 'ConnectionError');
      const refused = kinds.length - 1;
      assert.equal(await store.log.lastSeq(), refused * 2, 'nothing of the refused one is there');
      const second = new Redis(small.url);
      await second.config('SET', 'maxmemory', '50mb');
      second.disconnect();
      const outcomes = await store.log.append([executionEvent(`e${refused}`, { actor }), executionEvent('after')]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['applied', 'applied'],
      );
      await store.close();
      await small.stop();
    });

    it('counts once what is sent again after its answer was cut', async () => {
      const proxy = await startProxy(server.port, seeded(3));
      const store = await openOne(randomUUID(), { url: proxy.url });
      proxy.set({ kind: 'cut-before-reply', p: 0.1 });
      const total = 300;
      const one = async (i: number): Promise<void> => {
        for (;;) {
          try {
            await store.log.append([executionEvent(`e${i}`)]);
            return;
          } catch (error) {
            assert.ok(['ConnectionError', 'TimeoutError'].includes((error as { code: string }).code), String(error));
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        }
      };
      for (let i = 0; i < total; i += 10) await Promise.all(Array.from({ length: 10 }, (_, k) => one(i + k)));
      proxy.set({ kind: 'pass' });
      assert.ok(proxy.cuts() > 3, `${proxy.cuts()} cuts`);
      await until('it is back', async () => (await store.log.lastSeq().catch(() => 0)) === total);
      await store.close();
      await proxy.close();
    }).timeout(60_000);

    it('answers within the deadline while Redis is gone (503) and while it is frozen (504), also when it is cut', async () => {
      const own = await startRedis({ args: ['--appendonly', 'yes'] });
      const store = await openOne('slow', { url: own.url });
      const attempt = async () => {
        const from = performance.now();
        const code = await store.log.append([executionEvent(randomUUID())]).then(
          () => 'applied',
          (error: { code: string }) => error.code,
        );
        return { code, ms: performance.now() - from };
      };
      own.freeze();
      const endMs = performance.now() + 6_000;
      const codes = new Set<string>();
      while (performance.now() < endMs) {
        const { code, ms } = await attempt();
        codes.add(code);
        assert.ok(ms < 1_000, `answered after ${ms} ms`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.deepEqual([...codes], ['TimeoutError']);
      own.thaw();
      await until('it takes events again', async () => (await attempt()).code === 'applied', 8_000);
      await own.kill9();
      await until('it is gone', async () => (await attempt()).code === 'ConnectionError');
      await own.restart();
      await until('it is back', async () => (await attempt()).code === 'applied', 8_000);
      await store.close();
      await own.stop();
    }).timeout(40_000);
  });

  describe('its durability', () => {
    const words = async (args: readonly string[]) => {
      const own = await startRedis({ args });
      const store = await openOne('words', { url: own.url });
      const { survivesStoreKill, survivesPowerLoss, text } = store.log.durability();
      await store.close();
      await own.stop();
      return { survivesStoreKill, survivesPowerLoss, text };
    };

    it('is what its Redis is set to', async () => {
      const everysec = await words(['--appendonly', 'yes', '--appendfsync', 'everysec']);
      assert.deepEqual([everysec.survivesStoreKill, everysec.survivesPowerLoss], [true, false]);
      assert.match(everysec.text, /every second/);
      const always = await words(['--appendonly', 'yes', '--appendfsync', 'always']);
      assert.deepEqual([always.survivesStoreKill, always.survivesPowerLoss], [true, true]);
      const none = await words([]);
      assert.equal(none.survivesStoreKill, false);
      assert.match(none.text, /without AOF/);
      const evicting = ['--appendonly', 'yes', '--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'];
      assert.match((await words(evicting)).text, /allkeys-lru/);
      const forbidden = await words(['--rename-command', 'CONFIG', '']);
      assert.match(forbidden.text, /without AOF/, 'INFO tells it where CONFIG is forbidden');
    });
  });

  describe('its snapshots', () => {
    it('are written by who leads, and by nobody else', async () => {
      const name = randomUUID();
      const [a, b] = [await openOne(name), await openOne(name)];
      await a.lease.start(() => {});
      await b.lease.start(() => {});
      await a.snapshots.save(metaAt(1), [chunk('a', 1)], []);
      await assert.rejects(b.snapshots.save(metaAt(2), [chunk('a', 2)], []), /does not lead/);
      assert.deepEqual(await contentOf(b.snapshots), { logSeq: 1, chunks: [['a', 1]], refused: 0 });
    });

    it('of one who lost the lease without knowing are refused by Redis', async () => {
      const name = randomUUID();
      const a = await openOne(name);
      await a.lease.start(() => {});
      await admin.set(keysOf(name).lease, '99:somebody else');
      await assert.rejects(a.snapshots.save(metaAt(1), [chunk('a', 1)], []), /another process leads/);
      assert.deepEqual(await contentOf(a.snapshots), { logSeq: null, chunks: [], refused: 0 });
    });

    it('fall back to the set before when a part of the newest is damaged, and the next one is whole again', async () => {
      const name = randomUUID();
      const { lease, snapshots } = await openOne(name);
      await lease.start(() => {});
      await snapshots.save(metaAt(1), [chunk('a', 1), chunk('b', 1)], []);
      await snapshots.save(metaAt(2), [chunk('b', 2)], []);
      const key = keysOf(name).chunks;
      const field = (await admin.hkeys(key)).find((one) => one.startsWith('2.')) ?? '';
      await admin.hset(key, field, 'broken');
      const second = await openOne(name);
      const fallback = {
        logSeq: 1,
        chunks: [
          ['a', 1],
          ['b', 1],
        ],
        refused: 1,
      };
      assert.deepEqual(await contentOf(second.snapshots), fallback);
      await lease.close();
      await second.lease.start(() => {});
      await second.snapshots.save(metaAt(3), [chunk('b', 3)], []);
      const third = await openOne(name);
      const whole = {
        logSeq: 3,
        chunks: [
          ['a', 1],
          ['b', 3],
        ],
        refused: 0,
      };
      assert.deepEqual(await contentOf(third.snapshots), whole);
    });

    it('leave no parts behind that no kept set needs', async () => {
      const name = randomUUID();
      const { lease, snapshots } = await openOne(name);
      await lease.start(() => {});
      const large = { name: 'large', bytes: new Uint8Array(limits.redisBlockBytes * 2 + 1) };
      for (let i = 1; i <= 5; i++) await snapshots.save(metaAt(i), [large, chunk('small', i)], []);
      assert.equal(await admin.hlen(keysOf(name).chunks), limits.snapshotsKept * 4);
      assert.equal(await admin.hlen(keysOf(name).sets), limits.snapshotsKept);
    });
  });
});
