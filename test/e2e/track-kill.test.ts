/** Executions tracked while the process is killed again and again: what was acknowledged is counted, once. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { seeded } from '../faults/proxy';
import { clients, expected, killUnderLoad, registerTracked, TrackServer, totals, unknownOf } from '../faults/tracking';
import { freePort } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';

const seed = Number(process.env.TEST_SEED ?? 20_260_102);

describe(`executions of ${clients} clients, tracked while the process is killed (seed ${seed})`, function () {
  this.timeout(180_000);
  const { path: directory, remove } = temporaryDirectory('track-kill');
  let server: TrackServer;

  async function open(script: string, name: string): Promise<TrackServer> {
    server = new TrackServer(script, join(directory, name), await freePort(), name);
    await server.start();
    return server;
  }
  afterEach(() => server.end('SIGKILL'));
  after(remove);

  it('20 kills lose nothing that was acknowledged, double nothing, and totals are exact', async () => {
    const kills = 20;
    await open('track-child.ts', 'product');
    await registerTracked(server.port);

    const verdict = await killUnderLoad(server, kills, seeded(seed));
    const { executions, totalPnl } = verdict;
    assert.ok(verdict.acknowledged.length > kills * clients);
    assert.deepEqual({ executions, totalPnl }, expected(verdict));

    assert.equal(await server.end('SIGTERM'), 0);
    await server.start();
    assert.deepEqual(await totals(server.port), expected(verdict), 'the same after a clean restart');

    assert.deepEqual(await unknownOf(server.port, verdict.acknowledged), [], 'every acknowledged id is known');
    assert.deepEqual(await totals(server.port), expected(verdict), 'and sending all of them again changes nothing');
  });

  it('bites: a store that answers before it writes is found to lose', async () => {
    await open('naive-track-child.ts', 'lossy');
    const verdict = await killUnderLoad(server, 4, seeded(seed));
    assert.ok(Number(verdict.executions) < verdict.acknowledged.length, `${verdict.executions} counted`);
    assert.notEqual(verdict.totalPnl, expected(verdict).totalPnl);
  });

  it('bites: a store that knows no ids is found to double', async () => {
    await open('naive-track-child.ts', 'doubling');
    const verdict = await killUnderLoad(server, 4, seeded(seed));
    assert.ok(Number(verdict.executions) > verdict.acknowledged.length, `${verdict.executions} counted`);
    assert.notEqual(verdict.totalPnl, expected(verdict).totalPnl);
  });
});
