/** What is missing, what is behind, what may go: streams that are trimmed, begun anew and fallen behind on. */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { createStreamFeed } from '../../../src/adapters/redis/stream-feed';
import type { StreamFeedOptions } from '../../../src/adapters/redis/stream-options';
import { StreamRanks } from '../../../src/adapters/redis/stream-ranks';
import { systemClock } from '../../../src/adapters/system/clock';
import { EngineError } from '../../../src/core/domain/errors';
import type { StreamFeed } from '../../../src/live/ports';
import { seeded } from '../../faults/proxy';
import { logLines, probe } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { type StreamRecorder, streamRecorder } from '../../helpers/stream-recorder';
import { until } from '../../helpers/until';

const key = 'strategy_engine:input';
const group = 'strategy_engine';

describe('the upkeep of a stream', () => {
  let server: RedisServer;
  let asker: Redis;
  const open: StreamFeed[] = [];

  before(async () => {
    server = await startRedis({ args: ['--stream-node-max-entries', '10'] });
    asker = probe(server.url);
  });
  beforeEach(() => asker.flushall());
  afterEach(async () => {
    await Promise.all(open.splice(0).map((feed) => feed.close()));
  });
  after(async () => {
    asker.disconnect();
    await server.stop();
  });

  async function started(heard: StreamRecorder, more: Partial<StreamFeedOptions> = {}): Promise<StreamFeed> {
    const edges = { clock: systemClock, logger: logLines(), random: seeded(7) };
    const feed = createStreamFeed({ url: server.url, ...edges, ...more });
    open.push(feed);
    await feed.start(heard);
    return feed;
  }

  async function stop(feed: StreamFeed): Promise<void> {
    open.splice(open.indexOf(feed), 1);
    await feed.close();
  }

  async function add(from: number, to: number): Promise<void> {
    const pipeline = asker.pipeline();
    for (let n = from; n <= to; n++) pipeline.xadd(key, `${n}-0`, 'data', `n${n}`);
    await pipeline.exec();
  }

  /** Reads 1 to 50 in an earlier life, and answers its cursor. */
  async function earlierLife(): Promise<string> {
    await add(1, 50);
    const heard = streamRecorder();
    const feed = await started(heard);
    await until('read', () => heard.taken.length === 50);
    await until('acknowledged', async () => Number(((await asker.xpending(key, group)) as unknown[])[0]) === 0);
    await stop(feed);
    return heard.cursor();
  }

  it('entries that were trimmed away while nobody read are a gap with their count', async () => {
    const heard = streamRecorder(await earlierLife());
    await add(51, 80);
    await asker.xtrim(key, 'MINID', '71-0');
    await started(heard);
    await until('the rest', () => heard.taken.length === 10);
    assert.deepEqual(
      heard.gaps.map(({ source, fromMs, toMs, lost }) => ({ source, fromMs, toMs, lost })),
      [{ source: 'stream:strategy_engine:input', fromMs: 50, toMs: 71, lost: 20 }],
    );
    assert.match(heard.gaps[0]?.reason ?? '', /trimmed/);
    await until('no lag', () => heard.lags.at(-1)?.entries === 0);
  });

  it('a second gap is counted by itself, also when the reader runs', async () => {
    const heard = streamRecorder(await earlierLife());
    await add(51, 60);
    await asker.xtrim(key, 'MINID', '56-0');
    await started(heard);
    await until('the rest', () => heard.taken.length === 5);
    heard.refuseWith = new EngineError('ConnectionError', 'busy');
    await add(61, 61);
    await until('it waits', () => heard.now() === 'stale');
    await add(62, 100);
    await asker.xtrim(key, 'MINID', '91-0');
    heard.refuseWith = null;
    await until('the last', () => heard.ids().at(-1) === '100-0');
    await until('both gaps', () => heard.gaps.length === 2);
    assert.deepEqual(
      heard.gaps.map(({ lost }) => lost),
      [5, 29],
    );
  });

  it('nothing is missing when what was trimmed had been read', async () => {
    const heard = streamRecorder(await earlierLife());
    await asker.xtrim(key, 'MAXLEN', 0);
    await add(51, 60);
    await started(heard);
    await until('the rest', () => heard.taken.length === 10);
    assert.deepEqual(heard.gaps, []);
  });

  it('a cursor that the group has left behind finds what is gone, without a count', async () => {
    await earlierLife();
    await asker.xtrim(key, 'MINID', '31-0');
    const heard = streamRecorder('10-0');
    await started(heard);
    await until('the rest', () => heard.taken.length === 20);
    assert.deepEqual(
      heard.gaps.map(({ lost }) => lost),
      [null],
    );
  });

  it('a follower tells of what it missed, too', async () => {
    const heard = streamRecorder(await earlierLife());
    await started(heard, { mode: 'follow' });
    await until('it follows', () => heard.now() === 'up');
    heard.refuseWith = new EngineError('ConnectionError', 'busy');
    await add(51, 51);
    await until('it waits', () => heard.now() === 'stale');
    await add(52, 70);
    await asker.xtrim(key, 'MINID', '61-0');
    heard.refuseWith = null;
    await until('the rest', () => heard.ids().at(-1) === '70-0');
    await until('the gap', () => heard.gaps.length === 1);
    assert.equal(heard.gaps[0]?.lost, 9);
  });

  it('a stream that was deleted is made again, and what comes then is taken', async () => {
    const heard = streamRecorder();
    await started(heard);
    await add(1, 10);
    await until('read', () => heard.taken.length === 10);
    await asker.del(key);
    await add(11, 20);
    await until('read on', () => heard.taken.length === 20);
    assert.deepEqual(
      heard.ids(),
      Array.from({ length: 20 }, (_, i) => `${i + 1}-0`),
    );
    await until('a gap', () => heard.gaps.length === 1);
    assert.match(heard.gaps[0]?.reason ?? '', /began anew/);
  });

  it('measures how far behind it is in entries, in time, and in what is not acknowledged', async () => {
    const heard = streamRecorder();
    heard.storedUpTo = '0-0';
    const feed = await started(heard);
    const [seconds] = (await asker.time()).map(Number);
    const fromMs = Number(seconds) * 1_000 - 60_000;
    await add(fromMs, fromMs + 4);
    await until('five wait to be acknowledged', () => feed.lag()?.pending === 5);
    assert.deepEqual([feed.lag()?.entries, feed.lag()?.ageMs], [0, 0]);
    heard.refuseWith = new EngineError('ConnectionError', 'busy');
    await add(fromMs + 5, fromMs + 24);
    await until('twenty are behind', () => feed.lag()?.entries === 20);
    const ageMs = feed.lag()?.ageMs ?? 0;
    assert.ok(ageMs >= 58_000 && ageMs < 90_000, String(ageMs));
  });

  it('trims what was acknowledged and leaves as many entries as it is told', async () => {
    await add(1, 300);
    const heard = streamRecorder();
    const feed = await started(heard);
    await until('read', () => heard.taken.length === 300);
    await until('acknowledged', async () => Number(((await asker.xpending(key, group)) as unknown[])[0]) === 0);
    await stop(feed);
    const again = streamRecorder('300-0');
    await started(again, { keepEntries: 100 });
    await until('trimmed', async () => (await asker.xlen(key)) < 300);
    const left = await asker.xlen(key);
    assert.ok(left >= 100 && left <= 120, String(left));
    assert.deepEqual(again.gaps, []);
  });
});

