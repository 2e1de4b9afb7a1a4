/** The store in Redis with a command that fails, in every way a server can fail it. */
import assert from 'node:assert/strict';
import { type Act, failingAt, pass, type RespServer, startRespServer } from '../../faults/resp-server';
import { live, storeActs } from '../../faults/store-scenario';
import { watchRejections } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';

/** At length all of them fail in every way; here every second one in one way. */
const every = 2;

describe('an engine on a Redis that fails at one command', () => {
  let redis: RedisServer;
  let server: RespServer;
  const rejections = watchRejections();

  before(async () => {
    redis = await startRedis();
    server = await startRespServer(redis.port);
  });
  after(async () => {
    rejections.stop();
    await server.close();
    await redis.stop();
    assert.deepEqual(rejections.escaped, []);
  });

  it('ends in the state of a run without the fault, whichever command it was and however it failed', async () => {
    const clean = await live(server, redis.url, 'clean', () => pass);
    assert.ok(clean.commands > 15, `${clean.commands} commands`);
    let runs = 0;
    for (let k = 1; k <= clean.commands; k += every) {
      const act = storeActs[runs++ % storeActs.length] as Act;
      const what = `command ${k} of ${clean.commands}: ${JSON.stringify(act)}`;
      const { totals, version } = await live(server, redis.url, `k${k}`, failingAt(k, act)).catch((thrown: unknown) => {
        throw new Error(`${what}: ${String(thrown)}`, { cause: thrown });
      });
      assert.deepEqual({ totals, version }, { totals: clean.totals, version: clean.version }, what);
    }
  }).timeout(180_000);
});
