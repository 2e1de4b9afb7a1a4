/** The stream feed when Redis is cut, frozen, killed or read-only: it says so in time, and loses and doubles nothing. */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { createStreamFeed } from '../../../src/adapters/redis/stream-feed';
import { systemClock } from '../../../src/adapters/system/clock';
import type { StreamFeed } from '../../../src/live/ports';
import { type FaultProxy, seeded, startProxy } from '../../faults/proxy';
import { type LogLines, logLines, probe, watchRejections } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { type StreamRecorder, streamRecorder } from '../../helpers/stream-recorder';
import { until } from '../../helpers/until';

const seed = Number(process.env.TEST_SEED ?? 20_260_101);
const detectionMs = 3_000;
const key = 'strategy_engine:input';
const group = 'strategy_engine';

describe(`the stream feed among faults (seed ${seed})`, function () {
  this.timeout(60_000);
  let server: RedisServer;
  let asker: Redis;
  let proxy: FaultProxy;
  let logger: LogLines;
  let heard: StreamRecorder;
  let added = 0;
  const open: StreamFeed[] = [];
  const rejections = watchRejections();

  beforeEach(async () => {
    server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    asker = probe(server.url);
    proxy = await startProxy(server.port, seeded(seed));
    logger = logLines();
    heard = streamRecorder();
    added = 0;
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((feed) => feed.close()));
    assert.deepEqual(rejections.escaped, []);
    asker.disconnect();
    await proxy.close();
    await server.stop();
  });
  after(() => rejections.stop());

  async function started(url: string): Promise<StreamFeed> {
    const feed = createStreamFeed({ url, clock: systemClock, logger, random: seeded(seed) });
    open.push(feed);
    await feed.start(heard);
    return feed;
  }

  async function add(count: number, bad = false): Promise<void> {
    for (let i = 0; i < count; i++) {
      added += 1;
      await asker.xadd(key, `${added}-0`, 'data', bad && added % 10 === 0 ? `bad${added}` : `n${added}`);
    }
  }

  const pending = async (): Promise<number> => Number(((await asker.xpending(key, group)) as unknown[])[0]);

  /** Every entry was taken once, in order, and in the end none waits. */
  async function assertWhole(): Promise<void> {
    await until('all is taken', () => heard.ids().at(-1) === `${added}-0`, 20_000);
    assert.deepEqual(
      heard.ids(),
      Array.from({ length: added }, (_, i) => `${i + 1}-0`),
    );
    await until('all is acknowledged', async () => (await pending()) === 0, 10_000);
    assert.deepEqual(heard.gaps, []);
  }

  it('takes each entry once while replies are cut, and keeps each dead letter once', async () => {
    await started(proxy.url);
    proxy.set({ kind: 'cut-before-reply', p: 0.15 });
    while (proxy.cuts() < 10) {
      const cuts = proxy.cuts();
      await add(20, true);
      await until('a cut, or all is taken', () => proxy.cuts() > cuts || heard.taken.length === added, 20_000);
    }
    proxy.set({ kind: 'pass' });
    await assertWhole();
    const letters = await asker.xrange('strategy_engine:rejected', '-', '+');
    const texts = letters.map(([, fields]) => fields[1]);
    assert.deepEqual(
      [...texts].sort(),
      Array.from({ length: Math.floor(added / 10) }, (_, i) => `bad${(i + 1) * 10}`).sort(),
    );
  });

  it('notices a frozen server within 3 s and goes on when it thaws', async () => {
    await started(server.url);
    await add(20);
    await until('read', () => heard.taken.length === 20);
    server.freeze();
    try {
      await until('said', () => heard.now() === 'down' || heard.now() === 'stale', detectionMs);
    } finally {
      server.thaw();
    }
    await add(20);
    await assertWhole();
    await until('up', () => heard.now() === 'up');
  });

  it('notices a network without a word, on both of its connections', async () => {
    await started(proxy.url);
    await until('up', () => heard.now() === 'up');
    proxy.set({ kind: 'freeze' });
    await until('said', () => heard.now() === 'down' || heard.now() === 'stale', detectionMs);
    await add(30);
    proxy.set({ kind: 'pass' });
    await assertWhole();
  });

  it('goes on after the server was killed and started again', async () => {
    await started(server.url);
    for (let kill = 0; kill < 3; kill++) {
      await add(50);
      await server.kill9();
      await until('down', () => heard.now() === 'down', detectionMs);
      await server.restart();
      await add(50);
    }
    await assertWhole();
  });

  it('says that the server is read-only, and goes on when it is not', async () => {
    await started(server.url);
    await add(10);
    await until('read', () => heard.taken.length === 10);
    // Nobody listens there: it stays a replica that waits for its master.
    await asker.call('REPLICAOF', '127.0.0.1', '1');
    await until('said', () => heard.states.some(({ message }) => /READONLY|UNBLOCKED/.test(message)), detectionMs);
    await until('down', () => heard.now() === 'down', detectionMs);
    await asker.call('REPLICAOF', 'NO', 'ONE');
    await add(10);
    await assertWhole();
    await until('up', () => heard.now() === 'up', 10_000);
  });

  it('starts without a server, and reads once there is one', async () => {
    await server.kill9();
    await started(server.url);
    assert.equal(heard.now(), 'down');
    await server.restart();
    await add(5);
    await assertWhole();
  });

  it('says little of it', async () => {
    await started(server.url);
    await until('up', () => heard.now() === 'up');
    await server.kill9();
    await until('down', () => heard.now() === 'down', detectionMs);
    const before = logger.lines.length;
    const fromMs = performance.now();
    await until('some retries', () => performance.now() - fromMs > 2_000);
    assert.ok(logger.lines.length - before < 6, logger.lines.slice(before).join('\n'));
    await server.restart();
  });
});
