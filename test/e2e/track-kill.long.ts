/** T1 at length: a thousand kills of the process that counts, embedded store. `TEST_KILLS` makes it shorter. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { seeded } from '../faults/proxy';
import { clients, expected, killUnderLoad, registerTracked, TrackServer, unknownOf } from '../faults/tracking';
import { figure } from '../helpers/figures';
import { freePort } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';

const kills = Number(process.env.TEST_KILLS ?? 1_000);
const seed = Number(process.env.TEST_SEED ?? 20_260_102);

describe(`executions tracked through ${kills} kills of the process`, () => {
  const { path: directory, remove } = temporaryDirectory('track-kill-long');
  after(remove);

  it('on the embedded store are counted once each', async () => {
    const server = new TrackServer('track-child.ts', join(directory, 'product'), await freePort(), 'product');
    await server.start();
    try {
      await registerTracked(server.port);
      const verdict = await killUnderLoad(server, kills, seeded(seed));
      const { executions, totalPnl, acknowledged, duplicates } = verdict;
      const unknown = await unknownOf(server.port, acknowledged);
      const exact = expected(verdict);
      const isExact = executions === exact.executions && totalPnl === exact.totalPnl && unknown.length === 0;
      const value = `${kills} kills, ${acknowledged.length} acknowledged, ${executions} counted, ${duplicates} retries known`;
      const what = `kill -9 of the engine under ${clients} writers, embedded store`;
      assert.ok(figure('T1.embedded', what, value, 'lost 0, doubled 0, sum exact', isExact, { tier: 'R', seed }));
    } finally {
      await server.end('SIGKILL');
    }
  });
});
