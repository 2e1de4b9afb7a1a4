/** P8: performance/track by 64 callers on the embedded store, against writing as much to bare lmdb and waiting for the disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { built, type Contest, type Side } from './harness';

const { openEngine } = built<typeof import('../../src/compose')>('compose');

const silent = { debug() {}, info() {}, warn() {}, error() {} };
export const callers = 64;
const each = 40;

/** Every caller does one call after the other. */
export async function byCallers(call: (id: string) => Promise<unknown>, round: number): Promise<number> {
  const one = async (caller: number): Promise<void> => {
    for (let i = 0; i < each; i++) await call(`${round}-${caller}-${i}`);
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => one(caller)));
  return callers * each;
}

export async function p8(): Promise<readonly Contest[]> {
  const { p8Redis } = require('./track-redis-bench') as typeof import('./track-redis-bench');
  return [await embedded(), await p8Redis()];
}

async function embedded(): Promise<Contest> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  const engine = await openEngine({
    name: 'track',
    store: { kind: 'embedded', path: join(dir, 'ours') },
    logger: silent,
  });
  await engine.register({ strategyType: 'moving_average_crossover', strategyId: 'tracked' });
  const raw = open<string, string>({ path: join(dir, 'raw'), encoding: 'string' });
  let round = 0;
  const ours: Side = {
    name: 'engine',
    run: () =>
      byCallers(
        (id) =>
          engine.track({
            strategyId: 'tracked',
            executionResult: { executionId: id, pnl: 1.25, success: true, executionTimeMs: 12, symbol: 'BTCUSDT' },
          }),
        ++round,
      ),
  };
  const record = 'x'.repeat(600);
  const peer: Side = {
    name: 'lmdb put + flushed',
    run: () =>
      byCallers(async (id) => {
        await raw.put(id, record);
        await raw.flushed;
      }, ++round),
  };
  return {
    name: `P8 track, embedded, ${callers} callers`,
    unit: 'calls per s',
    isWallClock: true,
    goal: 0.7,
    ours,
    peer,
    async close() {
      await engine.close();
      await raw.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
