/** An engine at work whose log in Redis went on without events that it has folded: what happens while it begins anew. */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { createMetrics } from '../../../src/adapters/http/metrics';
import { createMemoryLog } from '../../../src/adapters/memory/event-log';
import { createMemorySnapshots } from '../../../src/adapters/memory/snapshots';
import { createMemoryTape } from '../../../src/adapters/memory/tape';
import { keysOf } from '../../../src/adapters/redis/keys';
import { codedEvent, LogCommands } from '../../../src/adapters/redis/log-commands';
import { openRedisStore, type RedisStore } from '../../../src/adapters/redis/store';
import { createStreamFeed } from '../../../src/adapters/redis/stream-feed';
import { systemClock } from '../../../src/adapters/system/clock';
import type { LogEvent } from '../../../src/core/domain/log-event';
import { openLive } from '../../../src/live/engine';
import type { Engine } from '../../../src/live/engine-api';
import type { EngineDeps } from '../../../src/live/engine-deps';
import type { EventLog, LogReader, Snapshots } from '../../../src/live/ports';
import { batchesOf } from '../../../src/live/stream-batches';
import { attachStream } from '../../../src/live/stream-input';
import { parseMarketText } from '../../../src/wire/market-data';
import { executionEvent } from '../../contract/event-log.contract';
import { seeded } from '../../faults/proxy';
import { startMs } from '../../helpers/core';
import { definitions, obedientOn } from '../../helpers/living';
import { bareConnection, probe } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { recordingLogger } from '../../helpers/temporary';
import { until } from '../../helpers/until';

const engineName = 'fork';
const keys = keysOf(engineName);
const waitMs = 8_000;

