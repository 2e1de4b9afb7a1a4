/** Who may add to the log of a Redis that was started anew, and when. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { openRedisStore, type RedisStore } from '../../../src/adapters/redis/store';
import { systemClock } from '../../../src/adapters/system/clock';
import type { EngineError } from '../../../src/core/domain/errors';
import { limits } from '../../../src/core/domain/limits';
import { executionEvent } from '../../contract/event-log.contract';
import { type FaultProxy, seeded, startProxy } from '../../faults/proxy';
import { aofArgs } from '../../faults/redis-engine';
import { probe } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { recordingLogger, temporaryDirectory } from '../../helpers/temporary';
import { until } from '../../helpers/until';

const waiting = /started anew: nothing is written before all processes of this engine have put back/;

describe('a Redis that was started anew', function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let asker: Redis;
  let proxy: FaultProxy;
  const stores: RedisStore[] = [];

  beforeEach(async () => {
    redis = await startRedis({ args: aofArgs('none') });
    asker = probe(redis.url);
    proxy = await startProxy(redis.port);
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await proxy.close();
    asker.disconnect();
    await redis.stop();
  });

  /** With a folder, the store has its name and what it has seen over its lives. */
  async function open(url = redis.url, dir?: string): Promise<RedisStore> {
    const edges = { clock: systemClock, logger: recordingLogger(), random: seeded(stores.length) };
    const own = dir === undefined ? {} : { dir, holder: dir };
    const store = await openRedisStore({ url, engineName: 'anew', ...edges, ...own });
    stores.push(store);
    await store.log.read(0, 100);
    await store.lease.start(() => {});
    return store;
  }
  const stateOf = (store: RedisStore) => {
    const told: [string, string][] = [];
    store.log.onState?.((state, message) => void told.push([state, message]));
    return () => told.at(-1) ?? ['', ''];
  };
  const add = (store: RedisStore, id: string) => store.log.append([executionEvent(id)]);
  const refusal = (store: RedisStore, id: string) =>
    add(store, id).then(
      () => '',
      (thrown: EngineError) => thrown.message,
    );
  async function idsOf(store: RedisStore): Promise<string[]> {
    const ids: string[] = [];
    for (;;) {
      const page = await store.log.read(ids.length, 100);
      if (page.length === 0) return ids;
      ids.push(...page.map(({ id }) => id));
    }
  }
  const bothAreHeard = (store: RedisStore) =>
    until('both are heard', () => store.lease.message() === 'leads; 1 standby', 10_000);
  async function restart(): Promise<void> {
    await redis.kill9();
    await redis.restart();
  }

  it('is added to at once by a process that is alone, behind what it has put back', async () => {
    const store = await open();
    await add(store, 'a');
    await restart();
    const startMs = performance.now();
    await until('it is added', async () => (await refusal(store, 'b')) === '', 10_000);
    assert.ok(performance.now() - startMs < limits.settleMs);
    assert.deepEqual(await idsOf(store), [executionEvent('a').id, executionEvent('b').id]);
  });

  it('is not added to by the first to come back before the other has put back what only that one knows', async () => {
    const [near, far] = [await open(), await open(proxy.url)];
    const state = stateOf(near);
    await add(near, 'a');
    await bothAreHeard(near);
    await add(far, 'b');
    proxy.set({ kind: 'reset' });
    await restart();
    await until('the first is refused, and why', async () => waiting.test(await refusal(near, 'c')), 10_000);
    assert.equal(state()[0], 'connecting');
    assert.match(state()[1], waiting);
    await until('it has put back its own', async () => (await asker.xlen('strategy_engine:{anew}:log')) === 1);
    assert.match(await refusal(near, 'c'), waiting);
    proxy.set({ kind: 'pass' });
    await until('it is added', async () => (await refusal(near, 'c')) === '', 15_000);
    assert.equal(state()[0], 'up');
    const ids = ['a', 'b', 'c'].map((id) => executionEvent(id).id);
    for (const store of [near, far]) assert.deepEqual(await idsOf(store), ids);
  });

  it('is added to without one that stays away for longer than a restart may take', async () => {
    const [near, far] = [await open(), await open(proxy.url)];
    await add(near, 'a');
    await bothAreHeard(near);
    await far.log.read(0, 100);
    proxy.set({ kind: 'reset' });
    await restart();
    await until('the first is refused', async () => waiting.test(await refusal(near, 'b')), 10_000);
    const startMs = performance.now();
    await until('it is added', async () => (await refusal(near, 'b')) === '', 2 * limits.settleMs);
    const waitedMs = performance.now() - startMs;
    assert.ok(waitedMs > limits.settleMs / 2 && waitedMs < limits.settleMs + 1_000, `${Math.round(waitedMs)} ms`);
    assert.ok(limits.settleMs > 2 * limits.redisRetryMaxMs);
  });

  it('is not added to by a new life of a process that knows from its folder who lived, though Redis does not', async () => {
    const directory = temporaryDirectory('settling');
    const far = await open(proxy.url);
    const before = await open(redis.url, directory.path);
    await add(far, 'a');
    await until(
      'it has heard of the other',
      () => readFileSync(join(directory.path, 'peers'), 'utf8').split('\n').length === 4,
      10_000,
    );
    await add(far, 'b');
    proxy.set({ kind: 'reset' });
    await before.close();
    stores.splice(stores.indexOf(before), 1);
    await restart();
    const near = await open(redis.url, directory.path);
    assert.match(await refusal(near, 'c'), waiting);
    proxy.set({ kind: 'pass' });
    await until('it is added', async () => (await refusal(near, 'c')) === '', 15_000);
    const ids = ['a', 'b', 'c'].map((id) => executionEvent(id).id);
    for (const store of [near, far]) assert.deepEqual(await idsOf(store), ids);
    directory.remove();
  });

  describe('by processes of which one has not seen all that another wrote', () => {
    const many = Array.from({ length: limits.eventsAhead + 40 }, (_, i) => `far ${i}`);
    const allIds = ['near 1', ...many, 'near 2'].map((id) => executionEvent(id).id);
    const logLength = () => asker.xlen('strategy_engine:{anew}:log');

    /** The near one writes before and behind what the far one writes, and is told only the first of that. */
    async function withHole(near: RedisStore, far: RedisStore): Promise<void> {
      await add(near, 'near 1');
      await far.log.read(0, 100);
      for (let at = 0; at < many.length; at += limits.eventsPerAppend)
        await far.log.append(many.slice(at, at + limits.eventsPerAppend).map((id) => executionEvent(id)));
      await add(near, 'near 2');
    }

    it('gets the rest from the one when the other has filled in what that one missed', async () => {
      const [near, far] = [await open(), await open(proxy.url)];
      await bothAreHeard(near);
      await withHole(near, far);
      proxy.set({ kind: 'reset' });
      await restart();
      await until('as much as follows is back', async () => (await logLength()) === 1 + limits.eventsAhead, 10_000);
      assert.match(await refusal(near, 'later'), waiting);
      const missed = await near.log.read(allIds.length, 10).catch((thrown: EngineError) => thrown.message);
      assert.match(String(missed), waiting, 'nothing is given up while there is one to wait for');
      proxy.set({ kind: 'pass' });
      await until('it is added', async () => (await refusal(near, 'later')) === '', 15_000);
      for (const store of [near, far]) assert.deepEqual(await idsOf(store), [...allIds, executionEvent('later').id]);
    });

    it('gets the rest from the next lives of both, out of their folders', async () => {
      const directory = temporaryDirectory('settling-two');
      const names = ['near', 'far'].map((name) => join(directory.path, name)) as [string, string];
      for (const name of names) mkdirSync(name);
      const [near, far] = [await open(redis.url, names[0]), await open(redis.url, names[1])];
      await bothAreHeard(near);
      await withHole(near, far);
      await Promise.all(stores.splice(0).map((store) => store.close()));
      await restart();
      const next = await open(redis.url, names[0]);
      assert.match(await refusal(next, 'later'), waiting);
      const other = await open(redis.url, names[1]);
      await until('it is added', async () => (await refusal(next, 'later')) === '', 15_000);
      for (const store of [next, other]) assert.deepEqual(await idsOf(store), [...allIds, executionEvent('later').id]);
      directory.remove();
    });

    it('is given up by the one at once when nobody lives who could fill that in', async () => {
      const [near, far] = [await open(), await open(proxy.url)];
      await bothAreHeard(near);
      await withHole(near, far);
      await far.close();
      await until('it is alone', () => near.lease.message() === 'leads alone', 10_000);
      const state = stateOf(near);
      const startMs = performance.now();
      await restart();
      await until('it is told', () => /Redis has lost events/.test(state()[1]), 10_000);
      assert.ok(performance.now() - startMs < limits.settleMs);
      assert.equal(await logLength(), 1 + limits.eventsAhead);
      assert.match(await refusal(near, 'later'), /Redis has lost events/);
    });

    it('goes on without what a new life of the one knows behind that, which is kept aside and told', async () => {
      const directory = temporaryDirectory('settling-alone');
      const near = await open(redis.url, directory.path);
      const far = await open();
      await withHole(near, far);
      await Promise.all(stores.splice(0).map((store) => store.close()));
      await restart();
      writeFileSync(join(directory.path, 'peers'), '');
      const next = await open(redis.url, directory.path);
      await until('it is added', async () => (await refusal(next, 'later')) === '', 10_000);
      const ids = [...allIds.slice(0, 1 + limits.eventsAhead), executionEvent('later').id];
      assert.deepEqual(await idsOf(next), ids);
      assert.equal(next.log.durability().lostEvents, 1);
      const aside = readFileSync(join(directory.path, `recall.lost-${allIds.length}`), 'utf8');
      assert.deepEqual(aside.trim().split('\n').length, 1);
      assert.ok(aside.includes('"near 2"') || aside.includes(executionEvent('near 2').id));
      await next.close();
      stores.length = 0;
      await restart();
      assert.deepEqual(await idsOf(await open(redis.url, directory.path)), ids, 'what it keeps goes on');
      directory.remove();
    });
  });

  it('is waited for by nobody when only the connection was lost', async () => {
    const [near, far] = [await open(), await open(proxy.url)];
    await bothAreHeard(near);
    proxy.set({ kind: 'reset' });
    await asker.call('CLIENT', 'KILL', 'TYPE', 'normal');
    const messages = new Set<string>();
    await until(
      'it is added',
      async () => {
        const message = await refusal(near, 'a');
        messages.add(message);
        return message === '';
      },
      10_000,
    );
    assert.equal(far.lease.role(), 'standby');
    const after = await asker.call('HGETALL', 'strategy_engine:{anew}:settled');
    assert.equal((after as string[]).filter((one) => one.startsWith('by:')).length, 2);
  });

  it('that is full is said to be full, and is added to when it has room', async () => {
    const store = await open();
    await restart();
    await asker.config('SET', 'maxmemory', '1');
    await until('it is said', async () => /OOM|maxmemory/.test(await refusal(store, 'a')), 10_000);
    await asker.config('SET', 'maxmemory', '0');
    await until('it is added', async () => (await refusal(store, 'a')) === '', 10_000);
  });

  it('is used also by a user who may not ask which server it is', async () => {
    await asker.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-info', '-config');
    const store = await open(redis.url.replace('//', '//limited:secret@'));
    await add(store, 'a');
    assert.deepEqual(await idsOf(store), [executionEvent('a').id]);
  });
});
