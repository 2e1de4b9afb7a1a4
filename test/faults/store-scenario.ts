/** A short life of an engine on the store in Redis, through one command of Redis that fails; and what is known then. */
import assert from 'node:assert/strict';
import { openEngine } from '../../src/compose';
import { EngineError } from '../../src/core/domain/errors';
import { limits } from '../../src/core/domain/limits';
import type { Engine } from '../../src/live/engine-api';
import { logLines } from '../helpers/redis-probe';
import { type Operation, operationsOf } from './counting';
import { type Act, pass, type RespServer, refusal, type Script } from './resp-server';

/** The ways in which a command can fail that say nothing of the others. */
export const storeActs: readonly Act[] = [
  { kind: 'cut-after' },
  refusal("OOM command not allowed when used memory > 'maxmemory'."),
  { kind: 'half' },
  { kind: 'cut' },
  refusal('MISCONF Redis is configured to save RDB snapshots, but it is unable to persist on disk.'),
  { kind: 'say', bytes: '?garbage\r\n' },
];

const strategyId = 'lived';
const operations = operationsOf(12, 20_260_110);
const patienceMs = 15_000;

export interface Lived {
  readonly totals: unknown;
  readonly version: unknown;
  /** Commands that came to Redis, without PINGs and what is asked by the clock. */
  readonly commands: number;
  readonly slowestMs: number;
}

/** Counted are the commands of the scenario; the lease and the following of the log go by time and are not repeatable. */
const byTime = new Set(['PING', 'XRANGE']);
export const isCounted = ([name = '', script = '']: readonly string[]): boolean =>
  !byTime.has(name) && !script.includes('ZADD');

function codeOf(thrown: unknown): string {
  return thrown instanceof EngineError ? thrown.code : String(thrown);
}

/** Repeats a call until it is done, for as long as its refusals say that it may be; each try settles in time. */
async function done<T>(
  call: () => Promise<T>,
  slowest: (ms: number) => void,
  fine: readonly string[] = [],
): Promise<void> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    const sentMs = performance.now();
    const code = await call().then(() => null, codeOf);
    slowest(performance.now() - sentMs);
    if (code === null || fine.includes(code)) return;
    assert.ok(code === 'ConnectionError' || code === 'TimeoutError', code);
    assert.ok(performance.now() < endMs, `never done: ${code}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function opened(url: string, name: string): Promise<Engine> {
  let engine: Engine | null = null;
  const open = async () => {
    engine = await openEngine({ name, store: { kind: 'redis', url }, logger: logLines(), seed: 3 });
  };
  await done(open, () => {});
  return engine ?? assert.fail();
}

const track = (engine: Engine, { id, units, success }: Operation) =>
  engine.track({ strategyId, executionResult: { executionId: id, pnl: units / 1e8, success, executionTimeMs: 1 } });

function knownTo(engine: Engine): { readonly totals: unknown; readonly version: unknown } {
  const { executions, totalPnl, successRate } = engine.performance(strategyId).metrics as Record<string, unknown>;
  const version = engine.versions(strategyId).versions.length;
  return { totals: { executions, totalPnl, successRate }, version };
}

/** Lives once under `name`; what a second engine reads afterwards from Redis itself is the same. */
export async function live(server: RespServer, redisUrl: string, name: string, script: Script): Promise<Lived> {
  let commands = 0;
  let slowestMs = 0;
  const slowest = (ms: number) => {
    slowestMs = Math.max(slowestMs, ms);
  };
  server.script((words, nth) => {
    if (!isCounted(words)) return pass;
    commands += 1;
    return script(words, nth);
  });
  const engine = await opened(server.url, name);
  try {
    const parameters = { strategyType: 'mean_reversion', strategyId };
    await done(() => engine.register(parameters), slowest, ['ConflictError']);
    for (const operation of operations.slice(0, 8)) await done(() => track(engine, operation), slowest);
    await done(() => engine.snapshot(), slowest);
    await done(() => engine.update(strategyId, { name: 'renamed', expectedVersion: 1 }), slowest, ['ConflictError']);
    await Promise.all(operations.slice(8).map((operation) => done(() => track(engine, operation), slowest)));
    await done(() => engine.snapshot(), slowest);
    const known = knownTo(engine);
    const count = commands;
    server.script(() => pass);
    assert.ok(slowestMs < limits.requestMs, `settled after ${slowestMs} ms`);
    await engine.close();
    const again = await opened(redisUrl, name);
    assert.deepEqual(knownTo(again), known, 'a second engine reads the same');
    await again.close();
    return { ...known, commands: count, slowestMs };
  } finally {
    server.script(() => pass);
    await engine.close();
  }
}
