/** T13 for the store in Redis: each of its commands fails in every way. */
import assert from 'node:assert/strict';
import { failingAt, pass, startRespServer } from '../../faults/resp-server';
import { live, storeActs } from '../../faults/store-scenario';
import { figure } from '../../helpers/figures';
import { startRedis } from '../../helpers/redis-server';

describe('an engine on a Redis that fails at every command', () => {
  it('ends in the state of a run without the fault', async () => {
    const redis = await startRedis();
    const server = await startRespServer(redis.port);
    const clean = await live(server, redis.url, 'clean', () => pass);
    let runs = 0;
    let slowestMs = 0;
    for (let k = 1; k <= clean.commands; k++) {
      for (const act of storeActs) {
        const what = `command ${k}: ${JSON.stringify(act)}`;
        const lived = await live(server, redis.url, `k${k}-${runs++}`, failingAt(k, act)).catch((thrown: unknown) => {
          throw new Error(`${what}: ${String(thrown)}`, { cause: thrown });
        });
        const { totals, version } = lived;
        assert.deepEqual({ totals, version }, { totals: clean.totals, version: clean.version }, what);
        slowestMs = Math.max(slowestMs, lived.slowestMs);
      }
    }
    await server.close();
    await redis.stop();
    const value = `${clean.commands} commands, ${runs} runs, slowest call ${Math.round(slowestMs)} ms, same state in all`;
    assert.ok(figure('T13.store', 'store in Redis, each command failing in six ways', value, 'same state', runs > 60));
  });
});
