/** A master that dies while a replica copies it: the engine goes on there, and says so when the copy was not whole. */
import assert from 'node:assert/strict';
import { keysOf } from '../../../src/adapters/redis/keys';
import type { Engine } from '../../../src/live/engine-api';
import { operationsOf } from '../../faults/counting';
import { counted, openRedisEngine } from '../../faults/redis-engine';
import { type RedisCluster, startRedisCluster, startReplica } from '../../helpers/redis-cluster';
import type { RedisServer } from '../../helpers/redis-server';
import { until } from '../../helpers/until';

const failoverMs = 30_000;

describe('a replica that takes over', function () {
  this.timeout(120_000);
  let cluster: RedisCluster;
  let replica: RedisServer;
  let master: RedisServer;
  let engine: Engine;

  beforeEach(async () => {
    cluster = await startRedisCluster();
    master = cluster.ownerOf(keysOf('counting').log);
    replica = await startReplica(cluster, master);
    ({ engine } = await openRedisEngine(cluster.url));
  });
  afterEach(async () => {
    await engine.close();
    await replica.stop();
    await cluster.stop();
  });

  const track = (id: string) =>
    engine.track({
      strategyId: counted,
      executionResult: { executionId: id, pnl: 1, success: true, executionTimeMs: 1 },
    });
  const ids = operationsOf(200, 1).map(({ id }) => id);
  const executions = () => engine.performance(counted).metrics.executions;
  const health = () => engine.summary().components.get('store');

  it('is gone on with, without an operator: nothing is lost of what it had copied, and nothing doubled', async () => {
    await Promise.all(ids.map(track));
    assert.ok(Number(await cluster.probe(master).wait(1, 5_000)) >= 1);
    await master.kill9();
    await until('the store is away', () => health()?.health !== 'up');
    await assert.rejects(track('meanwhile'), { code: /ConnectionError|TimeoutError/ });
    await until('the store is back', () => health()?.health === 'up', failoverMs);
    const again = await Promise.all(ids.map(track));
    assert.ok(again.every(({ duplicate }) => duplicate));
    await track('meanwhile');
    assert.equal(executions(), ids.length + 1);
    assert.match(String(await cluster.probe(replica).call('CLUSTER', 'NODES')), /myself,master/);
  });
});
