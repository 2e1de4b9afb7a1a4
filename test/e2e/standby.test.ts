/** Several processes on one engine in Redis: one speaks, another takes over, and nothing is told twice or lost. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { openEngine } from '../../src/compose';
import { parseMarketValue } from '../../src/wire/market-data';
import { type Child, startNode } from '../helpers/child';
import { call } from '../helpers/http-client';
import { freePort, type RedisServer, startRedis } from '../helpers/redis-server';
import { recordingLogger, temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const startMs = 30_000;
const strategy = {
  strategy_type: 'moving_average_crossover',
  strategy_id: 'cross',
  symbols: ['BTCUSDT'],
  timeframe: '1m',
  parameters: {
    fast_period: 3,
    slow_period: 8,
    adx_period: 3,
    adx_threshold: 0,
    atr_period: 5,
    confidence_threshold: 0,
  },
};

/** A market that turns every few bars, so that there is much to say. */
function bars(count: number) {
  const openMs = Date.UTC(2026, 0, 1);
  return Array.from({ length: count }, (_, i) => {
    const close = 50_000 + 900 * Math.sin(i / 6) + 300 * Math.sin(i / 2.3);
    const open = 50_000 + 900 * Math.sin((i - 1) / 6) + 300 * Math.sin((i - 1) / 2.3);
    const [high, low] = [Math.max(open, close) + 20, Math.min(open, close) - 20];
    return { symbol: 'BTCUSDT', timeframe: '1m', timestamp: openMs + i * 60_000, open, high, low, close, volume: 1 };
  });
}

class Process {
  readonly port: number;
  readonly child: Child;

  constructor(port: number, child: Child) {
    this.port = port;
    this.child = child;
  }

  role(): string {
    return this.child.stdout().trim().split('\n').at(-1)?.split(' ')[1] ?? '';
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.child.ended;
  }
}

type Door = 'channel' | 'stream';
const inputs = { channel: 'strategy_engine_input', stream: 'strategy_engine:input' } as const;

async function start(redis: RedisServer, name: string, path: string, door: Door): Promise<Process> {
  const port = await freePort();
  const child = startNode([join(__dirname, 'children/shared-child.ts'), redis.url, name, path, String(port), door]);
  await until('it is ready', () => child.stdout().includes('ready'), startMs).catch((thrown) => {
    throw new Error(`${String(thrown)}\n${child.stderr()}`);
  });
  return new Process(port, child);
}

/** What one process says of the same bars when nobody dies. */
async function undisturbed(market: ReturnType<typeof bars>, source: string): Promise<string[]> {
  const engine = await openEngine({ name: 'alone', store: { kind: 'memory' }, logger: recordingLogger() });
  const { strategy_type: strategyType, strategy_id: strategyId, ...rest } = strategy;
  await engine.register({ strategyType, strategyId, ...rest });
  const ids: string[] = [];
  for (const bar of market) {
    const context = { arrivalMs: Date.now(), source, door: 'live' as const };
    const { signals } = await engine.processMarketData(parseMarketValue(bar, context));
    ids.push(...signals.map(({ signalId }) => signalId));
  }
  await engine.close();
  return ids;
}

