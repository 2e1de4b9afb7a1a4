import assert from 'node:assert/strict';
import { type Connections, createConnections } from '../../../src/adapters/redis/connections';
import { partitionOf } from '../../../src/adapters/redis/partition';
import { StreamSplit } from '../../../src/adapters/redis/repartition-streams';
import { systemClock } from '../../../src/adapters/system/clock';
import { seeded } from '../../faults/proxy';
import { type RedisCluster, startRedisCluster } from '../../helpers/redis-cluster';
import { logLines } from '../../helpers/redis-probe';

const symbols = Array.from({ length: 30 }, (_, i) => `SYM${i}`);

interface Item {
  readonly symbol: string;
  readonly price: number;
}

/** Only the order within a symbol is promised. */
const bySymbol = (items: readonly Item[]) =>
  new Map(symbols.map((symbol) => [symbol, items.filter((item) => item.symbol === symbol)]));

describe('splitting streams another way', function () {
  this.timeout(90_000);
  let cluster: RedisCluster;
  let connections: Connections;
  let split: StreamSplit;
  let streams: readonly string[] = [];
  let round = 0;

  before(async () => {
    cluster = await startRedisCluster();
  });
  beforeEach(async () => {
    await cluster.flush();
    round++;
    streams = [0, 1, 2, 3].map((partition) => `input${round}:${partition}`);
    const options = { url: cluster.url, clock: systemClock, logger: logLines(), random: seeded(1) };
    connections = createConnections(options, streams);
    await connections.start();
    split = new StreamSplit(connections);
  });
  afterEach(() => connections.close());
  after(() => cluster?.stop());

  const add = (stream: string, id: string, ...fields: string[]) => cluster.probeOf(stream).xadd(stream, id, ...fields);
  const entriesOf = (stream: string) => cluster.probeOf(stream).xrange(stream, '-', '+');

  /** Writes so many ticks as a producer does that counts `partitions`; the answer has them in order. */
  async function write(partitions: number, count: number, fromMs = 1_000): Promise<Item[]> {
    const items: Item[] = [];
    const used = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const symbol = symbols[(i * 7) % symbols.length] ?? '';
      const item = { symbol, price: i + 1 };
      items.push(item);
      // Two streams on two nodes use one id for their own entries.
      const stream = streams[partitionOf(symbol, partitions)] ?? '';
      const ms = fromMs + Math.floor(i / 3);
      const seq = (used.get(`${stream} ${ms}`) ?? -1) + 1;
      used.set(`${stream} ${ms}`, seq);
      await add(stream, `${ms}-${seq}`, 'data', JSON.stringify(item));
    }
    return items;
  }

  async function read(partitions: number): Promise<Item[][]> {
    const all: Item[][] = [];
    for (const stream of streams.slice(0, partitions)) {
      const entries = await entriesOf(stream);
      all.push(entries.flatMap(([, [, text]]) => [JSON.parse(String(text))].flat() as Item[]));
    }
    return all;
  }

  const from = (count: number, cursor = '') => streams.slice(0, count).map((stream) => ({ stream, cursor }));

  for (const [before, after] of [
    [2, 3],
    [3, 2],
    [1, 4],
    [4, 1],
  ] as const) {
    it(`of ${before} into ${after} keeps every unread tick once, in its symbol's order and with its time`, async () => {
      const items = await write(before, 600);
      for (const stream of streams) await split.setAside(stream);
      const moved = await split.stage(from(before), streams.slice(0, after), false);
      assert.deepEqual(await read(4), [[], [], [], []]);
      for (const stream of streams.slice(0, after)) await split.takePlace(stream);
      for (const stream of streams) await split.removeAside(stream);
      assert.equal(
        moved.unread.reduce((a, b) => a + b),
        600,
      );
      assert.equal(
        moved.written.reduce((a, b) => a + b),
        600,
      );
      const found = await read(4);
      for (const [partition, some] of found.entries()) {
        const wanted = items.filter(({ symbol }) => partitionOf(symbol, after) === partition);
        assert.deepEqual(bySymbol(some), bySymbol(partition < after ? wanted : []));
      }
      const [[id = ''] = []] = await entriesOf(streams[partitionOf('SYM0', after)] ?? '');
      assert.equal(Number.parseInt(id, 10) < 1_600, true);
    });
  }

  it('leaves what was read, splits an entry of several symbols, and keeps what is no market data', async () => {
    const [first = '', second = ''] = streams;
    await add(first, '1-0', 'data', '{"symbol":"READ","price":1}');
    const market_data = symbols.map((symbol, i) => ({ symbol, price: i + 1 }));
    await add(first, '2-0', 'data', JSON.stringify({ market_data, asset_types: ['crypto'] }), 'note', 'kept');
    await add(second, '3-0', 'data', 'no json');
    await add(second, '4-0', 'other', 'field');
    for (const stream of streams) await split.setAside(stream);
    const read = [
      { stream: first, cursor: '1-0' },
      { stream: second, cursor: '' },
    ];
    const { unread, written } = await split.stage(read, streams.slice(0, 3), false);
    assert.deepEqual(
      [unread, written],
      [
        [1, 2],
        [1, 3, 1],
      ],
    );
    for (const stream of streams.slice(0, 3)) await split.takePlace(stream);
    for (const [partition, stream] of streams.slice(0, 3).entries()) {
      const [[id, fields = []] = []] = await entriesOf(stream);
      assert.equal(id, '2-0');
      const some = market_data.filter(({ symbol }) => partitionOf(symbol, 3) === partition);
      assert.deepEqual(JSON.parse(String(fields[1])), { market_data: some, asset_types: ['crypto'] });
      assert.deepEqual(fields.slice(2), ['note', 'kept']);
    }
    const odd = (await entriesOf(second)).slice(1).map(([, fields]) => fields);
    assert.deepEqual(odd, [
      ['data', 'no json'],
      ['other', 'field'],
    ]);
  });

  it('comes to the same when it stops after any step and is done again, with what producers add meanwhile', async () => {
    const items = await write(2, 100);
    const steps: (() => Promise<unknown>)[] = [
      ...streams.map((stream) => () => split.setAside(stream)),
      () => split.stage(from(3), streams.slice(0, 3), false),
    ];
    for (let stopped = 0; stopped <= steps.length; stopped++) {
      for (const step of steps.slice(0, stopped)) await step();
      items.push(...(await write(3, 3, 10_000 + stopped * 10)));
    }
    for (const step of steps) await step();
    const places = streams.slice(0, 3).map((stream) => () => split.takePlace(stream));
    for (let stopped = 0; stopped <= places.length; stopped++) {
      for (const place of places.slice(0, stopped)) await place();
      items.push(...(await write(3, 3, 20_000 + stopped * 10)));
    }
    for (const place of places) await place();
    for (const stream of streams) await split.removeAside(stream);
    for (const [partition, some] of (await read(3)).entries()) {
      assert.deepEqual(bySymbol(some), bySymbol(items.filter(({ symbol }) => partitionOf(symbol, 3) === partition)));
    }
    assert.deepEqual(await cluster.probeOf(streams[0] ?? '').keys('*repartition*'), []);
  });

  it('counts without writing when it is dry', async () => {
    await write(2, 50);
    const { unread, written } = await split.stage(from(2), streams.slice(0, 3), true);
    assert.equal(
      unread.reduce((a, b) => a + b),
      50,
    );
    assert.equal(
      written.reduce((a, b) => a + b),
      50,
    );
    assert.equal((await read(2)).flat().length, 50);
    for (const node of cluster.nodes) assert.deepEqual(await cluster.probe(node).keys('*repartition*'), []);
  });
});
