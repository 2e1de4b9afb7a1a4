/** A canvas on a Redis Cluster: ticks from a sharded channel, signals onto the engine's own one. */
import assert from 'node:assert/strict';
import engine from '../../nodes/engine';
import marketDataIn from '../../nodes/market-data-in';
import strategy from '../../nodes/strategy';
import { type RedisCluster, startRedisCluster } from '../helpers/redis-cluster';
import { until } from '../helpers/until';
import { body, clearStage, closeStage, openStage, quick, stage, ticks, valley } from './stage';

describe('nodes on a cluster', function () {
  this.timeout(60_000);
  let cluster: RedisCluster;

  before(async () => {
    await openStage();
    cluster = await startRedisCluster();
  });
  afterEach(clearStage);
  after(async () => {
    await closeStage();
    await cluster?.stop();
  });

  it('take ticks from a sharded channel and publish on the one that bears the engine’s name', async () => {
    const input = 'strategy_engine_input';
    const output = 'strategy_engine_output:{desk}';
    const listener = cluster.probeOf(output).duplicate();
    const heard: string[] = [];
    listener.on('smessage', (_channel: string, text: string) => void heard.push(JSON.parse(text).signal_id));
    await listener.ssubscribe(output);
    const node = (id: string, short: string, more: object) => ({
      ...{ id, type: `strategy-engine-${short}`, version: 1, engine: 'shared' },
      ...more,
    });
    const on = await stage(
      [engine, marketDataIn, strategy],
      [
        {
          ...{ id: 'shared', type: 'strategy-engine', version: 1, engineName: 'desk', store: 'memory' },
          ...{ redisUrl: cluster.url, outputChannel: 'strategy_engine_output', sharded: true },
        },
        node('in', 'market-data-in', { sharded: true, channel: input, wires: [['crossover'], []] }),
        node('crossover', 'strategy', {
          ...{ strategyType: 'moving_average_crossover', timeframe: '1s', parameters: quick },
          wires: [['signals'], []],
        }),
      ],
    );
    await until('it listens', () => on.status('in').fill === 'green', 20_000);
    await cluster.probeOf(input).spublish(input, JSON.stringify(ticks(120, valley)));
    const [first] = await on.count('signals', 1);
    await until('it is published', () => heard.length > 0);
    assert.equal(heard[0], body(first).signal_id);
    listener.disconnect();
  });
});
