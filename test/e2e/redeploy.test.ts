/** What a deploy must not do: drop the port, gap the feed, forget a strategy; and what a crash must not lose. */
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { createNodeRed, type NodeRed } from '../helpers/node-red';
import { type FlowNode, installedPackage, readExample, runtimes } from '../helpers/package';
import { freePort, startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';

const setUpMs = 240_000;
const waitMs = 20_000;
const tab = { id: 'tab', type: 'tab', label: 'flow' };
const [engine] = readExample('01 - Hello signal').filter(({ type }) => type === 'strategy-engine');

function node(
  id: string,
  short: string,
  more: Readonly<Record<string, unknown>>,
  wires: readonly string[][],
): FlowNode {
  const place = { z: 'tab', x: 100, y: 100, name: id };
  return { id, type: `strategy-engine-${short}`, version: 1, engine: engine?.id ?? '', ...place, ...more, wires };
}

function debug(id: string): FlowNode {
  return {
    id,
    type: 'debug',
    z: 'tab',
    x: 300,
    y: 100,
    name: id,
    active: true,
    tosidebar: true,
    complete: 'payload',
    targetType: 'msg',
    wires: [],
  };
}

const quick = {
  fast_period: 3,
  slow_period: 8,
  adx_period: 3,
  adx_threshold: 0,
  atr_period: 3,
  confidence_threshold: 0,
};
const crossover = { strategyType: 'moving_average_crossover', timeframe: '10t', parameters: quick, decisions: 'off' };
const market = {
  origin: 'simulator',
  symbols: 'SIM:ABC',
  seed: 3,
  ticksPerS: 10,
  startAt: '2026-01-01',
  batch: 10,
  autostart: true,
};

describe('a deploy and a crash', () => {
  let modules: string;
  let red: NodeRed;

  before(function () {
    this.timeout(setUpMs);
    modules = installedPackage();
  });

  beforeEach(async function () {
    this.timeout(setUpMs);
    const [runtime] = runtimes();
    if (!runtime) throw new Error('there is no Node-RED');
    red = await createNodeRed(runtime, modules);
    await red.start();
  });

  afterEach(async () => {
    await red.end('SIGKILL');
    red.remove();
  });

  async function summary(port: number): Promise<{ uptime_s: number; active_strategies: number }> {
    const answer = await fetch(`http://127.0.0.1:${port}/api/strategy_engine/summary`, {
      signal: AbortSignal.timeout(5_000),
    });
    return (await answer.json()) as { uptime_s: number; active_strategies: number };
  }

  it('keeps the port and the engine over full deploys, without one refused request', async function () {
    this.timeout(60_000);
    const port = await freePort();
    const flow = [tab, ...(engine ? [engine] : []), node('api', 'api', { host: '127.0.0.1', port }, [[]])];
    await red.deploy(flow);
    await until(
      'the API answers',
      () =>
        summary(port).then(
          () => true,
          () => false,
        ),
      waitMs,
    );
    let isOver = false;
    let answered = 0;
    const failures: unknown[] = [];
    const asking = (async () => {
      while (!isOver)
        await summary(port).then(
          () => answered++,
          (error: unknown) => failures.push(error),
        );
    })();
    const before = await summary(port);
    for (let i = 0; i < 3; i++) await red.deploy(flow.map((one) => ({ ...one })));
    const after = await summary(port);
    isOver = true;
    await asking;
    assert.deepEqual(failures, []);
    assert.ok(answered > 10);
    assert.ok(after.uptime_s >= before.uptime_s, 'it is the same engine');
    assert.equal(red.output().match(/engine recovered/g)?.length, 1);
  });

  it('keeps its subscription over full deploys: every tick published meanwhile is taken', async function () {
    this.timeout(60_000);
    const redis = await startRedis();
    const publisher = new Redis(redis.url);
    const port = await freePort();
    const channel = { redisUrl: redis.url, channel: 'prices', emit: 'batch' };
    const flow = [
      tab,
      ...(engine ? [engine] : []),
      node('api', 'api', { host: '127.0.0.1', port }, [[]]),
      node('in', 'market-data-in', channel, [['apply'], ['gaps']]),
      node('apply', 'strategy-apply', {}, [[], [], []]),
      debug('gaps'),
    ];
    const publish = (seq: number) =>
      publisher.publish('prices', JSON.stringify({ symbol: 'SEQ', price: 1 + seq / 1_000, seq }));
    let seq = 0;
    try {
      await red.deploy(flow);
      await until('somebody listens', async () => (await publish(++seq)) > 0, waitMs);
      const first = seq;
      let isOver = false;
      const publishing = (async () => {
        while (!isOver) await publish(++seq);
      })();
      for (let i = 0; i < 3; i++) await red.deploy(flow.map((one) => ({ ...one })));
      isOver = true;
      await publishing;
      const sent = seq - first + 1;
      const taken = async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/api/strategy_engine/summary`);
        return ((await answer.json()) as { throughput: { ticks_total: number } }).throughput.ticks_total;
      };
      let count = 0;
      await until(
        'all ticks are taken',
        async () => {
          count = await taken();
          return count >= sent;
        },
        waitMs,
      ).catch((thrown) => {
        throw new Error(`${String(thrown)}: ${count} of ${sent}`);
      });
      assert.equal(count, sent);
      assert.deepEqual(red.debug('gaps'), []);
    } finally {
      publisher.disconnect();
      await redis.stop();
    }
  });

  it('closes the port some seconds after the node is gone', async function () {
    this.timeout(60_000);
    const port = await freePort();
    const flow = [tab, ...(engine ? [engine] : []), node('api', 'api', { host: '127.0.0.1', port }, [[]])];
    await red.deploy(flow);
    await until(
      'the API answers',
      () =>
        summary(port).then(
          () => true,
          () => false,
        ),
      waitMs,
    );
    await red.deploy([tab]);
    await until(
      'nobody answers',
      () =>
        summary(port).then(
          () => false,
          () => true,
        ),
      waitMs,
    );
  });

  it('keeps a strategy and its version; changed settings make a new version; a deleted node archives it', async function () {
    this.timeout(60_000);
    const flow = (parameters: object, withNode = true) => [
      tab,
      ...(engine ? [engine] : []),
      ...(withNode ? [node('mine', 'strategy', { ...crossover, parameters }, [[], []])] : []),
      node('list', 'strategy-manage', { operation: 'get', strategyId: 'moving_average_crossover_mine' }, [['shown']]),
      { id: 'ask', type: 'inject', z: 'tab', x: 1, y: 1, name: 'ask', props: [], wires: [['list']] },
      debug('shown'),
    ];
    const versionNow = async () => {
      let text = '';
      const look = async () => {
        const from = red.heard.length;
        await red.inject('ask');
        await until(
          'an answer',
          () => red.debug('shown', from).length > 0 || red.output().includes('NotFoundError'),
          waitMs,
        );
        text = String(red.debug('shown', from).at(-1) ?? '');
        return text.includes('"state"');
      };
      await until('it is registered', look, waitMs);
      return { version: /"version":(\d+)/.exec(text)?.[1], state: /"state":"(\w+)"/.exec(text)?.[1] };
    };
    await red.deploy(flow(quick));
    assert.deepEqual(await versionNow(), { version: '1', state: 'active' });
    await red.deploy(flow(quick));
    await until('it is there again', () => red.status('mine') !== '', waitMs);
    assert.deepEqual(await versionNow(), { version: '1', state: 'active' });
    await red.deploy(flow({ ...quick, fast_period: 4 }));
    await until('the new version', async () => (await versionNow()).version === '2', waitMs);
    await red.deploy(flow(quick, false));
    await until('it is archived', async () => (await versionNow()).state === 'archived', waitMs);
    await red.deploy(flow(quick));
    await until(
      'it lives on under a new id',
      async () => {
        const listed = await fetch(`${red.url}/flows`);
        return listed.ok && red.status('mine') === 'waiting for data';
      },
      waitMs,
    );
  });

  it('goes on after kill -9 in mid-replay: every row once, the same signals as without the crash, the last ones again', async function () {
    this.timeout(90_000);
    const rows = 4_000;
    const flow = (symbols: string, speed: number) => [
      tab,
      ...(engine ? [engine] : []),
      node('replay', 'market-replay', { ...market, symbols, count: rows, speed }, [['mine'], ['progress']]),
      node('mine', 'strategy', { ...crossover, symbols }, [['signals'], []]),
      debug('signals'),
      debug('progress'),
    ];
    const signals = (from = 0) =>
      red.debug('signals', from).map((text) => /"price":[\d.]+.*"timestamp":"[^"]+"/.exec(String(text))?.[0]);
    const isOver = (from: number) =>
      red.debug('progress', from).some((text) => String(text).includes('"complete":true'));
    await red.deploy(flow('SIM:ABC', 0));
    await until('the undisturbed replay is over', () => isOver(0), waitMs);
    const expected = signals();
    assert.ok(expected.length > 20, `${expected.length} signals`);

    const crashed = await createNodeRed(runtimes()[0] ?? assert.fail(), modules);
    await red.end('SIGKILL');
    red.remove();
    red = crashed;
    await red.start();
    await red.deploy(flow('SIM:ABC', 100));
    await until('some signals', () => signals().length > 8, waitMs);
    await red.end('SIGKILL');
    const before = signals();
    const from = red.heard.length;
    await red.start();
    await until('the rest is over', () => isOver(from), 60_000);
    const after = signals(from);
    const seen = [...before, ...after];
    assert.ok(after.length > 0 && after.length < expected.length);
    assert.deepEqual(
      seen.filter((one) => !expected.includes(one)),
      [],
      'no signal that an undisturbed run does not make',
    );
    const missing = expected.filter((one) => !seen.includes(one));
    assert.deepEqual(missing, [], 'every signal that an undisturbed run makes');
    // What may have been on its way to the wire when the process died is told again, under the same id, before the rest.
    const told = after.filter((one) => before.includes(one));
    assert.deepEqual(after.slice(0, told.length), told, 'told again first');
    assert.deepEqual(before.slice(before.length - told.length), told, 'and only the last ones');
    assert.equal(new Set(after).size, after.length, 'no signal twice in one life');
  });
});
