import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { createStreamFeed } from '../../../src/adapters/redis/stream-feed';
import type { StreamFeedOptions } from '../../../src/adapters/redis/stream-options';
import { systemClock } from '../../../src/adapters/system/clock';
import { EngineError } from '../../../src/core/domain/errors';
import { limits } from '../../../src/core/domain/limits';
import type { StreamFeed } from '../../../src/live/ports';
import { seeded } from '../../faults/proxy';
import { type LogLines, logLines, otherClients, probe, watchRejections } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { type StreamRecorder, streamRecorder } from '../../helpers/stream-recorder';
import { until } from '../../helpers/until';

const key = 'strategy_engine:input';
const group = 'strategy_engine';
const rejected = 'strategy_engine:rejected';

describe('the stream feed', function () {
  this.timeout(30_000);
  let server: RedisServer;
  let asker: Redis;
  let logger: LogLines;
  const open: StreamFeed[] = [];
  const rejections = watchRejections();

  before(async () => {
    server = await startRedis();
    asker = probe(server.url);
  });
  beforeEach(async () => {
    logger = logLines();
    await asker.flushall();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((feed) => feed.close()));
    assert.deepEqual(rejections.escaped, []);
  });
  after(async () => {
    rejections.stop();
    asker.disconnect();
    await server.stop();
  });

  async function started(heard: StreamRecorder, more: Partial<StreamFeedOptions> = {}): Promise<StreamFeed> {
    const feed = createStreamFeed({ url: server.url, clock: systemClock, logger, random: seeded(7), ...more });
    open.push(feed);
    await feed.start(heard);
    return feed;
  }

  async function stop(feed: StreamFeed): Promise<void> {
    open.splice(open.indexOf(feed), 1);
    await feed.close();
  }

  /** Adds entries `<ms>-0`, one for each, with their number as text. */
  async function add(from: number, to: number, text = (n: number) => `n${n}`): Promise<void> {
    const pipeline = asker.pipeline();
    for (let n = from; n <= to; n++) pipeline.xadd(key, `${n}-0`, 'data', text(n));
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  }

  const pending = async (): Promise<number> => Number(((await asker.xpending(key, group)) as unknown[])[0]);
  const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}-0`);

  async function letters(): Promise<Record<string, string>[]> {
    const entries = await asker.xrange(rejected, '-', '+');
    return entries.map(([, flat]) => {
      const fields: Record<string, string> = {};
      for (let i = 0; i < flat.length; i += 2) fields[String(flat[i])] = String(flat[i + 1]);
      return fields;
    });
  }

  it('takes what is there and what comes, in order, and acknowledges it', async () => {
    await add(1, 2_500);
    const heard = streamRecorder();
    const feed = await started(heard);
    assert.equal(feed.name, 'stream:strategy_engine:input');
    await until('what is there', () => heard.taken.length === 2_500);
    await add(2_501, 2_600);
    await until('what comes', () => heard.taken.length === 2_600);
    assert.deepEqual(heard.ids(), ids(1, 2_600));
    assert.equal(heard.taken[41]?.text, 'n42');
    await until('all is acknowledged', async () => (await pending()) === 0);
    assert.deepEqual(heard.gaps, []);
    assert.equal(heard.now(), 'up');
  });

  it('reads a partition, and makes stream and group when there are none', async () => {
    const heard = streamRecorder();
    const feed = await started(heard, { stream: 'prices', partition: 3, group: 'mine' });
    assert.equal(feed.name, 'stream:prices:3');
    await until('the group', async () => ((await asker.xinfo('GROUPS', 'prices:3')) as unknown[]).length === 1);
    await asker.xadd('prices:3', '*', 'data', 'x');
    await until('it came', () => heard.taken.length === 1);
  });

  it('acknowledges nothing before it is stored', async () => {
    const heard = streamRecorder();
    heard.storedUpTo = '5-0';
    await started(heard);
    await add(1, 9);
    await until('taken', () => heard.taken.length === 9);
    await until('the stored part is acknowledged', async () => (await pending()) === 4);
    const open = (await asker.xpending(key, group, '-', '+', 10)) as [string][];
    assert.deepEqual(
      open.map(([id]) => id),
      ids(6, 9),
    );
    heard.storedUpTo = '9-0';
    await until('the rest', async () => (await pending()) === 0);
  });

  it('reads no further than so many entries that are not stored', async () => {
    const heard = streamRecorder();
    heard.storedUpTo = '0-0';
    await started(heard);
    await add(1, limits.streamUnacknowledged + 3_000);
    await until('the bound', () => heard.taken.length >= limits.streamUnacknowledged, 10_000);
    assert.ok(heard.taken.length < limits.streamUnacknowledged + limits.streamReadEntries);
    await until('it says so', () => /entries of .* wait to be stored/.test(heard.states.at(-1)?.message ?? ''));
    heard.storedUpTo = null;
    await until('all', () => heard.taken.length === limits.streamUnacknowledged + 3_000, 10_000);
    await until('up', () => heard.now() === 'up');
  });

  it('hands the same entries over again until they are taken, and says that they wait', async () => {
    const heard = streamRecorder();
    await started(heard);
    heard.refuseWith = new EngineError('ConnectionError', 'the tape takes nothing');
    await add(1, 3);
    await until('it says so', () => heard.now() === 'stale');
    assert.match(heard.states.at(-1)?.message ?? '', /entries of strategy_engine:input wait: the tape takes nothing/);
    assert.ok((await pending()) >= 1);
    heard.refuseWith = null;
    await until('taken', () => heard.taken.length === 3);
    await until('up', () => heard.now() === 'up');
    assert.deepEqual(heard.ids(), ids(1, 3));
  });

  it('a new reader goes on from its cursor: what was pending, what others were handed, then what is new', async () => {
    await add(1, 20);
    await asker.xgroup('CREATE', key, group, '0');
    for (const [consumer, count] of [
      ['strategy_engine', 6],
      ['dead', 5],
      ['strategy_engine', 4],
    ] as const) {
      await asker.xreadgroup('GROUP', group, consumer, 'COUNT', count, 'STREAMS', key, '>');
    }
    await asker.xack(key, group, '1-0', '2-0', '12-0');
    const heard = streamRecorder('4-0');
    await started(heard);
    await until('all', () => heard.taken.length === 16);
    assert.deepEqual(heard.ids(), ids(5, 20));
    await until('nothing is left over', async () => (await pending()) === 0);
    assert.deepEqual(heard.gaps, []);
  });

  it('a cold replacement reads all that is there, whatever was acknowledged', async () => {
    await add(1, 30);
    const first = await started(streamRecorder());
    await until('acknowledged', async () => Number(await asker.exists(key)) === 1 && (await pending()) === 0);
    await stop(first);
    const heard = streamRecorder();
    await started(heard);
    await until('all again', () => heard.taken.length === 30);
    assert.deepEqual(heard.ids(), ids(1, 30));
  });

  it('what another reader of the group is handed is taken all the same, in its place', async () => {
    const heard = streamRecorder();
    await started(heard);
    await until('it reads', () => heard.now() === 'up');
    for (let n = 1; n <= 60; n += 3) {
      // Both wait in a blocking read at times, and either may be handed the next ones.
      await add(n, n + 2);
      await asker.xreadgroup('GROUP', group, 'zombie', 'COUNT', 2, 'STREAMS', key, '>');
    }
    await until('all', () => heard.taken.length === 60);
    assert.deepEqual(heard.ids(), ids(1, 60));
    await until('nothing stays with the other', async () => (await pending()) === 0);
  });

  it('keeps what is no data as dead letters, once, with where it came from, and acknowledges it', async () => {
    await asker.xadd(key, '1-0', 'price', '42');
    await add(2, 3);
    await add(4, 4, () => `bad${'x'.repeat(5_000)}`);
    await asker.xadd(key, '5-0', 'data', 'bad again', 'attempts', '2');
    const heard = streamRecorder();
    await started(heard);
    await until('acknowledged', async () => (await letters()).length === 3 && (await pending()) === 0);
    const kept = await letters();
    assert.deepEqual(
      kept.map(({ data, source, cut, attempts }) => [data?.length, source, cut, attempts]),
      [
        [0, 'stream:strategy_engine:input', undefined, undefined],
        [limits.deadLetterChars, 'stream:strategy_engine:input', '1', undefined],
        [9, 'stream:strategy_engine:input', undefined, '2'],
      ],
    );
    assert.match(kept[0]?.at ?? '', /^20\d\d-/);
  });

  it('a dead letter of an entry that was taken and not acknowledged by a life before is kept once', async () => {
    await add(1, 3, (n) => (n === 2 ? 'bad' : 'good'));
    await asker.xgroup('CREATE', key, group, '0');
    await asker.xreadgroup('GROUP', group, 'dead', 'COUNT', 9, 'STREAMS', key, '>');
    const first = await started(streamRecorder('3-0'));
    await until('acknowledged', async () => (await pending()) === 0);
    await stop(first);
    await started(streamRecorder('1-0'));
    await until('nothing is pending', async () => (await pending()) === 0);
    assert.equal((await letters()).length, 1);
  });

  it('goes on when a dead letter cannot be kept, and counts it as dropped', async () => {
    await asker.set(rejected, 'not a stream');
    await add(1, 2, () => 'bad');
    await started(streamRecorder());
    await until('acknowledged', async () => Number(await asker.exists(key)) === 1 && (await pending()) === 0);
    await until('said', () => logger.lines.some((line) => line.includes('a dead letter could not be kept')));
    assert.equal(await asker.type(rejected), 'string');
  });

  it('follows without a group, and leads and follows as it is told, taking each entry once', async () => {
    await add(1, 10);
    const heard = streamRecorder('3-0');
    const feed = await started(heard, { mode: 'follow' });
    await until('followed', () => heard.taken.length === 7);
    await assert.rejects(asker.xpending(key, group), /NOGROUP/);
    await feed.lead();
    await add(11, 20);
    await until('led', () => heard.taken.length === 17);
    await until('acknowledged', async () => (await pending()) === 0);
    await feed.follow();
    assert.equal(feed.mode(), 'follow');
    await until('it follows', () => heard.states.at(-1)?.message.startsWith('following') === true);
    await add(21, 30);
    await until('followed again', () => heard.taken.length === 27);
    assert.deepEqual(heard.ids(), ids(4, 30));
    const [info] = (await asker.xinfo('GROUPS', key)) as unknown[][];
    const at = info?.indexOf('last-delivered-id') ?? -1;
    assert.equal(info?.[at + 1], '20-0', 'the group did not move');
  });

  it('told to follow and to lead at once, it leaves nothing unacknowledged', async () => {
    const heard = streamRecorder();
    const feed = await started(heard);
    for (let n = 1; n <= 50; n += 5) {
      await add(n, n + 4);
      await feed.follow();
      await feed.lead();
    }
    await until('all', () => heard.taken.length === 50);
    assert.deepEqual(heard.ids(), ids(1, 50));
    await until('all is acknowledged', async () => (await pending()) === 0);
  });

  it('frees its connections on close, also while it waits', async () => {
    const before = await otherClients(asker);
    const feed = await started(streamRecorder());
    const heard = streamRecorder();
    heard.refuseWith = new EngineError('ConnectionError', 'no');
    const stuck = await started(heard);
    await add(1, 1);
    await until('it waits', () => heard.now() === 'stale');
    const from = performance.now();
    await Promise.all([stop(feed), stop(stuck)]);
    assert.ok(performance.now() - from < 2_000);
    await until('all connections are gone', async () => (await otherClients(asker)) === before);
    assert.equal(heard.now(), 'closed');
  });
});
