/** Operations that must each be counted once, done by several writers who try again until they are acknowledged. */
import { Redis } from 'ioredis';
import { EngineError } from '../../src/core/domain/errors';
import type { Engine } from '../../src/live/engine-api';
import { seeded } from './proxy';

export interface Operation {
  readonly id: string;
  /** Integers of 1e-8. */
  readonly units: number;
  readonly success: boolean;
}

export interface Totals {
  readonly executions: number;
  readonly units: number;
  readonly successRate: number | null;
}

/** Something that counts; rejects when it cannot say that it did. */
export interface Counter {
  count(operation: Operation): Promise<void>;
  totals(): Promise<Totals>;
}

export interface Counted {
  readonly operations: number;
  readonly attempts: number;
  /** Attempts that had not settled after `patienceMs`. */
  readonly unsettled: number;
  readonly slowestMs: number;
}

const patienceMs = 5_000;

export function operationsOf(count: number, seed: number, prefix = 'e'): readonly Operation[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, i) => {
    const units = Math.round((random() - 0.5) * 2e11);
    return { id: `${prefix}${i}`, units, success: units > 0 };
  });
}

/** What has to be known when each was counted once. */
export function exactTotals(operations: readonly Operation[]): Totals {
  const units = operations.reduce((sum, one) => sum + one.units, 0);
  const successes = operations.filter(({ success }) => success).length;
  return {
    executions: operations.length,
    units,
    successRate: operations.length === 0 ? null : successes / operations.length,
  };
}

/** Hands the operations to the counters in turn, so many at a time, each until it is acknowledged. */
export async function countAll(
  counters: readonly Counter[],
  operations: readonly Operation[],
  atOnce: number,
): Promise<Counted> {
  let next = 0;
  let attempts = 0;
  let unsettled = 0;
  let slowestMs = 0;
  const attempt = async (counter: Counter, operation: Operation): Promise<boolean> => {
    attempts += 1;
    const sentMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'unsettled'>((resolve) => {
      timer = setTimeout(() => resolve('unsettled'), patienceMs);
    });
    const settled = counter.count(operation).then(
      () => 'done' as const,
      () => 'failed' as const,
    );
    const outcome = await Promise.race([settled, patience]);
    clearTimeout(timer);
    slowestMs = Math.max(slowestMs, performance.now() - sentMs);
    if (outcome === 'unsettled') unsettled += 1;
    return outcome === 'done';
  };
  const writer = async (): Promise<void> => {
    for (let at = next++; at < operations.length; at = next++) {
      const counter = counters[at % counters.length] as Counter;
      const operation = operations[at] as Operation;
      while (!(await attempt(counter, operation))) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, writer));
  return { operations: operations.length, attempts, unsettled, slowestMs };
}

/** The product. */
export function engineCounter(engine: Engine, strategyId: string): Counter {
  return {
    async count({ id, units, success }) {
      const executionResult = { executionId: id, pnl: units / 1e8, success, executionTimeMs: 1 };
      await engine.track({ strategyId, executionResult }).catch((thrown: unknown) => {
        if (thrown instanceof EngineError && ['ConnectionError', 'TimeoutError'].includes(thrown.code)) throw thrown;
        // A refusal would be tried for ever.
        throw new Error('defect', { cause: thrown });
      });
    },
    async totals() {
      const { metrics } = engine.performance(strategyId);
      const { executions, totalPnl, successRate } = metrics as Record<string, number>;
      return {
        executions: executions ?? 0,
        units: Math.round((totalPnl ?? 0) * 1e8),
        successRate: successRate ?? null,
      };
    },
  };
}

/** A store as one writes it on the first day: the record is read, changed, written back. */
export function readModifyWrite(url: string): Counter & { close(): void } {
  const client = naiveClient(url);
  const read = async (): Promise<{ executions: number; units: number; successes: number }> =>
    JSON.parse((await client.get('naive')) ?? '{"executions":0,"units":0,"successes":0}');
  return {
    async count({ units, success }) {
      const record = await read();
      record.executions += 1;
      record.units += units;
      record.successes += success ? 1 : 0;
      await client.set('naive', JSON.stringify(record));
    },
    async totals() {
      const { executions, units, successes } = await read();
      return { executions, units, successRate: executions === 0 ? null : successes / executions };
    },
    close: () => client.disconnect(),
  };
}

/** On the second day it adds up in Redis, but knows no ids, and money is a fraction. */
export function incrementing(url: string): Counter & { close(): void } {
  const client = naiveClient(url);
  return {
    async count({ units, success }) {
      const outcomes = await client
        .multi()
        .hincrby('naive', 'executions', 1)
        .hincrbyfloat('naive', 'pnl', units / 1e8)
        .hincrby('naive', 'successes', success ? 1 : 0)
        .exec();
      if (outcomes === null) throw new Error('not done');
    },
    async totals() {
      const { executions = '0', pnl = '0', successes = '0' } = await client.hgetall('naive');
      const count = Number(executions);
      return {
        executions: count,
        units: Number(pnl) * 1e8,
        successRate: count === 0 ? null : Number(successes) / count,
      };
    },
    close: () => client.disconnect(),
  };
}

function naiveClient(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: 1, commandTimeout: 500 });
  client.on('error', () => {});
  return client;
}
