import assert from 'node:assert/strict';
import { partitionOf, partitionStream } from '../../../src/adapters/redis/partition';
import {
  createStreamWriter,
  type StreamWriter,
  type StreamWriterOptions,
} from '../../../src/adapters/redis/stream-writer';
import { systemClock } from '../../../src/adapters/system/clock';
import { limits } from '../../../src/core/domain/limits';
import { seeded } from '../../faults/proxy';
import { type RedisCluster, startRedisCluster } from '../../helpers/redis-cluster';
import { logLines, probe } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { until } from '../../helpers/until';

const slackMs = 1_000;
const ticks = (count: number) => Array.from({ length: count }, (_, i) => ({ symbol: `s${i % 20}`, price: 1 + i }));

describe('a partition', () => {
  it('is the CRC-32 of the upper-cased symbol, as zlib of Python has it, modulo their number', () => {
    const counts = [1, 2, 3, 7, 256];
    const expected: Readonly<Record<string, readonly number[]>> = {
      BTCUSDT: [0, 1, 0, 1, 195],
      ethusdt: [0, 0, 0, 6, 92],
      AAPL: [0, 0, 0, 5, 92],
      'EUR/USD': [0, 0, 2, 1, 98],
      '^GSPC': [0, 0, 1, 3, 164],
      'SIM:ABC': [0, 1, 2, 0, 151],
    };
    for (const [symbol, partitions] of Object.entries(expected)) {
      assert.deepEqual(
        counts.map((count) => partitionOf(symbol, count)),
        partitions,
        symbol,
      );
      assert.equal(partitionOf(symbol.toLowerCase(), 256), partitionOf(symbol, 256));
    }
  });

  it('is one of at least one and at most 256', () => {
    for (const count of [0, -1, 1.5, Number.NaN, limits.partitions + 1]) {
      assert.throws(() => partitionOf('A', count), { code: 'ValueError' });
    }
    assert.equal(partitionOf('A', limits.partitions) < limits.partitions, true);
  });
});

describe('a writer of input streams', function () {
  this.timeout(90_000);
  let server: RedisServer;
  let cluster: RedisCluster;
  const writers: StreamWriter[] = [];

  before(async () => {
    [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
  });
  afterEach(async () => {
    await Promise.all(writers.splice(0).map((writer) => writer.close()));
  });
  after(async () => {
    await Promise.all([server?.stop(), cluster?.stop()]);
  });

  async function writer(url: string, more: Partial<StreamWriterOptions> = {}): Promise<StreamWriter> {
    const made = createStreamWriter({ url, clock: systemClock, logger: logLines(), random: seeded(1), ...more });
    writers.push(made);
    await made.start();
    return made;
  }

  it('puts each tick into the stream of its partition, in order, wherever in a cluster that lies', async () => {
    const stream = 'spread';
    const made = await writer(cluster.url, { stream, partitions: 7 });
    const sent = ticks(400);
    for (let i = 0; i < sent.length; i += 40) {
      assert.deepEqual(await made.write(sent.slice(i, i + 40)), { written: 40, unwritten: [] });
    }
    let seen = 0;
    for (let partition = 0; partition < 7; partition++) {
      const key = partitionStream(stream, partition);
      const entries = await cluster.probeOf(key).xrange(key, '-', '+');
      const found = entries.flatMap(([, [field, text]]) => {
        assert.equal(field, 'data');
        return [JSON.parse(String(text))].flat();
      });
      assert.deepEqual(
        found,
        sent.filter(({ symbol }) => partitionOf(symbol, 7) === partition),
      );
      seen += found.length;
    }
    assert.equal(seen, sent.length);
  });

  it('takes every form of a message, keeps its envelope, and writes one stream without partitions', async () => {
    const made = await writer(server.url, { stream: 'forms' });
    const tick = { symbol: 'A', price: 1 };
    const envelope = { market_data: [tick, tick], asset_types: ['stocks'], note: 'kept' };
    const forms = [tick, [tick, tick], envelope, JSON.stringify({ market_data: tick })];
    for (const form of forms) await made.write(form);
    const client = probe(server.url);
    const entries = await client.xrange('forms', '-', '+');
    client.disconnect();
    assert.deepEqual(
      entries.map(([, [, text]]) => JSON.parse(String(text))),
      [tick, [tick, tick], envelope, { market_data: tick }],
    );
  });

  it('refuses what is no message, and puts what has no symbol where it is kept as a dead letter', async () => {
    const made = await writer(server.url, { stream: 'odd', partitions: 3 });
    for (const form of [null, 'text', [], [1], { market_data: null }, '{', { market_data: [] }]) {
      await assert.rejects(made.write(form), { name: /ValueError|JSONDecodeError/ });
    }
    await assert.rejects(made.write(ticks(limits.ticksPerRequest + 1)), { name: 'PayloadTooLargeError' });
    assert.deepEqual(await made.write({ price: 1 }), { written: 1, unwritten: [] });
    const client = probe(server.url);
    assert.equal(await client.xlen('odd:0'), 1);
    client.disconnect();
  });

  it('keeps about as many entries as it is told to', async () => {
    const made = await writer(server.url, { stream: 'bounded', keepEntries: 500 });
    for (let i = 0; i < 20; i++) await Promise.all(ticks(100).map((tick) => made.write(tick)));
    const client = probe(server.url);
    const length = await client.xlen('bounded');
    client.disconnect();
    assert.ok(length >= 500 && length <= 700, `${length} entries`);
  });

  it('hands back in time what was not confirmed, beside what was, and refuses more than its bound at once', async () => {
    const partitions = 3;
    const made = await writer(cluster.url, { stream: 'apart', partitions });
    const frozen = cluster.ownerOf('apart:0');
    const lost = [0, 1, 2].filter((partition) => cluster.ownerOf(`apart:${partition}`) === frozen);
    const sent = ticks(60);
    frozen.freeze();
    try {
      const atMs = performance.now();
      const { written, unwritten } = await made.write({ market_data: sent });
      assert.ok(performance.now() - atMs <= limits.storeMs + slackMs);
      assert.deepEqual(
        unwritten.map(({ stream }) => stream).sort(),
        lost.map((partition) => `apart:${partition}`),
      );
      assert.ok(unwritten.every(({ error }) => error.code === 'TimeoutError'));
      const back = unwritten.flatMap(({ message }) => (message as { market_data: unknown[] }).market_data);
      assert.equal(written + back.length, sent.length);
      const crowd = await Promise.all(Array.from({ length: limits.streamWrites + 10 }, () => made.write(sent)));
      assert.ok(crowd.some((one) => one.unwritten.some(({ error }) => /too many writes/.test(error.message))));
    } finally {
      frozen.thaw();
    }
    await until('it writes again', async () => (await made.write(sent)).unwritten.length === 0, 30_000);
  });
});
