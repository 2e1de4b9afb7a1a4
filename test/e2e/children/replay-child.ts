/**
 * A user's program: replays minute bars through several strategies and keeps every signal in a file. It can be told to
 * kill itself at one exact moment. Arguments: a JSON of `ReplayPlan`.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import type * as product from '../../../src/index';
import { built } from '../../helpers/built';

export type KillPoint =
  | 'registered'
  | 'changed'
  | 'signal unheard'
  | 'signal heard'
  | 'batch'
  | 'snapshot'
  | 'tracked'
  | 'closing';

export interface ReplayPlan {
  readonly file: string;
  readonly data: string;
  /** Signals are appended here. */
  readonly out: string;
  /** Rows of the file to read. */
  readonly rows: number;
  /** Rows in a batch: from, and up to. */
  readonly batch: readonly [number, number];
  readonly kill: { readonly at: KillPoint; readonly nth: number } | null;
}

const plan = JSON.parse(process.argv[2] ?? '') as ReplayPlan;
const { createEngine } = require(built('src/index.js')) as typeof product;

const passed = new Map<KillPoint, number>();
function pass(point: KillPoint): void {
  const count = (passed.get(point) ?? 0) + 1;
  passed.set(point, count);
  if (plan.kill?.at === point && plan.kill.nth === count) process.kill(process.pid, 'SIGKILL');
}

const strategies = [
  { strategyId: 'cross', strategyType: 'moving_average_crossover' },
  { strategyId: 'revert', strategyType: 'mean_reversion', allowShort: false },
  { strategyId: 'break-5m', strategyType: 'breakout_strategy', timeframe: '5m' },
  { strategyId: 'family', strategyType: 'trend_following' },
];
/** In the middle of the file a strategy gets another parameter, and every so many rows an execution is tracked. */
const changeAt = 5_000;
const trackEvery = 1_500;
const feed = 'minutes';

function bars(): readonly object[] {
  const lines = readFileSync(plan.file, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1, plan.rows + 1);
  return lines.map((line) => {
    const [time = '', open, high, low, close, volume] = line.split(',');
    const timestamp = `${time.slice(0, 10)}T${time.slice(11, 19)}Z`;
    return { symbol: 'BTCPERP', timeframe: '1m', timestamp, open, high, low, close, volume };
  });
}

async function main(): Promise<void> {
  const engine = await createEngine({ name: 'replay', store: { kind: 'embedded', path: plan.data }, capital: 10_000 });
  for (const strategy of strategies) await engine.register(strategy);
  pass('registered');
  engine.on('signal', (signal) => {
    pass('signal unheard');
    appendFileSync(plan.out, `${JSON.stringify(signal)}\n`);
    pass('signal heard');
  });
  const rows = bars();
  const [from, to] = plan.batch;
  let row = engine.feedRow(feed) + 1;
  for (let n = row; row <= rows.length; n++) {
    // Batches of another size in every life: what comes out must not depend on it.
    const edges = acts(rows.length).filter((one) => one > row);
    const end = Math.min(row + from + ((n * 7_919) % (to - from + 1)), ...edges, rows.length + 1);
    await actsBefore(engine, row);
    const items = rows.slice(row - 1, end - 1);
    await engine.processMarketData(items, { door: 'ordered', source: 'file', position: { feed, row } });
    pass('batch');
    row = end;
    if (n % 11 === 0) {
      const taken = engine.snapshot();
      setImmediate(() => setImmediate(() => pass('snapshot')));
      await taken;
    }
  }
  // Listeners are told what the last life may not have told before the program asks for anything more.
  await new Promise((resolve) => setImmediate(resolve));
  const performance = await engine.performance(null);
  const { strategies: views } = await engine.strategies();
  const state = {
    positions: engine.positions(),
    executions: performance.metrics.executions,
    totalPnl: performance.metrics.totalPnl,
    strategies: views.map(({ strategyId, version, signals }) => ({ strategyId, version, signals })),
    feedRow: engine.feedRow(feed),
  };
  const closed = engine.close();
  setImmediate(() => pass('closing'));
  await closed;
  process.stdout.write(`${JSON.stringify(state)}\n`);
}

/** Rows before which the program does something. */
function acts(rows: number): number[] {
  return [changeAt, ...Array.from({ length: Math.floor(rows / trackEvery) }, (_, i) => (i + 1) * trackEvery)];
}

/** What the program does between two batches, each once whatever happens. */
async function actsBefore(engine: product.Engine, row: number): Promise<void> {
  if (row >= changeAt && (await engine.strategy('cross')).version === 1) {
    await engine.update('cross', { parameters: { fastPeriod: 5 } });
    pass('changed');
  }
  if (row % trackEvery !== 0) return;
  const executionResult = { pnl: row / 1e8, success: true, executionTimeMs: 1, executionId: `row-${row}` };
  await engine.track({ strategyId: 'family', executionResult });
  pass('tracked');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
