/** T1, T2 and T3 on the store in Redis, at length. `TEST_KILLS` sets the kills of each. */
import assert from 'node:assert/strict';
import { killAmong, killAround, type Victim } from '../faults/redis-kill';
import { clients } from '../faults/tracking';
import { figure } from '../helpers/figures';

const seed = Number(process.env.TEST_SEED ?? 20_260_104);
const asked = process.env.TEST_KILLS;

const campaigns: readonly (readonly [string, Victim, number, 'everysec' | 'always'])[] = [
  ['T1.redis', 'process', 1_000, 'everysec'],
  ['T2.everysec', 'redis', 300, 'everysec'],
  ['T2.always', 'redis', 300, 'always'],
  ['T3', 'either', 300, 'everysec'],
];

describe('kills around the store in Redis, at length', () => {
  for (const [id, victim, count, fsync] of campaigns) {
    const kills = Number(asked ?? count);
    const whom = victim === 'process' ? 'the engine' : victim === 'redis' ? 'Redis' : 'the engine, Redis or both';
    it(`${id}: ${kills} of ${whom}, AOF ${fsync}`, async () => {
      const verdict = await killAround(victim, kills, fsync, seed);
      const { isExact, acknowledged, executions, duplicates } = verdict;
      const value = `${kills} kills, ${acknowledged.length} acknowledged, ${executions} counted, ${duplicates} retries known`;
      const what = `kill -9 of ${whom} under ${clients} writers, Redis with AOF ${fsync}`;
      assert.ok(figure(id, what, value, 'lost 0, doubled 0, sum exact', isExact, { tier: 'R', seed }));
    });
  }

  const shared = [
    ['T3.two', 'everysec', 'with AOF everysec'],
    ['T3.saved', 'saved', 'without AOF, saved every second'],
  ] as const;
  for (const [id, aof, kept] of shared) {
    const kills = Number(asked ?? 300);
    it(`${id}: ${kills} of two engines, Redis, or several at once, ${kept}`, async () => {
      const { isExact, acknowledged, executions, duplicates } = await killAmong(kills, aof, seed);
      const value = `${kills} kills, ${acknowledged.length} acknowledged, ${executions} counted in both, ${duplicates} retries known`;
      const what = `kill -9 of either of two engines on one log, of Redis, or of several at once under ${clients} writers, Redis ${kept}`;
      assert.ok(figure(id, what, value, 'lost 0, doubled 0, sum exact', isExact, { tier: 'R', seed }));
    });
  }
});
