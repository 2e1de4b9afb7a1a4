/** Redis Cluster: three real masters. Store, lease, output and channels work through it, and one node may fail. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { keysOf } from '../../../src/adapters/redis/keys';
import { createRedisOutput, type RedisOutputOptions } from '../../../src/adapters/redis/output';
import { createPubSubFeed, type PubSubFeedOptions } from '../../../src/adapters/redis/pubsub-feed';
import { slotOf } from '../../../src/adapters/redis/slot';
import { openRedisStore, type RedisStore } from '../../../src/adapters/redis/store';
import { systemClock } from '../../../src/adapters/system/clock';
import { EngineError } from '../../../src/core/domain/errors';
import { limits } from '../../../src/core/domain/limits';
import type { FeedState } from '../../../src/live/ports';
import { eventLogContract, executionEvent } from '../../contract/event-log.contract';
import { snapshotsContract } from '../../contract/snapshots.contract';
import { seeded } from '../../faults/proxy';
import { moveSlot, type RedisCluster, startRedisCluster } from '../../helpers/redis-cluster';
import { logLines, recorder, watchRejections } from '../../helpers/redis-probe';
import { startRedis } from '../../helpers/redis-server';
import { recordingLogger } from '../../helpers/temporary';
import { until } from '../../helpers/until';

const noticeMs = 3_000;
/** Of a test's own machine: timers and sockets of a busy one are late. */
const slackMs = 1_000;
const recoverMs = 30_000;

let cluster: RedisCluster;
const rejections = watchRejections();

