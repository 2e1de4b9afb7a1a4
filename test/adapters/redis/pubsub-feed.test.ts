import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { createPubSubFeed } from '../../../src/adapters/redis/pubsub-feed';
import { systemClock } from '../../../src/adapters/system/clock';
import type { Feed } from '../../../src/live/ports';
import { subscriberCeiling } from '../../bench/subscriber-ceiling';
import { type FaultProxy, seeded, startProxy } from '../../faults/proxy';
import { type LogLines, logLines, otherClients, probe, recorder, watchRejections } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { until } from '../../helpers/until';

const detectionMs = 3_000;
const channel = 'strategy_engine_input';

describe('the pub/sub feed', () => {
  let server: RedisServer;
  let publisher: Redis;
  let proxy: FaultProxy;
  let logger: LogLines;
  const open: Feed[] = [];
  const rejections = watchRejections();

  before(async () => {
    server = await startRedis();
    publisher = probe(server.url);
    proxy = await startProxy(server.port);
  });
  beforeEach(() => {
    proxy.set({ kind: 'pass' });
    logger = logLines();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((feed) => feed.close()));
    assert.deepEqual(rejections.escaped, []);
  });
  after(async () => {
    rejections.stop();
    publisher.disconnect();
    await proxy.close();
    await server.stop();
  });

  function feedOf(url: string): Feed {
    const feed = createPubSubFeed({ url, clock: systemClock, logger, random: seeded(7) });
    open.push(feed);
    return feed;
  }

  async function started(url: string) {
    const heard = recorder();
    const feed = feedOf(url);
    await feed.start(heard);
    assert.equal(heard.now(), 'up');
    return { feed, heard };
  }

  /** Publishes until something arrives: the feed is alive again. */
  async function flows(heard: ReturnType<typeof recorder>): Promise<void> {
    const before = heard.texts.length;
    await until('messages flow', async () => {
      await publisher.publish(channel, 'alive').catch(() => 0);
      return heard.texts.length > before;
    });
  }

  it('hands over every message in order with its arrival', async () => {
    const { heard } = await started(server.url);
    for (let index = 0; index < 500; index += 1) void publisher.publish(channel, `{"n":${index}}`);
    await until('500 messages', () => heard.texts.length === 500);
    assert.deepEqual(
      heard.texts,
      Array.from({ length: 500 }, (_, index) => `{"n":${index}}`),
    );
    assert.deepEqual(
      heard.states.map(({ state }) => state),
      ['connecting', 'up'],
    );
    assert.deepEqual(heard.gaps, []);
  });

  it('survives a listener that throws', async () => {
    const heard = recorder();
    await feedOf(server.url).start({
      ...heard,
      message: (text) => {
        heard.texts.push(text);
        throw new Error('listener');
      },
    });
    await publisher.publish(channel, 'one');
    await publisher.publish(channel, 'two');
    await until('both messages', () => heard.texts.length === 2);
  });

  it('reports a gap for each killed connection and subscribes again', async () => {
    const { heard } = await started(server.url);
    for (let kill = 1; kill <= 3; kill += 1) {
      const beforeMs = Date.now();
      await publisher.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until('a gap', () => heard.gaps.length === kill);
      await flows(heard);
      const gap = heard.gaps.at(-1);
      assert.ok(gap !== undefined);
      assert.equal(gap.source, 'redis:strategy_engine_input');
      assert.equal(gap.lost, null);
      assert.match(gap.reason, /no connection to 127\.0\.0\.1/);
      assert.ok(gap.fromMs <= beforeMs, 'it starts before the cut');
      assert.ok(gap.toMs >= beforeMs && gap.toMs <= Date.now(), 'it ends with the subscription');
    }
  });

  it('notices a frozen server within 3 s and a thawed one by itself', async () => {
    const { heard } = await started(server.url);
    const frozenMs = performance.now();
    const frozenAtMs = Date.now();
    server.freeze();
    try {
      await until('stale', () => heard.states.some(({ state }) => state === 'stale'), detectionMs);
      await until('down', () => heard.now() === 'down', detectionMs - (performance.now() - frozenMs));
    } finally {
      server.thaw();
    }
    await until('up', () => heard.now() === 'up', 5_500);
    await flows(heard);
    assert.equal(heard.gaps.length, 1);
    assert.ok((heard.gaps[0]?.fromMs ?? 0) <= frozenAtMs);
  });

  it('notices a half-open connection, where nobody says goodbye, within 3 s', async () => {
    const { heard } = await started(proxy.url);
    const frozenMs = performance.now();
    proxy.set({ kind: 'freeze' });
    await publisher.publish(channel, 'never arrives');
    await until('down', () => heard.now() === 'down', detectionMs);
    assert.ok(performance.now() - frozenMs <= detectionMs);
    proxy.set({ kind: 'pass' });
    await until('up', () => heard.now() === 'up', 5_500);
    await flows(heard);
    assert.equal(heard.gaps.length, 1);
    assert.ok(!heard.texts.includes('never arrives'));
  });

  it('shows a server that is slow for a moment as stale, and reports no gap for it', async () => {
    const { heard } = await started(proxy.url);
    proxy.set({ kind: 'freeze' });
    await until('stale', () => heard.now() === 'stale', detectionMs);
    proxy.set({ kind: 'pass' });
    await until('up', () => heard.now() === 'up', detectionMs);
    assert.deepEqual(heard.gaps, []);
  });

  it('notices a killed server at once and a restarted one by itself', async () => {
    const own = await startRedis();
    try {
      const { heard } = await started(own.url);
      const killedMs = performance.now();
      await own.kill9();
      await until('down', () => heard.now() === 'down', detectionMs - (performance.now() - killedMs));
      await own.restart();
      await until('up', () => heard.now() === 'up', 5_500);
      assert.equal(heard.gaps.length, 1);
    } finally {
      await own.stop();
    }
  });

  it('starts while there is no server, says so, and reports the gap when one comes', async () => {
    const own = await startRedis();
    await own.kill9();
    try {
      const heard = recorder();
      await feedOf(own.url).start(heard);
      assert.equal(heard.now(), 'down');
      await own.restart();
      await until('up', () => heard.now() === 'up', 5_500);
      assert.equal(heard.gaps.length, 1);
    } finally {
      await own.stop();
    }
  });

  it('subscribes again although the connection dies again and again while it does', async () => {
    const { heard } = await started(proxy.url);
    proxy.set({ kind: 'cut-before-reply', p: 0.4 });
    const before = proxy.cuts();
    await until('4 cuts', () => proxy.cuts() >= before + 4, 15_000);
    proxy.set({ kind: 'pass' });
    await until('up', () => heard.now() === 'up', 5_500);
    await flows(heard);
    assert.ok(heard.gaps.length >= 1);
  });

  it('subscribes again when the connection goes silent just after it came back', async () => {
    const { heard } = await started(proxy.url);
    const { info } = logger;
    let isArmed = true;
    logger.info = (message, fields) => {
      info(message, fields);
      // Said just before the subscription is sent, whose answer then never comes.
      if (isArmed && message.includes('connected to')) {
        isArmed = false;
        proxy.set({ kind: 'freeze' });
      }
    };
    proxy.set({ kind: 'reset' });
    await until('down', () => heard.now() === 'down');
    proxy.set({ kind: 'pass' });
    await until('frozen while subscribing', () => !isArmed, 5_500);
    await until('silence noticed', () => logger.lines.some((line) => line.includes('PING')), detectionMs);
    proxy.set({ kind: 'reset' });
    proxy.set({ kind: 'pass' });
    await until('up', () => heard.now() === 'up', 5_500);
    await flows(heard);
    assert.equal(heard.gaps.length, 1);
  });

  it('says why a refused subscription is refused, and subscribes once it is allowed', async () => {
    await publisher.acl('SETUSER', 'reader', 'on', '>planted-secret', '+@all', '~*', 'resetchannels');
    const url = server.url.replace('//', '//reader:planted-secret@');
    const heard = recorder();
    await feedOf(url).start(heard);
    assert.equal(heard.now(), 'down');
    assert.match(heard.states.at(-1)?.message ?? '', /cannot be subscribed.*NOPERM/);
    await publisher.acl('SETUSER', 'reader', 'allchannels');
    await until('up', () => heard.now() === 'up', 5_500);
  });

  it('never shows a password', async () => {
    const heard = recorder();
    await feedOf(server.url.replace('//', '//nobody:planted-secret@')).start(heard);
    assert.equal(heard.now(), 'down');
    const shown = [...logger.lines, ...heard.states.map(({ message }) => message)].join('\n');
    assert.match(shown, /WRONGPASS/);
    assert.doesNotMatch(shown, /planted-secret/);
  });

  it('frees its connection within 2 s on close, also while the peer says nothing, and leaves nothing behind', async () => {
    const before = await otherClients(publisher);
    for (let round = 0; round < 20; round += 1) {
      const { feed } = await started(server.url);
      await feed.close();
      await feed.close();
    }
    await until('the connections are gone', async () => (await otherClients(publisher)) === before, 2_000);
    const { feed, heard } = await started(proxy.url);
    proxy.set({ kind: 'freeze' });
    const closingMs = performance.now();
    await feed.close();
    assert.ok(performance.now() - closingMs < 2_000);
    assert.equal(heard.now(), 'closed');
    proxy.set({ kind: 'pass' });
    await until('the connection is gone', async () => (await otherClients(publisher)) === before, 2_000);
  });

  it('reports the gap when Redis cuts a subscriber that is too slow', async () => {
    await publisher.config('SET', 'client-output-buffer-limit', 'pubsub 64kb 32kb 1');
    const overrun = await subscriberCeiling(server.url, server.port, 300_000);
    assert.ok(overrun.isCut && overrun.received < overrun.published, `${overrun.received} received`);
  });

  it('takes at least 20,000 ticks a second from a publisher of its own process, and loses none', async () => {
    await publisher.config('SET', 'client-output-buffer-limit', 'pubsub 0 0 0');
    const ceiling = await subscriberCeiling(server.url, server.port, 200_000);
    console.log(`      subscribe and count: ${ceiling.ticksPerS} ticks/s`);
    assert.equal(ceiling.received, ceiling.published);
    assert.ok(ceiling.ticksPerS > 20_000);
  });
});