describe('the ranks of a stream', () => {
  const stream = (firstId: string, lastId: string, length: number, added: number | null = 1_000) => ({
    firstId,
    lastId,
    length,
    added,
  });

  it('leave what is not acknowledged, and as many entries as they are told', () => {
    const ranks = new StreamRanks();
    ranks.rank = 400;
    assert.equal(ranks.check('400-0', stream('101-0', '1000-0', 900), null), null);
    ranks.moved(500);
    assert.equal(ranks.check('900-0', stream('101-0', '1000-0', 900), null), null);
    const drop = (open: number, keep: number) => ranks.droppable(stream('101-0', '1000-0', 900), open, keep);
    assert.equal(drop(0, 300), 600, 'the bound');
    assert.equal(drop(0, 0), 800, 'what was read');
    assert.equal(drop(50, 0), 750, 'less what is not acknowledged');
    assert.equal(ranks.droppable(stream('101-0', '1000-0', 900, null), 0, 0), 0, 'a server that does not count');
  });

  it('tell how many were trimmed away unread', () => {
    const ranks = new StreamRanks();
    ranks.rank = 10_000;
    assert.deepEqual(ranks.check('10000-0', stream('15000-0', '20000-0', 5_001, 20_000), null), {
      lost: 4_999,
      reason: 'entries were trimmed before they were read',
      toId: '15000-0',
    });
  });
});
