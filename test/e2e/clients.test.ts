import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProduct, type Product } from '../helpers/product';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';

const clientMs = 120_000;

/** A python3 that has `requests` and `redis`, or `null`. */
function findPython(): string | null {
  for (const bin of [process.env.PYTHON_BIN, '/usr/bin/python3', 'python3']) {
    if (bin === undefined || bin === '') continue;
    if (spawnSync(bin, ['-c', 'import redis, requests'], { stdio: 'ignore' }).status === 0) return bin;
  }
  return null;
}

interface Client {
  /** All it wrote so far. */
  output(): string;
  /** Settles when it ends; rejects with its failed checks. */
  readonly done: Promise<void>;
}

function startClient(python: string, name: string, product: Product, redisUrl?: string): Client {
  let output = '';
  const child = spawn(python, ['-B', join(__dirname, 'clients', name)], {
    env: { ...process.env, API_URL: product.apiUrl, ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: clientMs,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString();
    });
  }
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${name} ended with ${code}:\n${output.slice(-15_000)}`));
    });
  });
  // It is awaited later; until then a failure is not unhandled.
  done.catch(() => {});
  return { output: () => output, done };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

async function get(product: Product, path: string): Promise<Record<string, unknown>> {
  const body: unknown = await (await fetch(product.apiUrl + path)).json();
  return isRecord(body) ? body : {};
}

/** Signals of all strategies that follow the simulated market. */
async function simulatedSignals(product: Product): Promise<number> {
  const { strategies } = await get(product, '/api/strategy?limit=1000');
  const rows: unknown[] = Array.isArray(strategies) ? strategies : [];
  const simulated = rows.filter(isRecord).filter(({ symbols }) => JSON.stringify(symbols).includes('SIM:'));
  return simulated.reduce((sum, { signals }) => sum + Number(signals), 0);
}

/** Health of the components whose name or message speaks of Redis. */
async function redisHealth(product: Product): Promise<unknown[]> {
  const { components } = await get(product, '/api/strategy_engine/summary');
  const rows = isRecord(components) ? Object.entries(components) : [];
  return rows.filter((row) => /redis/i.test(row[0])).map((row) => (isRecord(row[1]) ? row[1].health : undefined));
}

const python = findPython();

if (python === null) {
  describe('clients in Python', () => {
    it('are run wherever there is a python3 with requests and redis, and always in CI', () => {
      console.error('\n  *** SKIPPED: no python3 with `requests` and `redis`; set PYTHON_BIN, or on Debian');
      console.error('  *** apt-get install -y python3-requests python3-redis\n');
      assert.notEqual(process.env.CI, 'true');
    });
  });
} else {
  describe('clients in Python, embedded store', function () {
    this.timeout(2 * clientMs);
    const dataDir = mkdtempSync(join(tmpdir(), 'product-'));
    let product: Product;

    before(async () => {
      product = await createProduct({ dataDir });
    });
    after(async () => {
      await product.end('SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    });

    it('never lose or double an execution: started before the server, which is killed in between', async () => {
      const client = startClient(python, 'retry_client.py', product);
      await product.start();
      await until('20 executions', () => client.output().includes('acknowledged 20'), clientMs);
      await product.end('SIGKILL');
      await product.start();
      await client.done;
    });

    it('get the contract over HTTP', () => startClient(python, 'http_client.py', product).done);

    it('see the first signal of the simulated market within 30 s', async () => {
      await until('a signal', async () => (await simulatedSignals(product)) > 0, 30_000);
    });

    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      it(`see it end cleanly on ${signal}`, async () => {
        if (signal === 'SIGINT') await product.start();
        const { code, tookMs } = await product.end(signal);
        assert.equal(code, 0, product.output());
        assert.ok(tookMs < 10_000, `${tookMs} ms`);
      });
    }
  });

  describe('clients in Python, everything in Redis', function () {
    this.timeout(2 * clientMs);
    const dataDir = mkdtempSync(join(tmpdir(), 'product-'));
    let product: Product;
    let redis: RedisServer;

    before(async () => {
      redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
      product = await createProduct({ dataDir, redisUrl: redis.url });
      await product.start();
    });
    after(async () => {
      await product.end('SIGKILL');
      await redis.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });

    it('get signals for ticks', () => startClient(python, 'redis_client.py', product, redis.url).done);

    it('get the contract over HTTP', () => startClient(python, 'http_client.py', product).done);

    it('never lose or double an execution while Redis freezes, dies and comes back', async () => {
      const client = startClient(python, 'retry_client.py', product);
      await until('10 executions', () => client.output().includes('acknowledged 10'), clientMs);
      redis.freeze();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      redis.thaw();
      await until('30 executions', () => client.output().includes('acknowledged 30'), clientMs);
      await redis.kill9();
      await until('the summary says so', async () => (await redisHealth(product)).includes('down'), 3_000);
      await redis.restart();
      await client.done;
      const isUp = (health: unknown): boolean => health === 'up';
      await until('the summary says that it is over', async () => (await redisHealth(product)).every(isUp), 6_000);
    });
  });
}
