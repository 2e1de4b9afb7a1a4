/** A real Node-RED in a process of its own: own directory, free loopback port, ended by its pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import type { FlowNode, Runtime } from './package';
import { freePort } from './redis-server';
import { temporaryDirectory } from './temporary';
import { until } from './until';

const startMs = 60_000;
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** What a debug node showed, or a status said. */
export interface Heard {
  readonly topic: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class NodeRed {
  readonly url: string;
  readonly directory: string;
  private readonly runtime: Runtime;
  private readonly port: number;
  private readonly env: Readonly<Record<string, string>>;
  private child: ChildProcess | null = null;
  private socket: WebSocket | null = null;
  private written = '';
  readonly heard: Heard[] = [];
  readonly remove: () => void;

  constructor(runtime: Runtime, port: number, modules: string, env: Readonly<Record<string, string>>) {
    const { path, remove } = temporaryDirectory('node-red');
    this.runtime = runtime;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.directory = path;
    this.remove = remove;
    this.env = env;
    mkdirSync(path, { recursive: true });
    symlinkSync(modules, join(path, 'node_modules'), 'dir');
    const settings = {
      uiPort: port,
      uiHost: '127.0.0.1',
      flowFile: 'flows.json',
      credentialSecret: false,
      telemetry: { enabled: false, updateNotification: false },
      editorTheme: { tours: false, projects: { enabled: false } },
      logging: { console: { level: 'info' } },
    };
    writeFileSync(join(path, 'settings.js'), `module.exports = ${JSON.stringify(settings)};`);
    writeFileSync(join(path, 'package.json'), '{"name":"user","version":"0.0.1","private":true}');
  }

  output(): string {
    return this.written;
  }

  /** Of the process that runs now. */
  pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error('Node-RED does not run');
    return pid;
  }

  async start(): Promise<void> {
    const { node, red } = this.runtime;
    const child = spawn(node, [red, '--userDir', this.directory, '--settings', join(this.directory, 'settings.js')], {
      env: { ...process.env, ...this.env, NODE_OPTIONS: '', NODE_RED_DISABLE_TELEMETRY: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    const from = this.written.length;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        this.written += data.toString();
      });
    }
    await until(
      `${this.runtime.name} starts on ${this.port}`,
      () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${this.written}`);
        const said = this.written.slice(from);
        return said.includes('Started flows') && said.includes('Server now running');
      },
      startMs,
    ).catch((thrown) => {
      throw new Error(`${String(thrown)}\n${this.written}`);
    });
    await this.listen();
  }

  /** The editor's own channel: debug messages and statuses. */
  private async listen(): Promise<void> {
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/comms`);
    this.socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
    });
    socket.on('message', (text: Buffer) => {
      const parsed: unknown = JSON.parse(text.toString());
      for (const one of Array.isArray(parsed) ? parsed : [parsed]) if (isHeard(one)) this.heard.push(one);
    });
    for (const topic of ['debug', 'status/#']) socket.send(JSON.stringify({ subscribe: topic }));
  }

  async get(path: string, accept = 'application/json'): Promise<Response> {
    return fetch(this.url + path, { headers: { accept, 'Node-RED-API-Version': 'v2' } });
  }

  /** Replaces all flows; settles when the new ones have started. */
  async deploy(flows: readonly FlowNode[], type: 'full' | 'nodes' | 'flows' = 'full'): Promise<void> {
    const from = this.written.length;
    const answer = await fetch(`${this.url}/flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': type },
      body: JSON.stringify(flows),
    });
    if (!answer.ok) throw new Error(`deploy: ${answer.status} ${await answer.text()}`);
    await until('the flows start', () => /Started (modified )?(flows|nodes)/.test(this.written.slice(from)), startMs);
  }

  /** Presses an inject node's button. */
  async inject(id: string): Promise<void> {
    const answer = await fetch(`${this.url}/inject/${id}`, { method: 'POST' });
    if (!answer.ok) throw new Error(`inject ${id}: ${answer.status}`);
  }

  /** What debug nodes showed since `from`, by node id. */
  debug(id: string, from = 0): readonly unknown[] {
    return this.heard
      .slice(from)
      .filter(({ topic, data }) => topic === 'debug' && data.id === id)
      .map(({ data }) => data.msg);
  }

  status(id: string): string {
    const last = this.heard.findLast(({ topic }) => topic === `status/${id}`);
    return String(last?.data.text ?? '');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    this.socket?.terminate();
    this.socket = null;
    const { child } = this;
    if (child === null) return null;
    this.child = null;
    if (child.exitCode !== null) return child.exitCode;
    return new Promise((resolve) => {
      child.once('exit', (code) => resolve(code));
      child.kill(signal);
    });
  }
}

function isHeard(value: unknown): value is Heard {
  return typeof value === 'object' && value !== null && 'topic' in value && 'data' in value;
}

/** Not started yet; `modules` is a folder of node_modules that holds the package. */
export async function createNodeRed(
  runtime: Runtime,
  modules: string,
  env: Readonly<Record<string, string>> = {},
): Promise<NodeRed> {
  return new NodeRed(runtime, await freePort(), modules, env);
}
