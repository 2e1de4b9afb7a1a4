/** P5: Redis to strategies through a real Node-RED, against the redis-in of contrib that only hands messages on. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNodeRed, type NodeRed } from '../helpers/node-red';
import { freePort, startRedis } from '../helpers/redis-server';
import { root } from '../helpers/repository';
import { until } from '../helpers/until';
import type { Contest, Side } from './harness';
import { Publisher } from './publisher';

const folder = join(root, '.cache/bench');
const modules = join(folder, 'node_modules');
const peerVersion = '1.3.9';

/** Counts what arrives, as cheaply as a node can: the end of both flows. */
const counter = `module.exports = (RED) => {
  const counts = {};
  RED.nodes.registerType('bench-count', function (config) {
    RED.nodes.createNode(this, config);
    counts[config.name] = 0;
    this.on('input', (msg, send, done) => {
      counts[config.name] += msg.payload.ticks_accepted ?? 1;
      done();
    });
  });
  RED.httpAdmin.get('/bench-count', (request, response) => response.json(counts));
};`;
const form = `<script type="text/html" data-template-name="bench-count"></script>
<script type="text/javascript">RED.nodes.registerType('bench-count', { category: 'bench', defaults: { name: { value: '' } }, inputs: 1, outputs: 0 });</script>`;

/** A folder of modules with the peer, the counter and this checkout. */
function prepare(): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  if (!existsSync(join(modules, 'node-red-contrib-redis'))) {
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    execFileSync('npm', ['install', `node-red-contrib-redis@${peerVersion}`, ...options], {
      cwd: folder,
      stdio: 'pipe',
    });
  }
  const own = join(modules, 'node-red-bench-count');
  mkdirSync(own, { recursive: true });
  const manifest = { name: 'node-red-bench-count', version: '1.0.0', 'node-red': { nodes: { count: 'count.js' } } };
  writeFileSync(join(own, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(own, 'count.js'), counter);
  writeFileSync(join(own, 'count.html'), form);
  mkdirSync(join(modules, '@strategy-engine'), { recursive: true });
  const link = join(modules, '@strategy-engine/node-red-strategy-engine');
  if (!existsSync(link)) symlinkSync(root, link, 'dir');
}

function flows(redisUrl: string, redisPort: number, apiPort: number): Record<string, unknown>[] {
  const on = (id: string, type: string, rest: object) => ({ id, type, z: 'tab', x: 100, y: 100, wires: [[]], ...rest });
  const engine = { engine: 'engine', version: 1 };
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    {
      id: 'engine',
      type: 'strategy-engine',
      version: 1,
      engineName: 'bench',
      store: 'memory',
      redisUrl,
      outputChannel: 'bench_out',
    },
    on('api', 'strategy-engine-api', { ...engine, host: '127.0.0.1', port: String(apiPort) }),
    on('in', 'strategy-engine-market-data-in', {
      ...engine,
      redisUrl: '',
      channel: 'bench_in',
      emit: 'batch',
      wires: [['apply'], []],
    }),
    on('apply', 'strategy-engine-strategy-apply', { ...engine, decisions: 'off', wires: [[], ['ours'], []] }),
    on('ours', 'bench-count', { name: 'ours' }),
    {
      id: 'redis',
      type: 'redis-config',
      name: 'bench',
      options: JSON.stringify({ host: '127.0.0.1', port: redisPort }),
      cluster: false,
      optionsType: 'json',
    },
    on('peer', 'redis-in', {
      server: 'redis',
      command: 'subscribe',
      name: '',
      topic: 'raw_in',
      obj: true,
      timeout: 0,
      wires: [['counted']],
    }),
    on('counted', 'bench-count', { name: 'peer' }),
  ];
}

/** Processor time of a process so far, in µs; Linux tells it in ticks of 10 ms. */
function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function register(apiPort: number): Promise<void> {
  const api = `http://127.0.0.1:${apiPort}/api/strategy`;
  await until(
    'the API answers',
    () =>
      fetch(api).then(
        (answer) => answer.ok,
        () => false,
      ),
    20_000,
  );
  const { types } = (await (await fetch(`${api}/types`)).json()) as { types: { type: string; inputs: string[] }[] };
  const usable = types.filter(({ inputs }) => inputs.includes('bars'));
  for (let i = 0; i < 10; i++) {
    const type = usable[i % usable.length]?.type;
    const body = JSON.stringify({ strategy_type: type, strategy_id: `bench_${i}`, timeframe: '1m' });
    const answer = await fetch(`${api}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    if (!answer.ok) throw new Error(`register ${type}: ${await answer.text()}`);
  }
}

const burst = 5_000;
const bursts = 4;

function side(name: string, red: NodeRed, publisher: Publisher, channel: string, counts: string): Side {
  const count = async () => Number(((await (await red.get('/bench-count')).json()) as Record<string, number>)[counts]);
  return {
    name,
    async run() {
      const before = await count();
      for (let i = 1; i <= bursts; i++) {
        await publisher.burst(channel, burst);
        await until(`${name} has taken the burst`, async () => (await count()) >= before + i * burst, 30_000);
      }
      return bursts * burst;
    },
  };
}

export async function p5(): Promise<readonly Contest[]> {
  prepare();
  const redis = await startRedis({ args: ['--client-output-buffer-limit', 'pubsub 0 0 0'] });
  const runtime = { name: 'Node-RED', node: process.execPath, red: join(root, 'node_modules/node-red/red.js') };
  const red = await createNodeRed(runtime, modules);
  await red.start();
  const apiPort = await freePort();
  await red.deploy(flows(redis.url, redis.port, apiPort) as never);
  await register(apiPort);
  const publisher = new Publisher(redis.port);
  return [
    {
      name: 'P5 through Node-RED, 10 strategies',
      unit: 'ticks per CPU s',
      goal: 1,
      ours: side('market data in → strategy apply', red, publisher, 'bench_in', 'ours'),
      peer: side('redis-in', red, publisher, 'raw_in', 'peer'),
      cpuUs: () => cpuUs(red.pid()),
      async close() {
        publisher.close();
        await red.end();
        red.remove();
        await redis.stop();
      },
    },
  ];
}