describe('several processes on one engine', function () {
  this.timeout(180_000);
  let redis: RedisServer;
  let client: Redis;
  const processes: Process[] = [];
  const directory = temporaryDirectory('standby');

  before(async () => {
    redis = await startRedis({ args: ['--appendonly', 'yes'] });
    client = new Redis(redis.url);
  });

  afterEach(async () => {
    await Promise.all(processes.splice(0).map((one) => one.kill()));
    await client.flushall();
  });

  after(async () => {
    client.disconnect();
    await redis.stop();
    directory.remove();
  });

  async function started(count: number, name: string, door: Door): Promise<Process[]> {
    for (let i = 0; i < count; i++)
      processes.push(await start(redis, name, join(directory.path, `${name}-${i}`), door));
    return processes;
  }

  /** Three processes of which two are killed while they lead, in a market that goes on meanwhile. */
  async function takenOver(door: Door, send: (text: string) => Promise<unknown>, killAt: readonly number[]) {
    const market = bars(900);
    const expected = await undisturbed(market, `${door === 'stream' ? 'stream' : 'redis'}:${inputs[door]}`);
    assert.ok(expected.length >= 40, `${expected.length} signals`);
    const all = await started(3, `takeover-${door}`, door);
    assert.deepEqual(
      all.map((one) => one.role()),
      ['leader', 'standby', 'standby'],
    );
    const registered = await call(all[1]?.port ?? 0, '/api/strategy/register', { body: JSON.stringify(strategy) });
    assert.equal(registered.status, 200, registered.text);
    const knows = async (one: Process) => (await call(one.port, '/api/strategy/cross')).status === 200;
    await until('every process knows it', async () => (await Promise.all(all.map(knows))).every(Boolean));

    const heard: string[] = [];
    const listener = new Redis(redis.url);
    await listener.subscribe('strategy_engine_output');
    listener.on('message', (_channel: string, text: string) => void heard.push(JSON.parse(text).signal_id));
    const living = [...all];
    const tookMs: number[] = [];
    for (const [i, bar] of market.entries()) {
      await send(JSON.stringify(bar));
      if (killAt.includes(i)) {
        const leader = living.find((one) => one.role() === 'leader');
        assert.ok(leader !== undefined, 'somebody leads');
        living.splice(living.indexOf(leader), 1);
        const from = performance.now();
        void leader.kill();
        void until('another leads', () => living.some((one) => one.role() === 'leader'), 10_000).then(
          () => tookMs.push(performance.now() - from),
          () => tookMs.push(Number.POSITIVE_INFINITY),
        );
      }
      // The market goes on while nobody leads, a bar every few milliseconds.
      await new Promise((resolve) => setTimeout(resolve, killAt.some((at) => i >= at && i < at + 300) ? 12 : 2));
    }
    await until('all is told', () => heard.length >= expected.length, 15_000).catch(() => undefined);
    assert.ok(tookMs.length === 2 && Math.max(...tookMs) < 3_000, `taken over after ${tookMs.map(Math.round)} ms`);
    assert.deepEqual([...heard].sort(), [...expected].sort());
    const stream = await client.xrange('strategy_engine:signals', '-', '+');
    assert.deepEqual(stream.map(([, fields]) => fields[1]).sort(), [...expected].sort());
    listener.disconnect();
  }

  it('one leads and two follow; killed leaders are replaced within 3 s, and every signal is told exactly once', () =>
    takenOver('channel', (text) => client.publish(inputs.channel, text), [300, 600]));

  it('likewise when they read a stream, of which nothing is left unacknowledged', async () => {
    await takenOver('stream', (text) => client.xadd(inputs.stream, '*', 'data', text), [150, 500]);
    const unacknowledged = async () => ((await client.xpending(inputs.stream, 'strategy_engine')) as [number])[0];
    await until('all is acknowledged', async () => (await unacknowledged()) === 0);
  });

  it('executions tracked through all of them at once are counted once each, in every one', async () => {
    const all = await started(2, 'writers', 'channel');
    await call(all[0]?.port ?? 0, '/api/strategy/register', { body: JSON.stringify(strategy) });
    const each = 1_000;
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const post = (one: Process, id: string, pnl: number) => {
      const result = { execution_id: id, pnl, success: pnl > 0, execution_time_ms: 1 };
      const body = JSON.stringify({ strategy_id: 'cross', execution_result: result });
      return call(one.port, '/api/performance/track', { body, agent });
    };
    const statuses = await Promise.all(
      all.flatMap((one, p) =>
        Array.from({ length: each }, async (_, i) => {
          const { status, text } = await post(one, `${p}-${i}`, i % 2 ? 0.1 : -0.03);
          return status === 200 ? '' : text;
        }),
      ),
    );
    assert.deepEqual(
      statuses.filter((text) => text !== ''),
      [],
    );
    // The same ids through the other one are known.
    const again = await Promise.all(
      all.flatMap((_, p) =>
        Array.from({ length: 20 }, (__, i) => post(all[1 - p] as Process, `${p}-${i}`, i % 2 ? 0.1 : -0.03)),
      ),
    );
    assert.ok(again.every(({ body }) => body.duplicate === true));
    agent.destroy();
    const totals = async (one: Process) => {
      const { body } = await call(one.port, '/api/performance/cross');
      const { executions, total_pnl, success_rate } = body.metrics as Record<string, unknown>;
      return { executions, total_pnl, success_rate };
    };
    const expected = { executions: each * 2, total_pnl: each * 0.07, success_rate: 0.5 };
    for (const one of all) {
      await until('it has followed', async () => (await totals(one)).executions === each * 2).catch(() => undefined);
      assert.deepEqual(await totals(one), expected);
    }
  });
});
