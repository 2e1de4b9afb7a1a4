/** P4 and P7: from a tick published on Redis to its signal, against a subscriber that only parses and an empty engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { StrategyDefinition } from '../../src/core/strategies/strategy';
import type { Engine } from '../../src/live/engine-api';
import { startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';
import { built, type Contest, type Side } from './harness';
import { Publisher, type Sent } from './publisher';
import { metronome } from './strategies/metronome';
import { metronomeTypes, tickTypes } from './strategies/types';

const { openEngine } = built<typeof import('../../src/compose')>('compose');

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const types: readonly StrategyDefinition[] = [...tickTypes, ...metronomeTypes];

async function engineOn(
  url: string,
  name: string,
  path: string,
  strategies: readonly [string, number][],
): Promise<Engine> {
  const engine = await openEngine({
    name,
    store: { kind: 'embedded', path },
    redis: { url, inputChannel: `${name}_in`, outputChannel: `${name}_out` },
    strategies: types,
    logger: silent,
    capital: 1e9,
    // What is measured is the way, not the gates at its end.
    risk: { maxTotalExposure: 1e6, maxOpenPositions: 1e6 },
  });
  for (const [i, [strategyType, period]] of strategies.entries()) {
    const strategyId = `${strategyType}_${i}`;
    await engine.register({ strategyType, strategyId, parameters: { period }, allowShort: true });
  }
  return engine;
}

function mixed(count: number): [string, number][] {
  return Array.from({ length: count }, (_, i) => [
    tickTypes[i % tickTypes.length]?.type ?? '',
    400 + 40 * Math.floor(i / 10),
  ]);
}

interface Stage {
  readonly publisher: Publisher;
  readonly url: string;
  readonly dir: string;
  close(engines: readonly Engine[]): Promise<void>;
}

async function stage(): Promise<Stage> {
  const redis = await startRedis({ args: ['--client-output-buffer-limit', 'pubsub 0 0 0'] });
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  const publisher = new Publisher(redis.port);
  return {
    publisher,
    url: redis.url,
    dir,
    async close(engines) {
      publisher.close();
      for (const engine of engines) await engine.close();
      await redis.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const burst = 5_000;
const bursts = 5;

function taken(engine: Engine): number {
  return engine.summary().throughput.ticksTotal;
}

export async function p4(): Promise<readonly Contest[]> {
  const { publisher, url, dir, close } = await stage();
  const engine = await engineOn(url, 'bench', dir, mixed(10));
  let signals = 0;
  engine.on('signal', () => signals++);
  const client = new Redis(url);
  const listener = new Redis(url);
  let parsed = 0;
  let sum = 0;
  await listener.subscribe('raw_in');
  listener.on('message', (_channel, text) => {
    sum += (JSON.parse(text) as { price: number }).price;
    parsed++;
  });
  const ours: Side = {
    name: 'engine',
    async run() {
      const before = taken(engine);
      for (let i = 1; i <= bursts; i++) {
        await publisher.burst('bench_in', burst);
        await until('the engine has taken the burst', () => taken(engine) >= before + i * burst, 20_000);
      }
      const { outcomes } = engine.summary().throughput;
      const lost = [...outcomes].filter(([name]) => !name.startsWith('accepted'));
      const conflated = before + bursts * burst - taken(engine);
      if (conflated !== 0 || lost.some(([, count]) => count > 0))
        throw new Error(`ticks were lost: ${JSON.stringify(lost)}`);
      return bursts * burst;
    },
  };
  const peer: Side = {
    name: 'ioredis + JSON.parse',
    async run() {
      const before = parsed;
      for (let i = 1; i <= bursts; i++) {
        await publisher.burst('raw_in', burst);
        await until('the subscriber has taken the burst', () => parsed >= before + i * burst, 20_000);
      }
      if (!(sum > 0)) throw new Error('nothing was parsed');
      return bursts * burst;
    },
  };
  return [
    {
      name: 'P4 Redis to signal, 10 strategies, tape on',
      unit: 'ticks per CPU s',
      goal: 0.7,
      ours,
      peer,
      note: () => `${signals} signals were published`,
      async close() {
        client.disconnect();
        listener.disconnect();
        await close([engine]);
      },
    },
  ];
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const paceCount = 12_000;

/** Latencies of a run at 5,000 ticks a second: from the write of the tick to the listener of its signal, in ms. */
async function latencies(engine: Engine, publisher: Publisher, channel: string): Promise<readonly number[]> {
  const heard = new Map<string, number>();
  const stop = engine.on('signal', (signal) => {
    const key = `${signal.symbol} ${signal.timestampMs}`;
    if (!heard.has(key)) heard.set(key, performance.timeOrigin + performance.now());
  });
  const before = taken(engine);
  const sent: readonly Sent[] = await publisher.pace(channel, 5_000, paceCount);
  await until('all ticks are taken', () => taken(engine) >= before + paceCount, 10_000);
  stop();
  return sent.flatMap(([symbol, timestamp, writtenAt]) => {
    const at = heard.get(`SIM:S${symbol} ${timestamp}`);
    return at === undefined ? [] : [at - writtenAt];
  });
}

export async function p7(): Promise<readonly Contest[]> {
  const { publisher, url, dir, close } = await stage();
  const full = await engineOn(url, 'full', join(dir, 'full'), [[metronome.type, 10], ...mixed(50)]);
  const empty = await engineOn(url, 'empty', join(dir, 'empty'), [[metronome.type, 10]]);
  const all: number[] = [];
  const side = (name: string, engine: Engine, channel: string, keep: number[]): Side => ({
    name,
    async run() {
      const values = await latencies(engine, publisher, channel);
      if (values.length < 500) throw new Error(`only ${values.length} signals`);
      keep.push(...values);
      return percentile(values, 0.99);
    },
  });
  return [
    {
      name: 'P7 p99 from publish to signal, 5,000 ticks/s, 50 strategies',
      unit: 'ms',
      isLatency: true,
      goal: 1.5,
      ours: side('engine', full, 'full_in', all),
      peer: side('one strategy', empty, 'empty_in', []),
      note: () =>
        `${all.length} signals: p50 ${percentile(all, 0.5).toFixed(2)} ms (goal < 1), p99 ${percentile(all, 0.99).toFixed(2)} ms (goal < 10)`,
      close: () => close([full, empty]),
    },
  ];
}
