/** A market split another way in the middle: the engines go on as one engine would have that was never split. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { keysOf } from '../../src/adapters/redis/keys';
import { createStreamWriter } from '../../src/adapters/redis/stream-writer';
import { systemClock } from '../../src/adapters/system/clock';
import { openEngine } from '../../src/compose';
import type { Engine } from '../../src/live/engine-api';
import { repartition } from '../../src/repartition';
import { seeded } from '../faults/proxy';
import { startNode } from '../helpers/child';
import { comparable, type MarketTick, marketOf, registerAll, risk, undivided } from '../helpers/partitioned';
import { type RedisCluster, startRedisCluster } from '../helpers/redis-cluster';
import { logLines } from '../helpers/redis-probe';
import { root } from '../helpers/repository';
import { recordingLogger } from '../helpers/temporary';
import { until } from '../helpers/until';

type Said = Map<string, Readonly<Record<string, unknown>>>;
const symbols = 24;
const drainMs = 60_000;

describe('a market that is split another way', function () {
  this.timeout(180_000);
  let cluster: RedisCluster;
  const engines: Engine[] = [];
  const market = marketOf(symbols, 900);
  let expected: Said;

  before(async () => {
    cluster = await startRedisCluster();
    expected = await undivided(market);
    assert.ok(expected.size > 200, `${expected.size} signals`);
  });
  beforeEach(() => cluster.flush());
  afterEach(() => closeAll());
  after(() => cluster?.stop());

  async function closeAll(): Promise<void> {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
  }

  /** One engine for each partition, registered alike when it is new. */
  async function openAll(partitions: number, said: Said, isNew: boolean): Promise<void> {
    const { url } = cluster;
    for (let partition = 0; partition < partitions; partition++) {
      const engine = await openEngine({
        name: `desk-${partition}`,
        store: { kind: 'redis', url },
        risk,
        redis: { url, inputChannel: null, outputChannel: null, inputStream: 'strategy_engine:input', partition },
        logger: recordingLogger(),
      });
      engines.push(engine);
      engine.on('signal', (signal) => {
        assert.ok(!said.has(signal.signalId), `${signal.signalId} was told twice`);
        said.set(signal.signalId, comparable(signal));
      });
      if (isNew) await registerAll(engine);
    }
  }

  async function write(ticks: readonly MarketTick[], partitions: number, perEntry = 100): Promise<void> {
    const { url } = cluster;
    const writer = createStreamWriter({ url, partitions, clock: systemClock, logger: logLines(), random: seeded(1) });
    await writer.start();
    for (let at = 0; at < ticks.length; at += perEntry) {
      assert.deepEqual((await writer.write(ticks.slice(at, at + perEntry))).unwritten, []);
    }
    await writer.close();
  }

  const same = (said: Said) => {
    const missing = [...expected].filter(([id]) => !said.has(id)).map(([, signal]) => signal);
    const extra = [...said].filter(([id]) => !expected.has(id)).map(([, signal]) => signal);
    assert.deepEqual([missing, extra], [[], []]);
    for (const [id, signal] of expected) assert.deepEqual(said.get(id), signal);
  };

  it('says what one engine says, over 2, then 3, then 2 engines, with entries left unread at each change', async () => {
    const said: Said = new Map();
    const thirds = [0, 7_200, 14_400].map((from) => market.slice(from, from + 7_200));
    const { url } = cluster;
    let partitions = 2;
    for (const [i, third] of thirds.entries()) {
      await openAll(partitions, said, i === 0);
      await write(third.slice(0, 5_000), partitions);
      await until(
        'some is taken',
        () => engines.every((engine) => engine.summary().throughput.ticksTotal > 0),
        drainMs,
      );
      await closeAll();
      await write(third.slice(5_000), partitions);
      if (i === 2) break;
      const to = partitions === 2 ? 3 : 2;
      const options = { url, name: 'desk', from: partitions, to, isDry: false };
      const dry = await repartition({ ...options, isDry: true });
      assert.equal(dry.outcome, 'dry');
      const report = await repartition(options);
      assert.equal(report.outcome, 'done');
      assert.deepEqual({ ...report, outcome: 'dry' }, dry);
      assert.equal((await repartition(options)).outcome, 'already');
      assert.equal(
        report.engines.reduce((sum, { before }) => sum + before, 0),
        symbols,
      );
      assert.equal(
        report.engines.reduce((sum, { after }) => sum + after, 0),
        symbols,
      );
      assert.ok(report.unread > 0 && report.stranded === 0, JSON.stringify(report));
      partitions = to;
    }
    await openAll(partitions, said, false);
    await until('all is said', () => said.size >= expected.size, drainMs);
    same(said);
  });

  /** The command in a process of its own, killed so long after it has begun; whether it came to its end before. */
  async function killedAfter(delayMs: number): Promise<boolean> {
    const { url } = cluster;
    const args = ['repartition', '--redis', url, '--name', 'desk', '--from', '2', '--to', '3', '--json'];
    const child = startNode([join(root, 'src/cli.ts'), ...args]);
    const { repartition: mark } = keysOf('desk-0');
    let isOver = false;
    child.ended.then(() => {
      isOver = true;
    });
    const begun = async () => isOver || (await cluster.probeOf(mark).exists(mark)) === 1;
    await until('it has begun', begun, drainMs);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill('SIGKILL');
    const { code } = await child.ended;
    assert.equal(child.stderr(), '');
    // What it held ends by itself within 10 s; here nobody waits for that.
    for (const name of ['desk-0', 'desk-1', 'desk-2']) {
      const { lease, members } = keysOf(name);
      await cluster.probeOf(lease).del(lease, members);
    }
    return code === 0;
  }

  it('comes to the same when it is killed again and again and run again, and no engine opens meanwhile', async () => {
    const said: Said = new Map();
    await openAll(2, said, true);
    await write(market.slice(0, 10_000), 2);
    await until('some is taken', () => said.size > 50, drainMs);
    await closeAll();
    await write(market.slice(10_000), 2, 2);
    let kills = 0;
    // Each time a little further.
    while (!(await killedAfter(kills === 0 ? 0 : 50 * 2 ** (kills - 1)))) {
      kills++;
      const { repartition: mark } = keysOf('desk-0');
      if ((await cluster.probeOf(mark).exists(mark)) === 1)
        await assert.rejects(openAll(1, said, false), { code: 'ConnectionError', message: /repartition again/ });
    }
    assert.ok(kills >= 2, `${kills} kills`);
    await openAll(3, said, false);
    await until('all is said', () => said.size >= expected.size, drainMs);
    same(said);
  });

  it('is refused while an engine runs, when strategies differ, and for engines that are not there', async () => {
    const options = { url: cluster.url, name: 'desk', from: 2, to: 3, isDry: false };
    await assert.rejects(repartition(options), { code: 'NotFoundError', message: /desk-0/ });
    await openAll(2, new Map(), true);
    assert.deepEqual((await repartition({ ...options, isDry: true })).running, ['desk-0', 'desk-1']);
    await assert.rejects(repartition(options), { code: 'ConflictError', message: /stop all of its processes/ });
    await engines[1]?.update('cross', { parameters: { fastPeriod: 4 } });
    await closeAll();
    await assert.rejects(repartition(options), { code: 'ConflictError', message: /cross is not the same in desk-0/ });
    await assert.rejects(repartition({ ...options, to: 2 }), { code: 'ValueError' });
    await assert.rejects(repartition({ ...options, to: 1_000 }), { code: 'ValueError' });
    await assert.rejects(repartition({ ...options, from: 1, to: 3 }), { code: 'ConflictError', message: /desk-1 too/ });
    await openAll(2, new Map(), false);
    await engines[0]?.update('cross', { parameters: { fastPeriod: 4 } });
    await closeAll();
    assert.equal((await repartition(options)).outcome, 'done');
    await assert.rejects(
      repartition(options).then(() => repartition({ ...options, from: 2, to: 4 })),
      {
        code: 'ConflictError',
        message: /split over 3 engines, not 2/,
      },
    );
  });

  it('leaves performance where it was tracked, and gives new engines the strategies with their versions', async () => {
    await openAll(2, new Map(), true);
    for (const engine of engines) await engine.update('cross', { parameters: { fastPeriod: 4 } });
    const executionResult = { executionId: 'e1', pnl: 12.5, success: true, executionTimeMs: 1 };
    await engines[0]?.track({ strategyId: 'cross', executionResult });
    await closeAll();
    await repartition({ url: cluster.url, name: 'desk', from: 2, to: 3, isDry: false });
    await openAll(3, new Map(), false);
    const executions = engines.map((engine) => engine.summary().throughput.executionsTotal);
    assert.deepEqual(executions, [1, 0, 0]);
    for (const engine of engines) {
      const found = engine.strategies().strategies.map(({ strategyId, version }) => [strategyId, version]);
      assert.deepEqual(found, [
        ['cross', 2],
        ['revert', 1],
      ]);
    }
  });
});
