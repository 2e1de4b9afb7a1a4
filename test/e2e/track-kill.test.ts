/** Executions tracked while the process is killed again and again: what was acknowledged is counted, once. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { seeded } from '../faults/proxy';
import { type Child, startNode } from '../helpers/child';
import { type Answer, call } from '../helpers/http-client';
import { freePort } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const seed = Number(process.env.TEST_SEED ?? 20_260_102);
const clients = 8;
const strategyId = 'tracked';
const startMs = 30_000;

interface Execution {
  readonly id: string;
  /** Integers of 1e-8. */
  readonly units: number;
}

interface Verdict {
  readonly kills: number;
  readonly acknowledged: readonly Execution[];
  /** Retries that were answered as known: the kill fell between the write and the answer. */
  readonly duplicates: number;
  readonly executions: unknown;
  readonly totalPnl: unknown;
}

/** One server process on one port and directory, started again and again. */
class Server {
  readonly port: number;
  private readonly args: readonly string[];
  private child: Child | null = null;

  constructor(script: string, directory: string, port: number, kind: string) {
    this.port = port;
    this.args = [join(__dirname, 'children', script), directory, String(port), kind];
  }

  async start(): Promise<void> {
    const child = startNode(this.args);
    this.child = child;
    let over = false;
    void child.ended.then(() => {
      over = true;
    });
    await until(
      'the server listens',
      () => {
        if (over) throw new Error(`the server ended:\n${child.stderr()}`);
        return child.stdout().includes('ready');
      },
      startMs,
    );
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const { child } = this;
    if (child === null) return null;
    this.child = null;
    child.kill(signal);
    return (await child.ended).code;
  }
}

function post(port: number, agent: Agent, { id, units }: Execution): Promise<Answer> {
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

  constructor(name: string, port: number, random: () => number) {
    this.name = name;
    this.port = port;
    this.random = random;
  }

  async run(isOver: () => boolean): Promise<void> {
    for (let n = 1; !isOver(); n++) {
      const units = Math.round((this.random() - 0.5) * 2e11);
      const execution = { id: `${this.name}-${n}`, units };
      while (!(await this.attempt(execution))) await new Promise((resolve) => setTimeout(resolve, 20));
      this.acknowledged.push(execution);
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

async function totals(port: number): Promise<{ readonly executions: unknown; readonly totalPnl: unknown }> {
  const { body, text } = await call(port, `/api/performance/${strategyId}`);
  const metrics = body.metrics as Record<string, unknown> | undefined;
  assert.ok(metrics !== undefined, text);
  return { executions: metrics.executions, totalPnl: metrics.total_pnl };
}

async function killUnderLoad(server: Server, kills: number, random: () => number): Promise<Verdict> {
  let over = false;
  const all = Array.from({ length: clients }, (_, i) => new Client(`c${i}`, server.port, random));
  const count = () => all.reduce((sum, client) => sum + client.acknowledged.length, 0);
  const running = Promise.all(all.map((client) => client.run(() => over)));
  // A client that fails ends the wait for more of its executions.
  let failed: unknown = null;
  running.catch((thrown) => {
    failed = thrown;
  });
  for (let kill = 0; kill <= kills; kill++) {
    if (kill > 0) await server.start();
    const target = count() + 1 + Math.floor(random() * 150);
    const passed = () => {
      if (failed !== null) throw failed;
      return count() >= target;
    };
    await until(`${target} executions are acknowledged`, passed, startMs);
    if (kill < kills) await server.end('SIGKILL');
  }
  over = true;
  await running;
  const acknowledged = all.flatMap((client) => client.acknowledged);
  const duplicates = all.reduce((sum, client) => sum + client.duplicates, 0);
  return { kills, acknowledged, duplicates, ...(await totals(server.port)) };
}

function expected({ acknowledged }: Pick<Verdict, 'acknowledged'>) {
  const units = acknowledged.reduce((sum, one) => sum + BigInt(one.units), 0n);
  assert.ok(units < BigInt(Number.MAX_SAFE_INTEGER) && units > -BigInt(Number.MAX_SAFE_INTEGER));
  return { executions: acknowledged.length, totalPnl: Number(units) / 1e8 };
}

describe(`executions of ${clients} clients, tracked while the process is killed (seed ${seed})`, function () {
  this.timeout(180_000);
  const { path: directory, remove } = temporaryDirectory('track-kill');
  let server: Server;

  async function open(script: string, name: string): Promise<Server> {
    server = new Server(script, join(directory, name), await freePort(), name);
    await server.start();
    return server;
  }
  afterEach(() => server.end('SIGKILL'));
  after(remove);

  it('20 kills lose nothing that was acknowledged, double nothing, and totals are exact', async () => {
    const kills = 20;
    await open('track-child.ts', 'product');
    const strategy = { strategy_type: 'mean_reversion', strategy_id: strategyId };
    const registered = await call(server.port, '/api/strategy/register', { body: JSON.stringify(strategy) });
    assert.equal(registered.status, 200, registered.text);

    const verdict = await killUnderLoad(server, kills, seeded(seed));
    const { executions, totalPnl } = verdict;
    assert.ok(verdict.acknowledged.length > kills * clients);
    assert.deepEqual({ executions, totalPnl }, expected(verdict));

    assert.equal(await server.end('SIGTERM'), 0);
    await server.start();
    assert.deepEqual(await totals(server.port), expected(verdict), 'the same after a clean restart');

    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    const again = await Promise.all(verdict.acknowledged.map((one) => post(server.port, agent, one)));
    agent.destroy();
    assert.deepEqual(
      again.filter(({ status, body }) => status !== 200 || body.duplicate !== true).map(({ text }) => text),
      [],
      'every acknowledged id is known',
    );
    assert.deepEqual(await totals(server.port), expected(verdict), 'and sending all of them again changes nothing');
  });

  it('bites: a store that answers before it writes is found to lose', async () => {
    await open('naive-track-child.ts', 'lossy');
    const verdict = await killUnderLoad(server, 4, seeded(seed));
    assert.ok(Number(verdict.executions) < verdict.acknowledged.length, `${verdict.executions} counted`);
    assert.notEqual(verdict.totalPnl, expected(verdict).totalPnl);
  });

  it('bites: a store that knows no ids is found to double', async () => {
    await open('naive-track-child.ts', 'doubling');
    const verdict = await killUnderLoad(server, 4, seeded(seed));
    assert.ok(Number(verdict.executions) > verdict.acknowledged.length, `${verdict.executions} counted`);
    assert.notEqual(verdict.totalPnl, expected(verdict).totalPnl);
  });
});
