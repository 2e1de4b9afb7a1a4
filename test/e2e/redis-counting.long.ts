/** T4 and T9 on the store in Redis, at length. `TEST_OPERATIONS` is how many, for T9 of each of four processes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { countAll, engineCounter, exactTotals, operationsOf } from '../faults/counting';
import { settleAll, startLoad } from '../faults/load';
import { seeded, startProxy } from '../faults/proxy';
import { aofArgs, counted, openRedisEngine } from '../faults/redis-engine';
import { registerTracked, strategyId, TrackServer } from '../faults/tracking';
import { figure } from '../helpers/figures';
import { call } from '../helpers/http-client';
import { freePort, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const seed = Number(process.env.TEST_SEED ?? 20_260_103);
const asked = process.env.TEST_OPERATIONS;

describe(`executions counted in Redis, at length (seed ${seed})`, () => {
  it('T4: replies are cut', async () => {
    const count = Number(asked ?? 100_000);
    const redis = await startRedis({ args: aofArgs('everysec') });
    const proxy = await startProxy(redis.port, seeded(seed));
    const { engine } = await openRedisEngine(proxy.url);
    const counter = engineCounter(engine, counted);
    const operations = operationsOf(count, seed);
    proxy.set({ kind: 'cut-before-reply', p: 0.03 });
    const { unsettled, attempts } = await countAll([counter], operations, 16);
    proxy.set({ kind: 'pass' });
    const totals = await counter.totals();
    const exact = exactTotals(operations);
    const over = totals.executions - exact.executions;
    await engine.close();
    await proxy.close();
    await redis.stop();
    const value = `${proxy.cuts()} cuts, ${attempts} attempts, overcount ${over}, unsettled ${unsettled}`;
    const met = over === 0 && unsettled === 0 && totals.units === exact.units && proxy.cuts() > 0;
    assert.ok(
      figure('T4', `reply cut with p = 3 %, ${count} operations`, value, 'overcount 0, unsettled 0', met, { seed }),
    );
  });

  it('T9: four processes count for one strategy', async () => {
    const each = Number(asked ?? 50_000);
    const processes = 4;
    const { path, remove } = temporaryDirectory('four');
    const redis = await startRedis({ args: aofArgs('everysec') });
    const servers: TrackServer[] = [];
    try {
      for (let i = 0; i < processes; i++) {
        const server = new TrackServer('track-child.ts', join(path, String(i)), await freePort(), redis.url);
        await server.start();
        servers.push(server);
      }
      const [first] = servers;
      assert.ok(first !== undefined);
      await registerTracked(first.port);
      const all = servers.map((_, i) => operationsOf(each, seed + i, `p${i}-`));
      await Promise.all(
        servers.map(async ({ port }, i) => {
          const operations = all[i] ?? [];
          let at = 0;
          const last = operations[each - 1];
          assert.ok(last !== undefined);
          // What comes after the last one is that one again: known, and counted once.
          const next = () => operations[at++] ?? last;
          const load = startLoad({ port, strategyId, pace: { clients: 16 }, next });
          await until('all are sent', () => at >= each, 3_600_000);
          await load.stop();
          const open = load.replies.filter(({ status }) => status !== 200).map(({ operation }) => operation);
          await settleAll(port, strategyId, open);
        }),
      );
      const exact = exactTotals(all.flat());
      const seen = async (port: number) => {
        const { body } = await call(port, `/api/performance/${strategyId}`);
        const { executions, total_pnl, success_rate } = body.metrics as Record<string, number>;
        return { executions, units: Math.round((total_pnl ?? 0) * 1e8), successRate: success_rate };
      };
      const isExact = async ({ port }: TrackServer) => JSON.stringify(await seen(port)) === JSON.stringify(exact);
      const agreed = async () => (await Promise.all(servers.map(isExact))).every(Boolean);
      const met = await until('all agree', agreed, 30_000).then(
        () => true,
        () => false,
      );
      const { executions } = await seen(first.port);
      const value = `${executions} of ${processes * each} counted, sum and success rate ${met ? 'exact in all four' : 'differ'}`;
      assert.ok(
        figure('T9', `${processes} processes, ${each} updates each`, value, 'exact, no lost update', met, { seed }),
      );
    } finally {
      for (const server of servers) await server.end('SIGKILL');
      await redis.stop();
      remove();
    }
  });
});
