import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { createRedisOutput, type RedisOutput, type RedisOutputOptions } from '../../../src/adapters/redis/output';
import { systemClock } from '../../../src/adapters/system/clock';
import { limits } from '../../../src/core/domain/limits';
import type { Signal } from '../../../src/core/domain/signal';
import { type FaultProxy, seeded, startProxy } from '../../faults/proxy';
import { type LogLines, logLines, otherClients, probe, recorder, watchRejections } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { signal, signals } from '../../helpers/redis-signals';
import { until } from '../../helpers/until';

const nothing = { published: 0, duplicates: 0, waiting: 0, dropped: 0 };

describe('the redis output', () => {
  let server: RedisServer;
  let asker: Redis;
  let proxy: FaultProxy;
  let logger: LogLines;
  const open: RedisOutput[] = [];
  const rejections = watchRejections();

  before(async () => {
    server = await startRedis();
    asker = probe(server.url);
    proxy = await startProxy(server.port, seeded(11));
  });
  beforeEach(async () => {
    proxy.set({ kind: 'pass' });
    logger = logLines();
    await asker.flushall();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((output) => output.close()));
    assert.deepEqual(rejections.escaped, []);
  });
  after(async () => {
    rejections.stop();
    asker.disconnect();
    await proxy.close();
    await server.stop();
  });

  async function started(url: string, override: Partial<RedisOutputOptions> = {}) {
    const heard = recorder();
    const output = createRedisOutput({
      url,
      engineName: 'test',
      clock: systemClock,
      logger,
      random: seeded(3),
      encode: ({ signalId, symbol }) => JSON.stringify({ signal_id: signalId, symbol }),
      ...override,
    });
    open.push(output);
    output.onState(heard.state);
    await output.start();
    return { output, heard };
  }

  async function streamIds(): Promise<string[]> {
    const entries = await asker.xrange('strategy_engine:signals', '-', '+');
    return entries.map(([, fields]) => String(fields[fields.indexOf('signal_id') + 1]));
  }

  it('puts each signal on the channel and on the stream, in order', async () => {
    const { output, heard } = await started(server.url);
    const listener = probe(server.url);
    const texts: string[] = [];
    listener.on('message', (_channel: string, text: string) => texts.push(text));
    await listener.subscribe('strategy_engine_output');
    const sent = signals(600);
    assert.deepEqual(await output.publish(sent), { ...nothing, published: 600 });
    await until('600 messages', () => texts.length === 600);
    const ids = sent.map(({ signalId }) => signalId);
    assert.deepEqual(
      texts.map((text) => JSON.parse(text).signal_id),
      ids,
    );
    assert.deepEqual(await streamIds(), ids);
    const [first] = await asker.xrange('strategy_engine:signals', '-', '+', 'COUNT', 1);
    assert.deepEqual(first?.[1], ['signal_id', 'sig_0', 'data', '{"signal_id":"sig_0","symbol":"BTCUSDT"}']);
    assert.equal(heard.now(), 'up');
    listener.disconnect();
  });

  it('publishes a known id never again, whoever sends it', async () => {
    const { output } = await started(server.url);
    const { output: other } = await started(server.url);
    assert.deepEqual(await output.publish(signals(3)), { ...nothing, published: 3 });
    assert.deepEqual(await other.publish(signals(5)), { ...nothing, published: 2, duplicates: 3 });
    assert.deepEqual(await output.publish([signal('sig_9'), signal('sig_9')]), {
      ...nothing,
      published: 1,
      duplicates: 1,
    });
    assert.equal((await streamIds()).length, 6);
  });

  it('bounds the memory of ids and the stream', async () => {
    const { output } = await started(server.url);
    await asker.eval(
      "for i = 1, tonumber(ARGV[1]) do redis.call('ZADD', KEYS[1], 1, 'old_' .. i) end",
      1,
      'strategy_engine:{test}:signal_ids',
      limits.signalIds,
    );
    await output.publish(signals(50));
    assert.equal(await asker.zcard('strategy_engine:{test}:signal_ids'), limits.signalIds);
    assert.deepEqual(await output.publish(signals(50)), { ...nothing, duplicates: 50 });
    for (let round = 0; round < 45; round += 1) await output.publish(signals(256, `round${round}`));
    const length = await asker.xlen('strategy_engine:signals');
    assert.ok(length >= limits.signalStreamEntries && length < limits.signalStreamEntries * 1.1, `${length}`);
  });

  it('delivers exactly once through a proxy that cuts replies', async () => {
    const { output } = await started(proxy.url);
    const listener = probe(server.url);
    const texts: string[] = [];
    listener.on('message', (_channel: string, text: string) => texts.push(text));
    await listener.subscribe('strategy_engine_output');
    proxy.set({ kind: 'cut-before-reply', p: 0.05 });
    const cutsBefore = proxy.cuts();
    const sent = signals(2_000).map((each) => ({ ...each, validUntilMs: each.timestampMs + 60_000 }));
    for (let index = 0; index < sent.length; index += 10) {
      const outcome = await output.publish(sent.slice(index, index + 10));
      assert.equal(outcome.dropped, 0);
      // Ten at a time, and never more than the queue holds.
      await until('room', () => output.counters().waiting < 500, 15_000);
    }
    await until('nothing waits', () => output.counters().waiting === 0, 15_000);
    assert.ok(proxy.cuts() > cutsBefore, 'replies were cut');
    const ids = sent.map(({ signalId }) => signalId);
    assert.deepEqual(await streamIds(), ids);
    await until('2,000 messages', () => texts.length === 2_000);
    assert.equal(new Set(texts).size, 2_000);
    assert.equal(output.counters().published, 2_000);
    listener.disconnect();
  });

  it('keeps signals through an outage within its bounds, settles every call, and sends what is still valid', async () => {
    const own = await startRedis();
    try {
      const { output, heard } = await started(own.url);
      await own.kill9();
      await until('down', () => heard.now() === 'down', 3_000);
      const memoryBefore = process.memoryUsage().rss;
      const outageMs = performance.now() + 5_000;
      let sent = 0;
      let slowestMs = 0;
      while (performance.now() < outageMs) {
        const batch = signals(100, `outage${sent}`);
        const calledMs = performance.now();
        await output.publish(batch);
        slowestMs = Math.max(slowestMs, performance.now() - calledMs);
        sent += batch.length;
        assert.ok(output.counters().waiting <= limits.signalsWaiting);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const grownMiB = (process.memoryUsage().rss - memoryBefore) / 1_048_576;
      await own.restart();
      await until('up', () => heard.now() === 'up', 5_500);
      await until('nothing waits', () => output.counters().waiting === 0);
      const counters = output.counters();
      assert.ok(slowestMs <= limits.storeMs + 100, `${slowestMs} ms`);
      assert.ok(grownMiB < 30, `${grownMiB} MiB`);
      assert.ok(counters.published > 0 && counters.published <= limits.signalsWaiting);
      assert.equal(counters.published + counters.shed + counters.stale, sent);
      const client = probe(own.url);
      assert.equal(await client.xlen('strategy_engine:signals'), counters.published);
      client.disconnect();
      assert.ok(logger.lines.length < 20, `${logger.lines.length} log lines`);
    } finally {
      await own.stop();
    }
  });

  it('drops a signal past its validity as stale, counted from when it was handed over', async () => {
    const { output, heard } = await started(proxy.url);
    proxy.set({ kind: 'reset' });
    await until('down', () => heard.now() === 'down', 3_000);
    const now = signal('brief').timestampMs;
    const outcome = await output.publish([
      signal('brief', { validUntilMs: now + 1 }),
      signal('long', { validUntilMs: now + 60_000 }),
    ]);
    assert.equal(outcome.published, 0);
    const handedMs = performance.now();
    await until('the brief one is too old', () => performance.now() > handedMs + 2);
    proxy.set({ kind: 'pass' });
    await until('nothing waits', () => output.counters().waiting === 0, 5_500);
    assert.deepEqual(await streamIds(), ['long']);
    assert.equal(output.counters().stale, 1);
  });

  it('settles within the deadline on a frozen server, says so within 3 s, and sends once after the thaw', async () => {
    const { output, heard } = await started(server.url);
    server.freeze();
    const calledMs = performance.now();
    try {
      const outcome = await output.publish([signal('frozen')]);
      assert.ok(performance.now() - calledMs <= limits.storeMs + 150);
      assert.deepEqual(outcome, { ...nothing, waiting: 1 });
      await until('not up', () => heard.now() === 'stale' || heard.now() === 'down', 3_000);
    } finally {
      server.thaw();
    }
    await until('nothing waits', () => output.counters().waiting === 0, 5_500);
    assert.deepEqual(await streamIds(), ['frozen']);
    assert.equal(output.counters().published, 1);
  });

  it('notices a frozen server within 3 s although nothing is published', async () => {
    const { heard } = await started(proxy.url);
    proxy.set({ kind: 'freeze' });
    await until('stale', () => heard.now() === 'stale', 3_000);
    await until('down', () => heard.now() === 'down', 1_500);
  });

  it('says that the channel refuses, while the stream goes on', async () => {
    await asker.acl('SETUSER', 'writer', 'on', '>planted-secret', '+@all', '~*', 'resetchannels');
    const { output, heard } = await started(server.url.replace('//', '//writer:planted-secret@'));
    assert.deepEqual(await output.publish(signals(2)), { ...nothing, published: 2 });
    assert.equal(heard.now(), 'stale');
    assert.match(heard.states.at(-1)?.message ?? '', /channel strategy_engine_output refuses/);
    assert.equal((await streamIds()).length, 2);
    assert.doesNotMatch(logger.lines.join('\n') + JSON.stringify(heard.states), /planted-secret/);
  });

  it('leaves nothing half done when the stream cannot be written', async () => {
    await asker.set('strategy_engine:signals', 'not a stream');
    const { output, heard } = await started(server.url);
    assert.deepEqual(await output.publish([signal('stuck')]), { ...nothing, waiting: 1 });
    assert.match(heard.states.at(-1)?.message ?? '', /signals wait: .*WRONGTYPE/);
    assert.equal(await asker.exists('strategy_engine:{test}:signal_ids'), 0);
    await asker.del('strategy_engine:signals');
    await until('nothing waits', () => output.counters().waiting === 0, 5_500);
    assert.deepEqual(await streamIds(), ['stuck']);
    assert.equal(heard.now(), 'up');
  });

  it('counts a signal that cannot be encoded and sends the others', async () => {
    const encode = ({ signalId }: Signal): string => {
      if (signalId === 'sig_1') throw new Error('no');
      return signalId;
    };
    const { output } = await started(server.url, { encode });
    assert.deepEqual(await output.publish(signals(3)), { ...nothing, published: 2, dropped: 1 });
    assert.equal(output.counters().unencodable, 1);
  });

  it('keeps a dead letter, cut at 4 KiB between two characters, with its reason and time', async () => {
    const { output } = await started(server.url);
    await output.reject({ text: `x${'€'.repeat(5_000)}`, reason: 'not JSON', atMs: 1_577_836_800_000 });
    const [entry] = await asker.xrange('strategy_engine:rejected', '-', '+');
    assert.deepEqual(entry?.[1], [
      'data',
      `x${'€'.repeat(1_365)}`,
      'reason',
      'not JSON',
      'at',
      '2020-01-01T00:00:00.000Z',
      'cut',
      '1',
    ]);
    for (let round = 0; round < 30; round += 1) {
      const letters = Array.from({ length: limits.rejectsInFlight }, (_, index) => `${round}.${index}`);
      await Promise.all(letters.map((text) => output.reject({ text, reason: 'r', atMs: 0 })));
    }
    const length = await asker.xlen('strategy_engine:rejected');
    assert.ok(length >= limits.rejectedStreamEntries && length < limits.rejectedStreamEntries + 200, `${length}`);
  });

  it('drops dead letters that have no room or no server, counted, without failing', async () => {
    const { output, heard } = await started(proxy.url);
    proxy.set({ kind: 'freeze' });
    const letter = { text: 't', reason: 'r', atMs: 0 };
    const over = 10;
    await Promise.all(Array.from({ length: limits.rejectsInFlight + over }, () => output.reject(letter)));
    await until('down', () => heard.now() === 'down', 3_000);
    await output.reject(letter);
    const { rejectsKept, rejectsDropped } = output.counters();
    assert.deepEqual([rejectsKept, rejectsDropped], [0, limits.rejectsInFlight + over + 1]);
  });

  it('sends what waits on close, frees its connection within 2 s and takes nothing more', async () => {
    const before = await otherClients(asker);
    for (let round = 0; round < 20; round += 1) {
      const { output } = await started(server.url);
      void output.publish(signals(10, `round${round}`));
      await output.close();
      await output.close();
      assert.deepEqual(await output.publish(signals(1, 'late')), { ...nothing, dropped: 1 });
    }
    assert.equal((await streamIds()).length, 200);
    await until('the connections are gone', async () => (await otherClients(asker)) === before, 2_000);
    const { output } = await started(proxy.url);
    proxy.set({ kind: 'freeze' });
    void output.publish(signals(10, 'frozen'));
    const closingMs = performance.now();
    await output.close();
    assert.ok(performance.now() - closingMs < 2_000);
    assert.equal(output.counters().waiting, 0);
  });
});
