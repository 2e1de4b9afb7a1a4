/** The product as a user starts it: `node dist/src/cli.js demo`, in a process and directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { built } from './built';
import { freePort } from './redis-server';
import { until } from './until';

const startMs = 60_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ProductOptions {
  readonly dataDir: string;
  readonly redisUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Product {
  readonly apiUrl: string;
  readonly editorUrl: string;
  /** Starts it (again) on the same ports and directory; settles when the API answers (to that `Authorization`). */
  start(authorization?: string): Promise<void>;
  /** Sends the signal and answers the exit code (`null` when a signal ended it) and how long it took, in ms. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<{ readonly code: number | null; readonly tookMs: number }>;
  /** The last of what it wrote. */
  output(): string;
}

class Demo implements Product {
  readonly apiUrl: string;
  readonly editorUrl: string;
  private readonly env: NodeJS.ProcessEnv;
  private child: ChildProcess | null = null;
  private written = '';

  constructor(apiPort: number, editorPort: number, options: ProductOptions) {
    this.apiUrl = `http://127.0.0.1:${apiPort}`;
    this.editorUrl = `http://127.0.0.1:${editorPort}`;
    const { REDIS_URL: _redis, API_TOKEN: _token, API_HOST: _host, ...rest } = process.env;
    this.env = {
      ...rest,
      API_PORT: String(apiPort),
      PORT: String(editorPort),
      DATA_DIR: options.dataDir,
      ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
      ...options.env,
    };
  }

  async start(authorization?: string): Promise<void> {
    const cli = built('src/cli.js');
    const child = spawn(process.execPath, [cli, 'demo'], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        this.written = (this.written + data.toString()).slice(-1_000_000);
      });
    }
    await until(
      `the API answers; so far it said:\n${this.written}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`the product ended with ${child.exitCode}:\n${this.written}`);
        const headers = authorization === undefined ? {} : { authorization };
        return fetch(`${this.apiUrl}/api/health`, { headers, signal: AbortSignal.timeout(2_000) }).then(
          (answer) => answer.ok,
          () => false,
        );
      },
      startMs,
    );
  }

  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<{ code: number | null; tookMs: number }> {
    const { child } = this;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return { code: null, tookMs: 0 };
    const sentMs = performance.now();
    const code = await new Promise<number | null>((resolve) => {
      child.once('exit', resolve);
      child.kill(signal);
    });
    this.child = null;
    return { code, tookMs: performance.now() - sentMs };
  }

  output(): string {
    return this.written;
  }
}

/** A product on free loopback ports, not started yet. */
export async function createProduct(options: ProductOptions): Promise<Product> {
  return new Demo(await freePort(), await freePort(), options);
}
