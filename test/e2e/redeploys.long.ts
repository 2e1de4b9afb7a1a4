/** T18: deploys again and again, half of them while Redis is away; and engines that close while Redis says nothing. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openEngine } from '../../src/compose';
import { startProxy } from '../faults/proxy';
import { figure } from '../helpers/figures';
import { createOwnNodeRed } from '../helpers/own-node-red';
import { type FlowNode, readExample } from '../helpers/package';
import { logLines, otherClients, probe } from '../helpers/redis-probe';
import { freePort, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const deploys = Number(process.env.TEST_DEPLOYS ?? 200);
const closings = Number(process.env.TEST_CLOSINGS ?? 100);

const fdsOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

describe(`${deploys} deploys`, () => {
  it('leave as many connections, ports and descriptors as before', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const asker = probe(redis.url);
    const { red, remove } = await createOwnNodeRed();
    const port = await freePort();
    const example = readExample('12 - Redis in, signals out on Redis');
    const engine = example.find(({ type }) => type === 'strategy-engine');
    const own = { redisUrl: proxy.url };
    const flow = (round: number): FlowNode[] => [
      ...example.map((node) =>
        // Every third deploy changes the node's channel, so that its subscription is opened anew.
        node.type === 'strategy-engine-market-data-in'
          ? { ...node, ...own, channel: `prices-${Math.floor(round / 3)}` }
          : node.type === 'strategy-engine'
            ? { ...node, ...own }
            : node,
      ),
      {
        id: 'api',
        type: 'strategy-engine-api',
        z: example[0]?.id,
        x: 1,
        y: 1,
        name: 'api',
        version: 1,
        engine: engine?.id,
        host: '127.0.0.1',
        port,
        wires: [[]],
      },
    ];
    const answers = () =>
      fetch(`http://127.0.0.1:${port}/api/strategy_engine/summary`).then(
        (answer) => answer.ok,
        () => false,
      );
    try {
      await red.start();
      await red.deploy(flow(0));
      await until('the API answers', answers, 20_000);
      const clients = 2;
      await until('it is connected', async () => (await otherClients(asker)) === clients, 20_000);
      const fds = fdsOf(red.pid());
      const lost: number[] = [];
      for (let round = 1; round <= deploys; round++) {
        const isAway = round % 2 === 0;
        if (isAway) proxy.set({ kind: round % 4 === 0 ? 'freeze' : 'reset' });
        await red.deploy(flow(round));
        if (!(await answers())) lost.push(round);
        proxy.set({ kind: 'pass' });
      }
      await until('what is not used is closed', async () => (await otherClients(asker)) === clients, 60_000);
      const now = await otherClients(asker);
      const grown = fdsOf(red.pid()) - fds;
      const what = `${deploys} deploys, half with Redis away`;
      const value = `${now} connections (${clients} before), ${grown} more descriptors, ${lost.length} requests lost`;
      const recovered = red.output().match(/engine recovered/g)?.length;
      const met = now === clients && grown <= 2 && lost.length === 0 && recovered === 1;
      assert.ok(figure('T18.deploys', what, value, 'constant, 0 lost', met), String(recovered));
    } finally {
      await red.end();
      remove();
      asker.disconnect();
      await proxy.close();
      await redis.stop();
    }
  });

  it(`and ${closings} closings, half with a Redis that says nothing, take at most 2 s and leave no timer`, async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const { path, remove } = temporaryDirectory('closings');
    const once = async (nth: number): Promise<number> => {
      const store = { kind: 'embedded', path: join(path, String(nth % 4)) } as const;
      const engine = await openEngine({ name: 'closing', store, redis: { url: proxy.url }, logger: logLines() });
      if (nth % 2 === 0) proxy.set({ kind: nth % 4 === 0 ? 'freeze' : 'reset' });
      const closingMs = performance.now();
      await engine.close();
      const tookMs = performance.now() - closingMs;
      proxy.set({ kind: 'pass' });
      return tookMs;
    };
    const resources = () => process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length;
    for (let nth = 0; nth < 4; nth++) await once(nth);
    await until('the first sockets are gone', () => proxy.connections() === 0, 10_000);
    const before = resources();
    let slowestMs = 0;
    for (let nth = 0; nth < closings; nth++) slowestMs = Math.max(slowestMs, await once(nth));
    await until('the sockets are gone', () => proxy.connections() === 0, 10_000);
    await until('nothing is left', () => resources() <= before, 10_000).catch(() => undefined);
    const left = resources() - before;
    await proxy.close();
    await redis.stop();
    remove();
    const value = `slowest ${Math.round(slowestMs)} ms, ${left} timers or sockets left`;
    const met = slowestMs <= 2_000 && left <= 0;
    assert.ok(
      figure('T18.close', `${closings} engines closed, half with Redis away`, value, '<= 2,000 ms, 0 left', met),
    );
  });
});
