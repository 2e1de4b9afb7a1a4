/** Clients that track executions over HTTP through whatever happens to the server, and what must be counted then. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { type Child, startNode } from '../helpers/child';
import { type Answer, call } from '../helpers/http-client';
import { until } from '../helpers/until';

export const clients = 16;
export const strategyId = 'tracked';
const startMs = 30_000;

export interface Execution {
  readonly id: string;
  /** Integers of 1e-8. */
  readonly units: number;
}

export interface Verdict {
  readonly strikes: number;
  readonly acknowledged: readonly Execution[];
  /** Retries that were answered as known: the kill fell between the write and the answer. */
  readonly duplicates: number;
  readonly executions: unknown;
  readonly totalPnl: unknown;
}

/** One server process on one port and directory, started again and again. */
export class TrackServer {
  readonly port: number;
  private readonly args: readonly string[];
  private child: Child | null = null;
  private isOver = false;

  /** `kind` is of a naive server, or the URL of the Redis that is the store; `product` keeps its store in `directory`. */
  constructor(script: string, directory: string, port: number, kind: string) {
    this.port = port;
    this.args = [join(__dirname, '../e2e/children', script), directory, String(port), kind];
  }

  async start(): Promise<void> {
    const child = startNode(this.args);
    this.child = child;
    this.isOver = false;
    void child.ended.then(() => {
      if (this.child === child) this.isOver = true;
    });
    await until(
      'the server listens',
      () => {
        if (this.isOver) throw new Error(`the server ended:\n${child.stderr()}`);
        return child.stdout().includes('ready');
      },
      startMs,
    );
  }

  /** Of the process that runs now. */
  pid(): number {
    if (this.child === null) throw new Error('the server does not run');
    return this.child.pid();
  }

  /** Lines that it wrote to its log. */
  logLines(): number {
    return (this.child?.stderr().match(/\n/g)?.length ?? 0) + (this.child?.stdout().match(/\n/g)?.length ?? 0);
  }

  /** Whether it ended without being told to. */
  hasExited(): boolean {
    return this.isOver;
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const { child } = this;
    if (child === null) return null;
    this.child = null;
    child.kill(signal);
    return (await child.ended).code;
  }
}

export function post(port: number, agent: Agent, { id, units }: Execution): Promise<Answer> {
  const result = { execution_id: id, pnl: units / 1e8, success: units > 0, execution_time_ms: 1 };
  const body = JSON.stringify({ strategy_id: strategyId, execution_result: result });
  return call(port, '/api/performance/track', { body, agent });
}

/** One client: the next execution when the last one is acknowledged, the same one again until it is. */
class Client {
  readonly acknowledged: Execution[] = [];
  duplicates = 0;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private readonly name: string;
  private readonly port: number;
  private readonly random: () => number;
  private readonly pauseMs: number;

  constructor(name: string, port: number, random: () => number, pauseMs: number) {
    this.name = name;
    this.port = port;
    this.random = random;
    this.pauseMs = pauseMs;
  }

  async run(isOver: () => boolean): Promise<void> {
    for (let n = 1; !isOver(); n++) {
      const units = Math.round((this.random() - 0.5) * 2e11);
      const execution = { id: `${this.name}-${n}`, units };
      while (!(await this.attempt(execution))) await new Promise((resolve) => setTimeout(resolve, 20));
      this.acknowledged.push(execution);
      if (this.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
    this.agent.destroy();
  }

  private async attempt(execution: Execution): Promise<boolean> {
    const answer = await post(this.port, this.agent, execution).catch(() => null);
    // No answer, or one cut in the middle; 503 and 504 say themselves that the call may be repeated.
    if (answer === null || answer.body.status === undefined) return false;
    if (answer.status === 503 || answer.status === 504) return false;
    assert.equal(answer.status, 200, answer.text);
    if (answer.body.duplicate === true) this.duplicates++;
    return true;
  }
}

export async function totals(port: number): Promise<{ readonly executions: unknown; readonly totalPnl: unknown }> {
  const { body, text } = await call(port, `/api/performance/${strategyId}`);
  const metrics = body.metrics as Record<string, unknown> | undefined;
  assert.ok(metrics !== undefined, text);
  return { executions: metrics.executions, totalPnl: metrics.total_pnl };
}

export interface Campaign {
  /** Of the processes that the clients are spread over. */
  readonly ports: readonly [number, ...number[]];
  readonly strikes: number;
  readonly random: () => number;
  /** Of each client between two executions; default none. */
  readonly pauseMs?: number;
  /** Does the damage and undoes it; the clients go on meanwhile. */
  readonly strike: (nth: number) => Promise<void>;
}

/** Strikes again and again while clients track, each time when some more executions are acknowledged. */
export async function strikeUnderLoad({ ports, strikes, random, strike, pauseMs = 0 }: Campaign): Promise<Verdict> {
  let over = false;
  const all = Array.from(
    { length: clients },
    (_, i) => new Client(`c${i}`, ports[i % ports.length] ?? ports[0], random, pauseMs),
  );
  const count = () => all.reduce((sum, client) => sum + client.acknowledged.length, 0);
  const running = Promise.all(all.map((client) => client.run(() => over)));
  // A client that fails ends the wait for more of its executions.
  let failed: unknown = null;
  running.catch((thrown) => {
    failed = thrown;
  });
  for (let nth = 0; nth <= strikes; nth++) {
    if (nth > 0) await strike(nth);
    const target = count() + 1 + Math.floor(random() * 150);
    const passed = () => {
      if (failed !== null) throw failed;
      return count() >= target;
    };
    await until(`${target} executions are acknowledged`, passed, startMs);
  }
  over = true;
  await running;
  const acknowledged = all.flatMap((client) => client.acknowledged);
  const duplicates = all.reduce((sum, client) => sum + client.duplicates, 0);
  return { strikes, acknowledged, duplicates, ...(await totals(ports[0])) };
}

/** Kills the server itself. */
export function killUnderLoad(server: TrackServer, kills: number, random: () => number): Promise<Verdict> {
  const strike = async () => {
    await server.end('SIGKILL');
    await server.start();
  };
  return strikeUnderLoad({ ports: [server.port], strikes: kills, random, strike });
}

/** Registers the strategy that is tracked. */
export async function registerTracked(port: number): Promise<void> {
  const strategy = { strategy_type: 'mean_reversion', strategy_id: strategyId };
  const registered = await call(port, '/api/strategy/register', { body: JSON.stringify(strategy) });
  assert.equal(registered.status, 200, registered.text);
}

/** Sends all of them once more; answers what was not known. */
export async function unknownOf(port: number, executions: readonly Execution[]): Promise<readonly string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const again = await Promise.all(executions.map((one) => post(port, agent, one)));
  agent.destroy();
  return again.filter(({ status, body }) => status !== 200 || body.duplicate !== true).map(({ text }) => text);
}

/** Exactly what was acknowledged. */
export function expected({ acknowledged }: Pick<Verdict, 'acknowledged'>) {
  const units = acknowledged.reduce((sum, one) => sum + BigInt(one.units), 0n);
  assert.ok(units < BigInt(Number.MAX_SAFE_INTEGER) && units > -BigInt(Number.MAX_SAFE_INTEGER));
  return { executions: acknowledged.length, totalPnl: Number(units) / 1e8 };
}
