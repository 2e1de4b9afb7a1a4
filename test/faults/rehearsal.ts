/**
 * One scenario over every node in a real Node-RED, with a Redis that may fail at any command: each request is answered
 * in time, nothing ends the process, and what is known at the end is what is known without the fault.
 */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { limits } from '../../src/core/domain/limits';
import type { NodeRed } from '../helpers/node-red';
import { createOwnNodeRed } from '../helpers/own-node-red';
import { type FlowNode, readExample } from '../helpers/package';
import { probe } from '../helpers/redis-probe';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';
import { pass, type RespServer, type Script, startRespServer } from './resp-server';

const settleMs = 30_000;
const strategyId = 'cross';
const quick = {
  fast_period: 3,
  slow_period: 8,
  adx_period: 3,
  adx_threshold: 0,
  atr_period: 3,
  confidence_threshold: 0,
};

/** What is known at the end, and must not depend on the fault. */
export interface Known {
  readonly executions: unknown;
  readonly totalPnl: unknown;
  readonly version: unknown;
  readonly state: unknown;
  readonly signals: number;
  readonly published: number;
  readonly ticks: number;
}

export interface Rehearsed {
  readonly known: Known;
  /** Commands that came to Redis, without PINGs. */
  readonly commands: number;
  readonly requests: number;
  readonly slowestMs: number;
}

type Answered = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

export class Rehearsal {
  private readonly red: NodeRed;
  private readonly redis: RedisServer;
  private readonly asker: Redis;
  private readonly server: RespServer;
  private readonly removed: () => void;
  /** More settings of the engine node, as its store. */
  private readonly engine: Readonly<Record<string, unknown>>;
  private readonly pid: number;
  private requests = 0;
  private slowestMs = 0;

  private constructor(parts: {
    red: NodeRed;
    redis: RedisServer;
    server: RespServer;
    removed: () => void;
    engine: Readonly<Record<string, unknown>>;
  }) {
    this.red = parts.red;
    this.redis = parts.redis;
    this.server = parts.server;
    this.removed = parts.removed;
    this.engine = parts.engine;
    this.asker = probe(parts.redis.url);
    this.pid = parts.red.pid();
  }

  static async open(engine: Readonly<Record<string, unknown>> = {}): Promise<Rehearsal> {
    const redis = await startRedis();
    const server = await startRespServer(redis.port);
    const { red, remove } = await createOwnNodeRed();
    await red.start();
    return new Rehearsal({ red, redis, server, removed: remove, engine });
  }

  async close(): Promise<void> {
    await this.red.end();
    this.removed();
    this.asker.disconnect();
    await this.server.close();
    await this.redis.stop();
  }

  /** The scenario on a new engine called `name`, with `script` between it and Redis. */
  async run(name: string, script: Script): Promise<Rehearsed> {
    await this.asker.del('strategy_engine:signals');
    this.requests = 0;
    this.slowestMs = 0;
    const from = this.server.seen.length;
    this.server.script((words, nth) => (words[0] === 'PING' ? pass : script(words, nth)));
    await this.red.deploy(this.flow(name));
    const known = await this.scenario(name);
    const commands = this.server.seen.slice(from).filter((command) => command !== 'PING').length;
    process.kill(this.pid, 0);
    assert.doesNotMatch(this.red.output(), /Uncaught|UnhandledPromise/);
    return { known, commands, requests: this.requests, slowestMs: this.slowestMs };
  }

  private flow(name: string): FlowNode[] {
    // Without lateness no tick waits for the clock, so that what is known at the end is known at once.
    const own = { engineName: name, redisUrl: this.server.url, latenessMs: 0, ...this.engine };
    const api = readExample('11 - The HTTP API wired visually').map((node) =>
      node.type === 'strategy-engine' ? { ...node, ...own } : node,
    );
    const [tab] = api;
    const engine = api.find(({ type }) => type === 'strategy-engine');
    const node = (id: string, type: string, more: object, wires: string[][]): FlowNode => ({
      id,
      type: `strategy-engine-${type}`,
      z: tab?.id,
      x: 1,
      y: 1,
      name: id,
      version: 1,
      engine: engine?.id,
      ...more,
      wires,
    });
    const debug = { type: 'debug', z: tab?.id, x: 1, y: 1, active: true, tosidebar: true, complete: 'payload' };
    const replay = { symbols: 'SIM:REPLAYED', count: 200, speed: 0, seed: 5, autostart: true, startAt: '2026-01-01' };
    return [
      ...api,
      node('feed', 'market-data-in', { redisUrl: this.server.url, channel: `prices-${name}` }, [['apply'], []]),
      node('apply', 'strategy-apply', {}, [[], [], []]),
      node('replay', 'market-replay', replay, [['own'], []]),
      node('own', 'strategy', { symbols: 'SIM:REPLAYED', timeframe: '10t', parameters: quick }, [[], []]),
      node('events', 'events', { kinds: ['signal', 'alert', 'health', 'gap'] }, [['heard']]),
      { ...debug, id: 'heard', name: 'heard', targetType: 'msg', wires: [] },
    ];
  }

