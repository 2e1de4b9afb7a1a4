/** A Redis that is away, or frozen, under a steady load over HTTP: what each request was answered, and when. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';
import { exactTotals, type Operation } from './counting';
import { type LoadOptions, type Reply, settleAll, startLoad } from './load';
import { seeded } from './proxy';
import { aofArgs } from './redis-engine';
import { registerTracked, strategyId, TrackServer, totals } from './tracking';

export interface Outage {
  readonly kind: 'down' | 'frozen';
  readonly forS: number;
  readonly pace: LoadOptions['pace'];
  readonly seed: number;
}

export interface Endured {
  readonly replies: number;
  /** How many of each status while Redis was away. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Of what was sent since Redis went away, and after its return: the slowest, and what 99 % are not slower than. */
  readonly slowestMs: number;
  readonly p99Ms: number;
  readonly rssGrownMb: number;
  /** From the return of Redis to the first request that was acknowledged. */
  readonly firstSuccessMs: number;
  readonly logLines: number;
  readonly hasExited: boolean;
  readonly isExact: boolean;
}

/**
 * A process that has just begun compiles what it runs, and its memory grows to what it works with: neither says anything
 * of an outage. Small loads are over the first before they have sent as much as it takes for the second.
 */
const quickMs = 100;
const quickReplies = 200;

function isQuick(replies: readonly Reply[]): boolean {
  return replies.length === quickReplies && replies.every(({ tookMs }) => tookMs < quickMs);
}

function rssMb(pid: number): number {
  return (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) || 0) / 1_024;
}

export async function endure({ kind, forS, pace, seed }: Outage): Promise<Endured> {
  const warmReplies = 'perS' in pace ? 8 * pace.perS : 500;
  const { path, remove } = temporaryDirectory('outage');
  const redis = await startRedis({ args: aofArgs('everysec') });
  const server = new TrackServer('track-child.ts', join(path, 'local'), await freePort(), redis.url);
  const random = seeded(seed);
  const operations: Operation[] = [];
  const next = () => {
    const units = Math.round((random() - 0.5) * 2e11);
    const operation = { id: `o${operations.length}`, units, success: units > 0 };
    operations.push(operation);
    return operation;
  };
  await server.start();
  try {
    await registerTracked(server.port);
    const load = startLoad({ port: server.port, strategyId, pace, next });
    const succeeded = () => load.replies.filter(({ status }) => status === 200).length;
    // The most that it has used at work: a heap breathes, and its trough is no measure of what grows.
    let rssAtWork = 0;
    const isWarm = () => {
      rssAtWork = Math.max(rssAtWork, rssMb(server.pid()));
      return succeeded() > warmReplies && isQuick(load.replies.slice(-quickReplies));
    };
    await until('it is warm', isWarm, 60_000);
    const rssBefore = rssAtWork;
    const linesBefore = server.logLines();
    const awayMs = performance.now();
    if (kind === 'down') await redis.kill9();
    else redis.freeze();
    await until('the outage is over', () => performance.now() - awayMs > forS * 1_000, forS * 1_000 + 5_000);
    const rssAfter = rssMb(server.pid());
    if (kind === 'down') await redis.restart();
    else redis.thaw();
    const backMs = performance.now();
    const first = () => load.replies.find(({ status, sentMs }) => status === 200 && sentMs >= backMs);
    await until('a request succeeds', () => first() !== undefined, 20_000);
    await load.stop();
    const done = first() as Reply;
    const open = load.replies.filter(({ status }) => status !== 200).map(({ operation }) => operation);
    await settleAll(server.port, strategyId, open);
    const { executions, totalPnl } = await totals(server.port);
    const exact = exactTotals(operations);
    return {
      ...summed(load.replies, awayMs, backMs),
      rssGrownMb: rssAfter - rssBefore,
      firstSuccessMs: done.sentMs + done.tookMs - backMs,
      logLines: server.logLines() - linesBefore,
      hasExited: server.hasExited(),
      isExact: executions === exact.executions && totalPnl === exact.units / 1e8,
    };
  } finally {
    await server.end('SIGKILL');
    await redis.stop();
    remove();
  }
}

function summed(replies: readonly Reply[], awayMs: number, backMs: number) {
  const statuses = new Map<number, number>();
  for (const { status, sentMs, tookMs } of replies) {
    if (sentMs < awayMs || sentMs + tookMs > backMs) continue;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  const times = replies
    .filter(({ sentMs }) => sentMs >= awayMs)
    .map(({ tookMs }) => tookMs)
    .sort((a, b) => a - b);
  const p99Ms = times[Math.floor(times.length * 0.99)] ?? 0;
  return { replies: replies.length, statuses, slowestMs: times.at(-1) ?? 0, p99Ms };
}
