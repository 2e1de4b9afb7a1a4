/** P6: HTTP process_market_data, against a bare server that only parses. The load comes from a process of its own. */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../helpers/repository';
import { built, type Contest, type Side } from './harness';
import { tickTypes } from './strategies/types';

const { openEngine } = built<typeof import('../../src/compose')>('compose');
const { createHttpApi } = built<typeof import('../../src/adapters/http/server')>('adapters/http/server');
const { systemClock } = built<typeof import('../../src/adapters/system/clock')>('adapters/system/clock');

const run = promisify(execFile);
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const route = '/api/strategy_engine/process_market_data';
const seconds = 1.5;

/** Answered requests with status 200 of so many seconds of load. */
async function load(port: number, path: string, body: string): Promise<number> {
  const cannon = join(root, 'node_modules/autocannon/autocannon.js');
  const options = [
    '-j',
    '-c',
    '16',
    '-d',
    String(seconds),
    '-m',
    'POST',
    '-H',
    'content-type=application/json',
    '-b',
    body,
  ];
  const { stdout } = await run(process.execPath, [cannon, ...options, `http://127.0.0.1:${port}${path}`], {
    maxBuffer: 2 ** 24,
  });
  const result = JSON.parse(stdout) as { '2xx': number; non2xx: number; errors: number };
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx} bad answers, ${result.errors} errors`);
  return result['2xx'];
}

function bareServer(): Promise<Server> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as { market_data: unknown[] };
      const answer = JSON.stringify({ status: 'success', ticks_accepted: body.market_data.length });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

export async function p6(): Promise<readonly Contest[]> {
  const engine = await openEngine({ name: 'http', store: { kind: 'memory' }, strategies: tickTypes, logger: silent });
  for (const { type } of tickTypes) await engine.register({ strategyType: type, parameters: { period: 400 } });
  const api = await createHttpApi({ engine, host: '127.0.0.1', port: 0, clock: systemClock, logger: silent });
  const bare = await bareServer();
  const barePort = (bare.address() as AddressInfo).port;
  const contest = (count: number, goal: number): Contest => {
    const ticks = Array.from({ length: count }, (_, i) => ({
      symbol: `SIM:S${i % 20}`,
      price: 1000 + i / 7,
      volume: 0.25,
    }));
    const body = JSON.stringify({ market_data: ticks });
    const side = (name: string, port: number): Side => ({ name, run: () => load(port, route, body) });
    return {
      name: `P6 HTTP, ${count} tick${count === 1 ? '' : 's'} a request`,
      unit: 'requests per CPU s',
      goal,
      ours: side('API', api.port),
      peer: side('node:http + JSON.parse', barePort),
    };
  };
  const last: Contest = {
    ...contest(100, 0.6),
    async close() {
      await api.close();
      await engine.close();
      bare.close();
    },
  };
  return [contest(1, 0.65), last];
}