  private async scenario(name: string): Promise<Known> {
    const parameters = { strategy_type: 'moving_average_crossover', strategy_id: strategyId, symbols: ['BTCUSDT'] };
    await this.done('POST', '/api/strategy/register', { ...parameters, timeframe: '5t', parameters: quick });
    let signals = 0;
    let ticks = 0;
    for (let batch = 0; batch < 5; batch++) {
      const answer = await this.ask('POST', '/api/strategy_engine/process_market_data', valley(batch));
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      signals += Number(answer.body.signals_generated);
      ticks += Number(answer.body.ticks_accepted);
      await this.asker.publish(`prices-${name}`, '{"symbol":"FED","price":1}');
    }
    for (let i = 0; i < 8; i++) {
      const result = { execution_id: `e${i}`, pnl: i - 2.5, success: i > 2, execution_time_ms: 1 };
      await this.done('POST', '/api/performance/track', { strategy_id: strategyId, execution_result: result });
    }
    await this.done('POST', '/api/learning/force_adaptation', { strategy_id: strategyId, dry_run: true });
    await this.changed();
    for (const path of ['summary', 'types', '', `${strategyId}/versions`, `${strategyId}/decisions`]) {
      const base = path === 'summary' ? '/api/strategy_engine/' : '/api/strategy/';
      await this.done('GET', `${base}${path}`.replace(/\/$/, ''));
    }
    await this.done('GET', '/api/learning/insights');
    await this.done('GET', '/api/learning/adaptations');
    const { metrics } = (await this.done('GET', `/api/performance/${strategyId}`)) as {
      metrics: Readonly<Record<string, unknown>>;
    };
    const { version, state } = (await this.done('GET', `/api/strategy/${strategyId}`)) as Record<string, unknown>;
    const published = await this.published(signals);
    return { executions: metrics.executions, totalPnl: metrics.total_pnl, version, state, signals, published, ticks };
  }

  /** An update that may have been done although it was answered with 504: then its version is the next one. */
  private async changed(): Promise<void> {
    const body = { parameters: { fast_period: 4 }, expected_version: 1 };
    await this.done('PUT', `/api/strategy/${strategyId}`, body, [409]);
  }

  /** Signals of the strategy that are in Redis: how many, each once. */
  private async published(expected: number): Promise<number> {
    const ids = async () => {
      const entries = await this.asker.xrange('strategy_engine:signals', '-', '+');
      const ours = entries.filter(([, fields]) => fields.join().includes(`"strategy_id":"${strategyId}"`));
      return ours.map(([, fields]) => String(fields[fields.indexOf('signal_id') + 1]));
    };
    // What waits for Redis leaves within seconds or never; what does not come is seen by the comparison.
    const enough = async () => (await ids()).length >= expected;
    await until('all signals are published', enough, limits.signalWaitMs + 5_000).catch(() => undefined);
    const all = await ids();
    assert.equal(new Set(all).size, all.length, 'no signal twice');
    return all.length;
  }

  /** Asks until it is done; 503 and 504 say themselves that the call may be repeated. */
  private async done(
    method: string,
    path: string,
    body?: object,
    alsoFine: readonly number[] = [],
  ): Promise<Readonly<Record<string, unknown>>> {
    let last: Answered = { status: 0, body: {} };
    const isDone = async () => {
      last = await this.ask(method, path, body);
      return ![503, 504].includes(last.status);
    };
    await until(`${method} ${path} is done`, isDone, settleMs);
    assert.ok(last.status === 200 || alsoFine.includes(last.status), `${path} ${JSON.stringify(last)}`);
    return last.body;
  }

  private async ask(method: string, path: string, body?: object): Promise<Answered> {
    const sentMs = performance.now();
    const answer = await fetch(this.red.url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(limits.requestMs + 1_000),
    });
    const text = await answer.text();
    this.requests += 1;
    this.slowestMs = Math.max(this.slowestMs, performance.now() - sentMs);
    return { status: answer.status, body: JSON.parse(text) };
  }
}

const startMs = Date.now() - 60_000;

/** Falls, then rises: the crossover is sure to speak. */
function valley(batch: number): object {
  const market_data = Array.from({ length: 40 }, (_, i) => {
    const index = batch * 40 + i;
    const price = 100 + Math.abs((index % 60) - 30) * 0.5;
    return { symbol: 'BTCUSDT', price, volume: 1, timestamp: startMs + index * 100, id: `t${index}` };
  });
  return { market_data };
}
