/** One market over three engines on a cluster: they say what one engine says, also when one of them is killed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { partitionOf } from '../../src/adapters/redis/partition';
import { createStreamWriter } from '../../src/adapters/redis/stream-writer';
import { systemClock } from '../../src/adapters/system/clock';
import { seeded } from '../faults/proxy';
import { built } from '../helpers/built';
import { type Child, startNode } from '../helpers/child';
import { marketOf, undivided } from '../helpers/partitioned';
import { type RedisCluster, startRedisCluster } from '../helpers/redis-cluster';
import { logLines } from '../helpers/redis-probe';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const partitions = 3;
const startMs = 60_000;
const drainMs = 60_000;

describe('a market over three engines', function () {
  this.timeout(240_000);
  let cluster: RedisCluster;
  const children: Child[] = [];
  const directory = temporaryDirectory('partitions');

  before(async () => {
    cluster = await startRedisCluster({ args: ['--appendonly', 'yes'] });
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map((child) => child.ended));
    await cluster?.stop();
    directory.remove();
  });

  async function start(partition: number): Promise<Child> {
    const path = join(directory.path, String(partition));
    const script = join(__dirname, 'children/partition-child.ts');
    const child = startNode([script, cluster.url, 'desk', String(partition), path]);
    children.push(child);
    await until('it reads', () => child.stdout().includes('ready'), startMs).catch((thrown) => {
      throw new Error(`${String(thrown)}\n${child.stderr()}`);
    });
    return child;
  }

  /** Every signal that went out, as it did. */
  async function said(): Promise<Readonly<Record<string, unknown>>[]> {
    const all: Readonly<Record<string, unknown>>[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const stream = `strategy_engine:{desk-${partition}}:signals`;
      for (const [, fields] of await cluster.probeOf(stream).xrange(stream, '-', '+')) {
        const signal = JSON.parse(String(fields[fields.indexOf('data') + 1])) as Readonly<Record<string, unknown>>;
        assert.equal(partitionOf(String(signal.symbol), partitions), partition);
        all.push(signal);
      }
    }
    return all;
  }

  it('says what one engine says, each signal once, with one of them killed and started again', async () => {
    const market = marketOf(24, 900);
    const expected = await undivided(market);
    assert.ok(expected.size > 200, `${expected.size} signals`);
    const running = await Promise.all([0, 1, 2].map(start));
    const { url } = cluster;
    const writer = createStreamWriter({ url, partitions, clock: systemClock, logger: logLines(), random: seeded(1) });
    await writer.start();
    const write = async (from: number, to: number) => {
      for (let at = from; at < to; at += 50) {
        assert.deepEqual((await writer.write(market.slice(at, Math.min(to, at + 50)))).unwritten, []);
      }
    };
    await write(0, 10_000);
    await until('some is said', async () => (await said()).length > 50, drainMs);
    running[1]?.kill('SIGKILL');
    await running[1]?.ended;
    await write(10_000, 15_000);
    await start(1);
    await write(15_000, market.length);
    await until('all is said', async () => (await said()).length >= expected.size, drainMs).catch(async (thrown) => {
      throw new Error(`${String(thrown)}: ${(await said()).length} of ${expected.size}`);
    });
    await writer.close();
    const found = await said();
    const byId = new Map(found.map(({ latency_ms: _, ...signal }) => [String(signal.signal_id), signal]));
    assert.equal(byId.size, found.length, 'each once');
    assert.deepEqual([...byId.keys()].sort(), [...expected.keys()].sort());
    for (const [id, signal] of expected) assert.deepEqual(byId.get(id), JSON.parse(JSON.stringify(signal)));
  });

  it('keeps what one of them refuses in the slot of its stream, where the command lists it and puts it back', async () => {
    const stream = 'strategy_engine:input:2';
    const letters = `strategy_engine:{${stream}}:rejected`;
    const client = cluster.probeOf(stream);
    const deadLetters = async (...args: readonly string[]) => {
      const command = [built('src/cli.js'), 'dead-letters', '--json', '--from', letters, ...args];
      const child = startNode(command, { env: { REDIS_URL: cluster.url } });
      assert.equal((await child.ended).code, 0, child.stderr());
      return JSON.parse(child.stdout());
    };
    await client.xadd(stream, '*', 'data', 'no market data');
    await until('it is refused', async () => (await client.xlen(letters)) === 1, drainMs);
    assert.equal((await deadLetters()).letters[0].data, 'no market data');
    assert.equal((await deadLetters('--replay')).replayed, 1);
    const again = async () => (await deadLetters()).letters.map(({ attempts }: { attempts: number }) => attempts);
    await until('it is refused again', async () => (await again())[0] === 1, drainMs);
  });
});