describe('an engine that begins anew', function () {
  this.timeout(30_000);
  let redis: RedisServer;
  let asker: Redis;
  const closing: (() => Promise<void>)[] = [];

  before(async () => {
    redis = await startRedis();
    asker = probe(redis.url);
  });
  after(async () => {
    asker.disconnect();
    await redis.stop();
  });
  beforeEach(() => asker.flushall());
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function openStore(): Promise<RedisStore> {
    const edges = { clock: systemClock, logger: recordingLogger(), random: seeded(1) };
    const store = await openRedisStore({ url: redis.url, engineName, ...edges });
    closing.push(() => store.close());
    return store;
  }
  async function openOn(deps: Pick<EngineDeps, 'log' | 'snapshots'> & Partial<EngineDeps>): Promise<Engine> {
    const engine = await openLive({
      name: engineName,
      core: { definitions, capital: 100_000 },
      tape: createMemoryTape(),
      tapeId: 'a',
      outputs: [],
      clock: systemClock,
      logger: recordingLogger(),
      metrics: createMetrics(),
      parse: (text, origin) => parseMarketText(text, { ...origin, door: 'live' }),
      closing: [],
      ...deps,
    });
    closing.push(() => engine.close());
    return engine;
  }
  const openEngine = (store: RedisStore, more: Partial<EngineDeps> = {}) =>
    openOn({ log: store.log, snapshots: store.snapshots, lease: store.lease, ...more });

  /** Redis has nothing of it, and another process writes in its place. */
  async function replaceLog(count: number): Promise<void> {
    await asker.del(keys.log, keys.ids, keys.versions, keys.sets, keys.chunks);
    const commands = new LogCommands(bareConnection(asker), keys);
    const none = { seq: 0, seal: '' };
    for (let i = 0; i < count; i++) await commands.append([codedEvent(executionEvent(`other ${i}`))], none);
  }
  /** A log of which the maker of the new state reads only when the gate is opened. */
  function gated(log: EventLog) {
    let open = () => {};
    let isReached = false;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const late: EventLog = {
      append: (events) => log.append(events),
      read: (afterSeq, limit) => log.read(afterSeq, limit),
      lastSeq: () => log.lastSeq(),
      durability: () => log.durability(),
      isShared: true,
      close: () => log.close(),
      ...(log.onState === undefined ? {} : { onState: log.onState }),
      onForked(makeAnew) {
        const onRead = (reader: LogReader): LogReader => ({
          lastSeq: () => reader.lastSeq(),
          async read(afterSeq: number, limit: number): Promise<readonly LogEvent[]> {
            const page = await reader.read(afterSeq, limit);
            isReached = true;
            await gate;
            return page;
          },
        });
        log.onForked?.((reader) => makeAnew(onRead(reader)));
      },
    };
    return { late, open: () => open(), isReached: () => isReached };
  }
  const isUp = (engine: Engine) =>
    engine.alerts().some(({ code }) => code === 'store_lost') &&
    engine.summary().components.get('store')?.health === 'up';
  const ids = (engine: Engine) => engine.strategies().strategies.map(({ strategyId }) => strategyId);

  it('writes no snapshot of what it was, whoever asks for one meanwhile, and a whole one of what it is', async () => {
    const store = await openStore();
    const { late, open, isReached } = gated(store.log);
    const engine = await openEngine(store, { log: late });
    await until('it leads', () => engine.role() === 'leader', waitMs);
    for (const id of ['one', 'gone']) await engine.register(obedientOn(id));
    await engine.snapshot();
    await replaceLog(10);
    await until('it has begun', isReached, waitMs);
    await assert.rejects(engine.snapshot(), /is being made anew/);
    open();
    await until('it is up', () => isUp(engine), waitMs);
    assert.deepEqual(ids(engine), []);
    await engine.register(obedientOn('later'));
    await engine.snapshot();
    const next = await openEngine(await openStore());
    assert.deepEqual(ids(next), ['later']);
  });

  it('refuses what is asked of its log until it is the log that it knows, so that nothing is built on what is gone', async () => {
    const store = await openStore();
    const { late, open, isReached } = gated(store.log);
    const engine = await openEngine(store, { log: late });
    await engine.register(obedientOn('gone'));
    await engine.freeze(true, 'lost');
    await replaceLog(1);
    await until('it has begun', isReached, waitMs);
    const executionResult = { executionId: 'x', pnl: 1, success: true, executionTimeMs: 1 };
    const asked = [
      engine.freeze(true, 'in between'),
      engine.track({ strategyId: 'gone', executionResult }),
      engine.update('gone', { state: 'paused' }),
    ];
    open();
    for (const outcome of await Promise.allSettled(asked)) assert.equal(outcome.status, 'rejected');
    await until('it is up', () => isUp(engine), waitMs);
    assert.equal(await asker.xlen(keys.log), 1);
    await engine.freeze(true, 'afterwards');
    assert.equal(await asker.xlen(keys.log), 2);
  });

  it('keeps a type that is defined meanwhile', async () => {
    const store = await openStore();
    const { late, open, isReached } = gated(store.log);
    const engine = await openEngine(store, { log: late });
    await engine.register(obedientOn('one'));
    await replaceLog(2);
    await until('it has begun', isReached, waitMs);
    const [own] = definitions;
    assert.ok(own);
    engine.define({ ...own, type: 'mine' });
    open();
    await until('it is up', () => isUp(engine), waitMs);
    assert.ok(engine.types().types.some(({ type }) => type === 'mine'));
    await engine.register({ strategyType: 'mine', strategyId: 'of_mine' });
  });

  it("takes a stream up where another process's snapshot ends: no entry is left out, though all were acknowledged", async () => {
    const stream = 'ticks';
    const entryAt = (i: number) => {
      const at = startMs + i * 1_000;
      const tick = { symbol: 'AAA', price: 100 + i, volume: 1, timestamp: new Date(at).toISOString() };
      return { id: `${at}-0`, text: JSON.stringify(tick), attempts: 1 };
    };
    const parse = (text: string, origin: { readonly source: string; readonly arrivalMs: number }) =>
      parseMarketText(text, { ...origin, door: 'ordered' });
    const put = async (...places: number[]) => {
      for (const { id, text } of places.map(entryAt)) await asker.xadd(stream, id, 'data', text);
    };
    const theirs = createMemorySnapshots();
    const other = await openOn({ log: createMemoryLog(), snapshots: theirs, tapeId: 'b' });
    for (const { input } of batchesOf([1, 2, 3].map(entryAt), `stream:${stream}`, '', parse))
      await other.processMarketData(input);
    await other.snapshot();
    const store = await openStore();
    let isForeign = false;
    const snapshots: Snapshots = {
      load: () => (isForeign ? theirs : store.snapshots).load(),
      save: (...set) => store.snapshots.save(...set),
      close: () => store.snapshots.close(),
    };
    const engine = await openEngine(store, { snapshots });
    await engine.register(obedientOn('one'));
    await until('it leads', () => engine.role() === 'leader', waitMs);
    const edges = { clock: systemClock, logger: recordingLogger(), random: seeded(2) };
    const feed = createStreamFeed({ url: redis.url, stream, consumer: 'a', ...edges });
    closing.push(await attachStream({ engine, feed, parse, logger: recordingLogger() }));
    await put(1, 2, 3, 4, 5, 6);
    await until('all are taken', () => engine.summary().throughput.ticksTotal === 6, waitMs);
    isForeign = true;
    await replaceLog(5);
    await until('it is up', () => isUp(engine), waitMs);
    await put(7, 8);
    await until('all are taken', () => engine.feedEntry(feed.name) === entryAt(8).id, waitMs);
    assert.equal(engine.summary().throughput.ticksTotal, 8);
  });
});
