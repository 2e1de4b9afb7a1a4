/** Kills around a store in Redis: of the engine's process, of Redis, of both; clients go on all the while. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { freePort, type RedisServer, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { seeded } from './proxy';
import { type Aof, aofArgs } from './redis-engine';
import { expected, registerTracked, strikeUnderLoad, TrackServer, totals, unknownOf, type Verdict } from './tracking';

export type Victim = 'process' | 'redis' | 'either';

export interface Killed extends Verdict {
  /** What is counted is what was acknowledged, also after a clean restart, and every acknowledged id is known. */
  readonly isExact: boolean;
}

async function killRedis(redis: RedisServer): Promise<void> {
  await redis.kill9();
  await redis.restart();
}

async function killProcess(server: TrackServer): Promise<void> {
  await server.end('SIGKILL');
  await server.start();
}

/** Nothing acknowledged may be lost, nothing counted twice: with an AOF, and without one as far back as is remembered. */
export async function killAround(victim: Victim, kills: number, aof: Aof, seed: number): Promise<Killed> {
  const { path: directory, remove } = temporaryDirectory('redis-kill');
  const redis = await startRedis({ args: aofArgs(aof) });
  const server = new TrackServer('track-child.ts', join(directory, 'local'), await freePort(), redis.url);
  const random = seeded(seed);
  const draw = seeded(seed + 1);
  try {
    await server.start();
    await registerTracked(server.port);
    const strike = async () => {
      const at = draw();
      if (victim === 'redis' || (victim === 'either' && at < 0.4)) return killRedis(redis);
      if (victim === 'process' || at < 0.8) return killProcess(server);
      await Promise.all([server.end('SIGKILL'), redis.kill9()]);
      await redis.restart();
      await server.start();
    };
    const verdict = await strikeUnderLoad({ port: server.port, strikes: kills, random, strike });
    const exact = expected(verdict);
    const { executions, totalPnl } = verdict;
    const isExact = executions === exact.executions && totalPnl === exact.totalPnl;
    assert.equal(await server.end('SIGTERM'), 0);
    await server.start();
    const after = await totals(server.port);
    const isKept = after.executions === exact.executions && after.totalPnl === exact.totalPnl;
    const unknown = await unknownOf(server.port, verdict.acknowledged);
    return { ...verdict, isExact: isExact && isKept && unknown.length === 0 };
  } finally {
    await server.end('SIGKILL');
    await redis.stop();
    remove();
  }
}
