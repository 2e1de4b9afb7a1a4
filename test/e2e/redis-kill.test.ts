/** T1, T2 and T3 in short, on the store in Redis: the engine, Redis, and either are killed under writers. */
import assert from 'node:assert/strict';
import type { Aof } from '../faults/redis-engine';
import { killAmong, killAround, type Victim } from '../faults/redis-kill';
import { clients } from '../faults/tracking';

const seed = Number(process.env.TEST_SEED ?? 20_260_104);

const campaigns: readonly (readonly [Victim, number, Aof])[] = [
  ['process', 2, 'everysec'],
  ['redis', 4, 'everysec'],
  ['redis', 2, 'always'],
  ['either', 3, 'everysec'],
  ['either', 5, 'saved'],
];

describe(`executions of ${clients} clients on the store in Redis (seed ${seed})`, function () {
  this.timeout(120_000);

  for (const [victim, kills, aof] of campaigns) {
    it(`${kills} kills of ${victim === 'process' ? 'the process' : victim} (${aof === 'saved' ? 'no AOF' : `AOF ${aof}`}) lose nothing and double nothing`, async () => {
      const verdict = await killAround(victim, kills, aof, seed);
      const { isExact, executions, totalPnl, acknowledged } = verdict;
      assert.ok(acknowledged.length > kills * clients);
      assert.ok(isExact, JSON.stringify({ executions, totalPnl, acknowledged: acknowledged.length }));
    });
  }

  it('3 kills of two processes that share an engine, of Redis, or of several at once (no AOF) lose and double nothing', async () => {
    const { isExact, executions, totalPnl, acknowledged } = await killAmong(3, 'saved', seed);
    assert.ok(acknowledged.length > 3 * clients);
    assert.ok(isExact, JSON.stringify({ executions, totalPnl, acknowledged: acknowledged.length }));
  });
});
