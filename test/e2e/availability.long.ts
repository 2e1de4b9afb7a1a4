/** An hour of faults, compressed: how much of the time every answer is right. `TEST_HOUR_S` is how long it takes. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { exactTotals, type Operation } from '../faults/counting';
import { settleAll, startLoad } from '../faults/load';
import { type FaultProxy, seeded, startProxy } from '../faults/proxy';
import { aofArgs } from '../faults/redis-engine';
import { registerTracked, strategyId, TrackServer, totals } from '../faults/tracking';
import { figure } from '../helpers/figures';
import { call } from '../helpers/http-client';
import { freePort, type RedisServer, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const hourS = Number(process.env.TEST_HOUR_S ?? 360);
const seed = Number(process.env.TEST_SEED ?? 20_260_108);

interface Stage {
  readonly redis: RedisServer;
  readonly proxy: FaultProxy;
  readonly server: TrackServer;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function restartRedis({ redis }: Stage): Promise<void> {
  await redis.kill9();
  await redis.restart();
}

async function restartServer({ server }: Stage): Promise<void> {
  await server.end('SIGKILL');
  await server.start();
}

/** What happens, at which share of the hour. Durations are not compressed: a frozen Redis is frozen for 3 s. */
const script: readonly (readonly [at: number, what: string, act: (stage: Stage) => Promise<void>])[] = [
  [0.05, 'Redis killed and restarted', restartRedis],
  [0.15, 'engine killed and restarted', restartServer],
  [
    0.25,
    'Redis frozen for 3 s',
    async ({ redis }) => {
      redis.freeze();
      await pause(3_000);
      redis.thaw();
    },
  ],
  [
    0.35,
    'half-open connection for 3 s',
    async ({ proxy }) => {
      proxy.set({ kind: 'freeze' });
      await pause(3_000);
      proxy.set({ kind: 'pass' });
    },
  ],
  [
    0.45,
    'replies cut with p = 3 % for 10 s',
    async ({ proxy }) => {
      proxy.set({ kind: 'cut-before-reply', p: 0.03 });
      await pause(10_000);
      proxy.set({ kind: 'pass' });
    },
  ],
  [
    0.6,
    'Redis down for 5 s',
    async ({ redis }) => {
      await redis.kill9();
      await pause(5_000);
      await redis.restart();
    },
  ],
  [
    0.75,
    'connection reset five times',
    async ({ proxy }) => {
      for (let i = 0; i < 5; i++) {
        proxy.set({ kind: 'reset' });
        proxy.set({ kind: 'pass' });
        await pause(1_000);
      }
    },
  ],
  [
    0.85,
    'engine and Redis killed and restarted',
    async (stage) => {
      await Promise.all([stage.server.end('SIGKILL'), stage.redis.kill9()]);
      await stage.redis.restart();
      await stage.server.start();
    },
  ],
];

/** One-second slots of a run, each right until an answer in it is not. */
class Slots {
  private readonly begunMs = performance.now();
  private readonly wrong = new Set<number>();
  private readonly seen = new Set<number>();
  answers = 0;
  errors = 0;

  note(sentMs: number, isRight: boolean): void {
    const slot = Math.floor((sentMs - this.begunMs) / 1_000);
    this.seen.add(slot);
    this.answers += 1;
    if (isRight) return;
    this.errors += 1;
    this.wrong.add(slot);
  }

  share(): number {
    return 1 - this.wrong.size / this.seen.size;
  }
}

/** Reads and market data, which need no store: ten and five a second. */
function askAlong(port: number, slots: Slots): () => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const open = new Set<Promise<void>>();
  let nth = 0;
  const ask = async (): Promise<void> => {
    const sentMs = performance.now();
    const tick = JSON.stringify({ symbol: 'ABC', price: 100 + (nth % 10) });
    const market = { body: tick, agent };
    const asked =
      nth++ % 3 === 0
        ? call(port, '/api/strategy_engine/process_market_data', market)
        : call(port, '/api/strategy_engine/summary', { agent });
    const isRight = await asked.then(
      ({ status }) => status === 200,
      () => false,
    );
    slots.note(sentMs, isRight);
  };
  const timer = setInterval(() => {
    const asked: Promise<void> = ask().finally(() => open.delete(asked));
    open.add(asked);
  }, 67);
  return async () => {
    clearInterval(timer);
    await Promise.all(open);
    agent.destroy();
  };
}

describe(`an hour of faults in ${hourS} s (seed ${seed})`, () => {
  it('is survived with exact sums; how much of it every answer was right is told', async () => {
    const { path, remove } = temporaryDirectory('hour');
    const redis = await startRedis({ args: aofArgs('everysec') });
    const proxy = await startProxy(redis.port, seeded(seed));
    const server = new TrackServer('track-child.ts', join(path, 'local'), await freePort(), proxy.url);
    const stage = { redis, proxy, server };
    const random = seeded(seed + 1);
    const operations: Operation[] = [];
    const next = () => {
      const units = Math.round((random() - 0.5) * 2e11);
      const operation = { id: `h${operations.length}`, units, success: units > 0 };
      operations.push(operation);
      return operation;
    };
    try {
      await server.start();
      await registerTracked(server.port);
      const slots = new Slots();
      const begunMs = performance.now();
      const load = startLoad({ port: server.port, strategyId, pace: { perS: 20 }, next });
      const endAsking = askAlong(server.port, slots);
      for (const [at, what, act] of script) {
        await until(what, () => performance.now() - begunMs >= at * hourS * 1_000, hourS * 1_000);
        await act(stage);
      }
      await until('the hour is over', () => performance.now() - begunMs >= hourS * 1_000, hourS * 1_000);
      await endAsking();
      await load.stop();
      for (const { sentMs, status } of load.replies) slots.note(sentMs, status === 200);
      const open = load.replies.filter(({ status }) => status !== 200).map(({ operation }) => operation);
      await settleAll(server.port, strategyId, open);
      const { executions, totalPnl } = await totals(server.port);
      const exact = exactTotals(operations);
      const isExact = executions === exact.executions && totalPnl === exact.units / 1e8;
      const share = `${(slots.share() * 100).toFixed(2)} % of the seconds without one wrong answer`;
      const rate = `${((slots.errors / slots.answers) * 100).toFixed(2)} % of ${slots.answers} requests failed`;
      const value = `${share}, ${rate}, sums ${isExact ? 'exact' : 'not exact'}`;
      const what = `availability in ${hourS} s with ${script.length} faults`;
      assert.ok(figure('A1', what, value, 'told as measured; sums exact', isExact, { tier: 'R', seed }));
    } finally {
      await server.end('SIGKILL');
      await proxy.close();
      await redis.stop();
      remove();
    }
  });
});
