/**
 * A user's program: an engine that reads a stream. It runs until it has stored a given entry, or until it is killed; it can
 * be told to kill itself at one exact moment. Arguments: a JSON of `StreamPlan`.
 */
import type * as product from '../../../src/index';
import { built } from '../../helpers/built';
import { walkers } from '../../helpers/walking-market';

export type StreamKillPoint = 'signal' | 'snapshot' | 'closing';

export interface StreamPlan {
  readonly url: string;
  readonly data: string;
  /** The last entry; empty reads on for ever. */
  readonly until: string;
  readonly kill: { readonly at: StreamKillPoint; readonly nth: number } | null;
}

const plan = JSON.parse(process.argv[2] ?? '') as StreamPlan;
const { openEngine, createConsoleLogger } = require(built('src/index.js')) as typeof product;
const feed = 'stream:strategy_engine:input';

const passed = new Map<StreamKillPoint, number>();
function pass(point: StreamKillPoint): void {
  const count = (passed.get(point) ?? 0) + 1;
  passed.set(point, count);
  if (plan.kill?.at === point && plan.kill.nth === count) process.kill(process.pid, 'SIGKILL');
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

async function main(): Promise<void> {
  const engine = await openEngine({
    name: 'streamed',
    store: { kind: 'embedded', path: plan.data },
    capital: 10_000,
    redis: { url: plan.url, inputChannel: null },
    logger: createConsoleLogger({ level: 'silent' }),
  });
  for (const walker of walkers) await engine.register(walker);
  engine.on('signal', () => pass('signal'));
  await engine.close();
  // The strategies are there before the first entry is read.
  const reading = await openEngine({
    name: 'streamed',
    store: { kind: 'embedded', path: plan.data },
    capital: 10_000,
    redis: { url: plan.url, inputChannel: null, inputStream: 'strategy_engine:input' },
    logger: createConsoleLogger({ level: 'silent' }),
  });
  reading.on('signal', () => pass('signal'));
  process.stdout.write('open\n');
  for (let n = 1; plan.until === '' || (await reading.feedStored(feed)).entry !== plan.until; n++) {
    await turn();
    if (n % 20 > 0) continue;
    const taken = reading.snapshot();
    setImmediate(() => setImmediate(() => pass('snapshot')));
    await taken;
  }
  const { strategies } = reading.strategies({});
  const state = {
    positions: reading.positions(),
    strategies: strategies.map(({ strategyId, version, signals }) => ({ strategyId, version, signals })),
    entry: reading.feedEntry(feed),
    ticks: (await reading.metricsText()).split('\n').filter((line) => line.startsWith('strategy_engine_ticks_total')),
  };
  const closed = reading.close();
  setImmediate(() => pass('closing'));
  await closed;
  process.stdout.write(`${JSON.stringify(state)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
