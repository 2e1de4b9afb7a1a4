/** A real Redis for one suite: own port, own directory, stopped by its pid. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const startMs = 10_000;
const stopMs = 3_000;

/** Servers that a crashed test run would leave behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

let binary: { readonly bin: string; readonly libraryPath: string } | null = null;

function findBinary(): { readonly bin: string; readonly libraryPath: string } {
  if (binary === null) {
    const script = join(__dirname, '../../.ci/redis.mjs');
    const answer: unknown = JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8' }));
    if (typeof answer !== 'object' || answer === null || !('bin' in answer) || !('libraryPath' in answer)) {
      throw new Error('.ci/redis.mjs answered something else than a binary');
    }
    binary = { bin: String(answer.bin), libraryPath: String(answer.libraryPath) };
  }
  return binary;
}

/** A loopback port that was free a moment ago, at most `max`. */
export async function freePort(max = 65_535): Promise<number> {
  for (;;) {
    const port = await anyFreePort();
    if (port <= max) return port;
  }
}

function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** One PING over a bare socket: true when the server is ready for commands. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(500, () => end(false));
    socket.once('error', () => end(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    // A server with a password is ready as well; one that is still loading is not.
    socket.once('data', (data) => end(/^(\+PONG|-NOAUTH)/.test(data.toString())));
  });
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now. */
  pid(): number;
  /** SIGSTOP: sockets stay open, nothing answers. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** SIGKILL; settles when the process is gone. The directory stays for `restart`. */
  kill9(): Promise<void>;
  /** Starts again on the same port and directory. */
  restart(): Promise<void>;
  /** Ends it and removes its directory. Idempotent. */
  stop(): Promise<void>;
}

class Server implements RedisServer {
  readonly port: number;
  readonly url: string;
  private readonly directory = mkdtempSync(join(tmpdir(), 'redis-test-'));
  private readonly args: readonly string[];
  private child: ChildProcess | null = null;

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.args = args;
  }

  pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error('the server does not run');
    return pid;
  }

  async restart(): Promise<void> {
    if (this.child !== null) throw new Error('the server already runs');
    const { bin, libraryPath } = findBinary();
    const base = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory, '--save', ''];
    const child = spawn(bin, [...base, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: libraryPath === '' ? process.env : { ...process.env, LD_LIBRARY_PATH: libraryPath },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        output = (output + data.toString()).slice(-4_000);
      });
    }
    this.child = child;
    running.add(child);
    child.once('exit', () => {
      running.delete(child);
      if (this.child === child) this.child = null;
    });
    child.once('error', () => running.delete(child));
    const deadline = Date.now() + startMs;
    while (!(await answersPing(this.port))) {
      if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`redis-server did not start on port ${this.port}:\n${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  freeze(): void {
    process.kill(this.pid(), 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid(), 'SIGCONT');
  }

  kill9(): Promise<void> {
    return this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    // A stopped process takes SIGTERM only once it runs again.
    child.kill('SIGCONT');
    const hard = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await gone;
    clearTimeout(hard);
    this.child = null;
  }
}

/**
 * Starts a server of its own on a free loopback port, without persistence unless `args` say otherwise.
 * The binary: REDIS_SERVER_BIN, else the PATH, else fetched without root (`.ci/redis.mjs`).
 */
export async function startRedis(
  options: { readonly args?: readonly string[]; readonly portMax?: number } = {},
): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    const server = new Server(await freePort(options.portMax), options.args ?? []);
    try {
      await server.restart();
      return server;
    } catch (thrown) {
      await server.stop();
      // Somebody else may have taken the port in between.
      if (attempt === 3) throw thrown;
    }
  }
}