before(async function () {
  this.timeout(60_000);
  cluster = await startRedisCluster({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
});

after(async () => {
  rejections.stop();
  await cluster?.stop();
  assert.deepEqual(rejections.escaped, []);
});

const common = () => ({ url: cluster.url, clock: systemClock, logger: logLines(), random: seeded(5) });

async function open(engineName: string, more: { executionIds?: number; url?: string } = {}): Promise<RedisStore> {
  return openRedisStore({ ...common(), logger: recordingLogger(), engineName, ...more });
}

/** An engine's name whose keys lie on this node. */
function nameOn(node: number): string {
  for (;;) {
    const name = `n${randomUUID()}`;
    if (cluster.ownerOf(keysOf(name).log) === cluster.nodes[node]) return name;
  }
}

eventLogContract('redis cluster', async ({ executionIds }) => {
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

snapshotsContract('redis cluster', async () => {
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

/** A store that says how its connection is, and when it said so. */
async function watched(name: string) {
  const store = await open(name);
  const states: { readonly state: FeedState; readonly message: string; readonly atMs: number }[] = [];
  store.log.onState?.((state, message) => states.push({ state, message, atMs: performance.now() }));
  return { store, states, now: () => states.at(-1)?.state };
}

/** Calls until `isOver`; each must settle in time, and every failure be one of the two that say it may be tried again. */
async function callUntil(store: RedisStore, isOver: () => boolean): Promise<string[]> {
  const codes: string[] = [];
  while (!isOver()) {
    const atMs = performance.now();
    try {
      await store.log.append([executionEvent(`x${randomUUID()}`)]);
      codes.push('ok');
    } catch (thrown) {
      assert.ok(thrown instanceof EngineError, String(thrown));
      assert.ok(thrown.code === 'ConnectionError' || thrown.code === 'TimeoutError', thrown.code);
      codes.push(thrown.code);
    }
    const tookMs = performance.now() - atMs;
    assert.ok(tookMs <= limits.storeMs + slackMs, `a call took ${tookMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return codes;
}

describe('a slot', () => {
  it('of a key is what Redis reckons', async () => {
    const node = cluster.nodes[0];
    assert.ok(node);
    const keys = ['', 'a', '123456789', '{a}b', 'b{a}', '{}a', '{a', 'a}b{c}d', '{a}{b}', 'ü€😀', keysOf('desk-1').log];
    for (const key of [...keys, ...Array.from({ length: 50 }, () => randomUUID())]) {
      assert.equal(slotOf(key), await cluster.probe(node).call('CLUSTER', 'KEYSLOT', key), key);
    }
  });
});

describe('the store in a cluster', function () {
  this.timeout(90_000);
  const opened: RedisStore[] = [];

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await cluster.healthy();
  });

  async function watchedOne(name: string) {
    const one = await watched(name);
    opened.push(one.store);
    return one;
  }

  it('keeps each engine on the node that owns its slot, whichever nodes the URL names', async () => {
    for (const [index, node] of cluster.nodes.entries()) {
      const name = nameOn(index);
      const other = cluster.nodes[(index + 1) % 3];
      const store = await open(name, { url: `redis-cluster://127.0.0.1:${other?.port}` });
      opened.push(store);
      await store.log.append([executionEvent('one')]);
      assert.equal(await cluster.probe(node).xlen(keysOf(name).log), 1);
    }
  });

  it('is noticed to be away when its node is killed, answers every call in time, and comes back by itself', async () => {
    const name = nameOn(1);
    const node = cluster.nodes[1];
    assert.ok(node);
    const { store, states, now } = await watchedOne(name);
    await store.log.append([executionEvent('kept')]);
    let over = false;
    const calls = callUntil(store, () => over);
    const killedMs = performance.now();
    await node.kill9();
    await until('it is down', () => now() === 'down', noticeMs);
    await node.restart();
    await until('it is up again', () => now() === 'up', recoverMs);
    over = true;
    const codes = await calls;
    const downMs = (states.find(({ state }) => state === 'down')?.atMs ?? Number.NaN) - killedMs;
    assert.ok(downMs <= noticeMs, `noticed after ${downMs} ms`);
    assert.ok(codes.includes('ConnectionError'), codes.join());
    assert.deepEqual(
      (await store.log.read(0, 1)).map(({ id }) => id),
      ['kept'],
    );
    const outcome = await store.log.append([executionEvent('kept')]);
    assert.equal(outcome[0]?.kind, 'duplicate');
  });

  it('says within 3 s that its node is frozen (504), and goes on after the thaw', async () => {
    const name = nameOn(2);
    const { store, states, now } = await watchedOne(name);
    await until('it is up', () => now() === 'up');
    let over = false;
    const frozenMs = performance.now();
    cluster.nodes[2]?.freeze();
    const calls = callUntil(store, () => over);
    try {
      await until('it is not up', () => now() !== 'up', noticeMs + slackMs);
    } finally {
      cluster.nodes[2]?.thaw();
    }
    const noticed = states.find(({ state, atMs }) => state !== 'up' && atMs > frozenMs);
    assert.ok((noticed?.atMs ?? Number.NaN) - frozenMs <= noticeMs, JSON.stringify(states));
    await until('it is up again', () => now() === 'up', recoverMs);
    over = true;
    assert.ok((await calls).includes('TimeoutError'));
  });

  it('says in words that the cluster does not serve when another node is away, and goes on when it is back', async () => {
    const { store, states, now } = await watchedOne(nameOn(0));
    await until('it is up', () => now() === 'up');
    const other = cluster.nodes[2];
    await other?.kill9();
    await until('it is down', () => now() === 'down', recoverMs);
    assert.match(states.at(-1)?.message ?? '', /does not serve: CLUSTERDOWN/);
    await assert.rejects(store.log.append([executionEvent('refused')]), { code: 'ConnectionError' });
    await other?.restart();
    await until('it is up again', () => now() === 'up', recoverMs);
    const [outcome] = await store.log.append([executionEvent('refused')]);
    assert.equal(outcome?.kind, 'applied');
  });

  it('follows its slot to another node', async () => {
    const name = nameOn(0);
    const { store, now } = await watchedOne(name);
    for (let i = 0; i < 20; i++) await store.log.append([executionEvent(`before${i}`)]);
    let over = false;
    const calls = callUntil(store, () => over);
    const [from, to] = cluster.nodes;
    assert.ok(from && to);
    await moveSlot(cluster, slotOf(keysOf(name).log), from, to);
    const moved = await cluster.probe(to).xlen(keysOf(name).log);
    await until('the new owner is written to', async () => (await cluster.probe(to).xlen(keysOf(name).log)) > moved);
    await until('it is up', () => now() === 'up');
    over = true;
    const codes = await calls;
    const events = await store.log.read(0, 1_000);
    assert.equal(events.length, 20 + codes.filter((code) => code === 'ok').length);
    await moveSlot(cluster, slotOf(keysOf(name).log), to, from);
  });
});

describe('channels and signals in a cluster', function () {
  this.timeout(90_000);
  const closing: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    await Promise.all(closing.splice(0).map((one) => one.close()));
    await cluster.healthy();
  });

  async function output(engineName: string, more: Partial<RedisOutputOptions> = {}) {
    const encode = ({ signalId }: { readonly signalId: string }) => JSON.stringify({ signal_id: signalId });
    const made = createRedisOutput({ ...common(), engineName, encode, ...more });
    closing.push(made);
    await made.start();
    return made;
  }

  async function feed(more: Partial<PubSubFeedOptions> = {}) {
    const heard = recorder();
    const made = createPubSubFeed({ ...common(), ...more });
    closing.push(made);
    await made.start(heard);
    assert.equal(heard.now(), 'up', JSON.stringify(heard.states));
    return heard;
  }

  const signals = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ signalId: `s${i}`, validUntilMs: null, timestampMs: 0 }) as never);

  it('come out on a channel that any node carries, and on a stream of the engine’s slot', async () => {
    const name = nameOn(1);
    const heard = await feed({ channel: 'strategy_engine_output' });
    const out = await output(name);
    assert.equal((await out.publish(signals(50))).published, 50);
    assert.equal((await out.publish(signals(50))).duplicates, 50);
    await until('all are heard', () => heard.texts.length === 50);
    const stream = `strategy_engine:{${name}}:signals`;
    assert.equal(await cluster.probeOf(stream).xlen(stream), 50);
    await out.reject({ text: 'bad', reason: 'why', atMs: 0 });
    const rejected = `strategy_engine:{${name}}:rejected`;
    assert.equal(await cluster.probeOf(rejected).xlen(rejected), 1);
  });

  it('are refused names outside of the engine’s slot, with one that would do', async () => {
    const cases: [Partial<RedisOutputOptions>, RegExp][] = [
      [{ stream: 'strategy_engine:signals' }, /redis\.signalStream .*strategy_engine:\{desk\}:signals/],
      [{ rejectedStream: 'elsewhere' }, /redis\.rejectedStream .*strategy_engine:\{desk\}:rejected/],
      [{ channel: 'out', sharded: true }, /redis\.outputChannel .*strategy_engine_output:\{desk\}/],
    ];
    for (const [more, message] of cases) {
      await assert.rejects(output('desk', more), { code: 'ValueError', message });
    }
    await output('desk', { stream: 'mine:{desk}', channel: 'out' });
  });

  it('come out on a sharded channel, and go in on one', async () => {
    const name = nameOn(2);
    const outside = await feed({ channel: `strategy_engine_output:{${name}}`, sharded: true });
    const out = await output(name, { sharded: true });
    assert.equal((await out.publish(signals(20))).published, 20);
    await until('all are heard', () => outside.texts.length === 20);
    const inside = await feed({ sharded: true, partition: 3 });
    const channel = 'strategy_engine_input:3';
    await cluster.probeOf(channel).spublish(channel, 'tick');
    await until('it is heard', () => inside.texts.length === 1);
  });

  it('are subscribed through another node when one is killed, and the gap is reported', async () => {
    const heard = await feed();
    const killed = cluster.nodes.find(({ port }) => heard.states.at(-1)?.message.endsWith(`:${port}`));
    assert.ok(killed, JSON.stringify(heard.states));
    await killed.kill9();
    await until('it is subscribed again', () => heard.gaps.length === 1 && heard.now() === 'up', noticeMs);
    const [alive] = cluster.nodes.filter((node) => node !== killed);
    assert.ok(alive);
    const before = heard.texts.length;
    await until('messages flow', async () => {
      await cluster.probe(alive).publish('strategy_engine_input', 'alive');
      return heard.texts.length > before;
    });
    await killed.restart();
  });

  it('of one shard wait for its node, and follow its slot to another one', async () => {
    const heard = await feed({ sharded: true });
    const channel = 'strategy_engine_input';
    const flows = async (what: string) => {
      const before = heard.texts.length;
      await until(
        what,
        async () => {
          await Promise.all(
            cluster.nodes.map((node) =>
              cluster
                .probe(node)
                .spublish(channel, 'alive')
                .catch(() => 0),
            ),
          );
          return heard.texts.length > before;
        },
        recoverMs,
      );
    };
    await flows('messages flow');
    const owner = cluster.ownerOf(channel);
    await owner.kill9();
    await until('it is down', () => heard.now() === 'down', noticeMs);
    await owner.restart();
    await flows('messages flow again');
    const [other] = cluster.nodes.filter((node) => node !== owner);
    assert.ok(other);
    await cluster.healthy();
    await moveSlot(cluster, slotOf(channel), owner, other);
    await until(
      'it is subscribed there',
      () => heard.states.at(-1)?.message.endsWith(`:${other.port}`) === true,
      recoverMs,
    );
    await flows('messages flow from the new owner');
    await moveSlot(cluster, slotOf(channel), other, owner);
  });

  it('that are sharded are refused in words by a server that knows none', async () => {
    const old = await startRedis({ args: ['--rename-command', 'SSUBSCRIBE', '', '--rename-command', 'SPUBLISH', ''] });
    try {
      const heard = recorder();
      const subscriber = createPubSubFeed({ ...common(), url: old.url, sharded: true });
      closing.push(subscriber);
      await subscriber.start(heard);
      assert.equal(heard.now(), 'down');
      assert.match(heard.states.at(-1)?.message ?? '', /needs Redis 7/);
      const out = await output('desk', { url: old.url, sharded: true });
      const states = recorder();
      out.onState(states.state);
      await out.publish(signals(1));
      assert.match(states.states.at(-1)?.message ?? '', /needs Redis 7.*strategy_engine:signals only/);
      await Promise.all(closing.splice(0).map((one) => one.close()));
    } finally {
      await old.stop();
    }
  });
});
