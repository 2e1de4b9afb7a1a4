/** Kills around a store in Redis: of the engine's process, of Redis, of both; clients go on all the while. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { freePort, type RedisServer, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { seeded } from './proxy';
import { type Aof, aofArgs } from './redis-engine';
import { expected, registerTracked, strikeUnderLoad, TrackServer, totals, unknownOf, type Verdict } from './tracking';

/** What a Redis without an AOF may lose must be what is remembered: a second and a bit of it. */
const pauses: Readonly<Record<Aof, number>> = { everysec: 0, always: 0, none: 0, saved: 20 };

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
    const verdict = await strikeUnderLoad({
      ports: [server.port],
      strikes: kills,
      random,
      strike,
      pauseMs: pauses[aof],
    });
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

/** Two processes on one engine, both written to: either of them is killed, or Redis, or Redis with one of them or both. */
export async function killAmong(kills: number, aof: Aof, seed: number): Promise<Killed> {
  const { path: directory, remove } = temporaryDirectory('redis-kill-two');
  const redis = await startRedis({ args: aofArgs(aof) });
  const open = async (name: string) =>
    new TrackServer('track-child.ts', join(directory, name), await freePort(), redis.url);
  const servers = [await open('one'), await open('two')] as const;
  const random = seeded(seed);
  const draw = seeded(seed + 1);
  const everywhere = <T>(work: (server: TrackServer) => Promise<T>) => Promise.all(servers.map(work));
  try {
    await everywhere((server) => server.start());
    await registerTracked(servers[0].port);
    const strike = async () => {
      const at = draw();
      const one = servers[draw() < 0.5 ? 0 : 1];
      const struck = at < 0.3 ? [] : at < 0.8 ? [one] : servers;
      const isRedisStruck = at < 0.3 || at >= 0.5;
      await Promise.all([...struck.map((server) => server.end('SIGKILL')), isRedisStruck && redis.kill9()]);
      if (isRedisStruck) await redis.restart();
      await Promise.all(struck.map((server) => server.start()));
    };
    const ports = [servers[0].port, servers[1].port] as const;
    const verdict = await strikeUnderLoad({ ports, strikes: kills, random, strike, pauseMs: pauses[aof] });
    const exact = expected(verdict);
    const isExactAt = async ({ port }: TrackServer) => {
      const unknown = await unknownOf(port, verdict.acknowledged);
      const { executions, totalPnl } = await totals(port);
      return executions === exact.executions && totalPnl === exact.totalPnl && unknown.length === 0;
    };
    const isExact = (await everywhere(isExactAt)).every((one) => one);
    // Read when both have followed.
    return { ...verdict, ...(await totals(servers[0].port)), isExact };
  } finally {
    await everywhere((server) => server.end('SIGKILL'));
    await redis.stop();
    remove();
  }
}
