/** Load in a process of its own: a stream of ticks over a bare socket to Redis, as fast as wanted or at a pace. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export const publishedSymbols = 20;

/** Plain JavaScript, so that it starts at once. Takes lines of JSON, answers lines of JSON. */
const program = `
const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
socket.setNoDelay(true);
socket.resume();
const prices = new Array(${publishedSymbols}).fill(1000);
let random = 1;
const part = (text) => '$' + Buffer.byteLength(text) + '\\r\\n' + text + '\\r\\n';
const command = (channel, i, timestamp) => {
  const which = i % ${publishedSymbols};
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  prices[which] = Math.round(prices[which] * (1 + (random / 2 ** 32 - 0.5) * 0.0004) * 1e4) / 1e4;
  const tick = JSON.stringify({ symbol: 'SIM:S' + which, price: prices[which], volume: 0.25, timestamp });
  return '*3\\r\\n' + part('PUBLISH') + part(channel) + part(tick);
};
const now = () => performance.timeOrigin + performance.now();
const answer = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
let sent = 0;
const burst = ({ channel, count }) => {
  const timestamp = Date.now();
  const parts = [];
  for (let i = 0; i < count; i++) parts.push(command(channel, sent++, timestamp));
  socket.write(parts.join(''), () => answer({ sent: count }));
};
const pace = ({ channel, perS, count }) => {
  const begin = now();
  const base = Math.floor(begin);
  const times = [];
  let i = 0;
  const step = () => {
    const due = Math.min(count, Math.floor(((now() - begin) * perS) / 1000));
    const parts = [];
    for (; i < due; i++) {
      const timestamp = base + Math.floor((i * 1000) / perS);
      parts.push(command(channel, i, timestamp));
      times.push([i % ${publishedSymbols}, timestamp, now()]);
    }
    if (parts.length > 0) socket.write(parts.join(''));
    if (i < count) setTimeout(step, 1);
    else answer({ times });
  };
  step();
};
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const asked = JSON.parse(line);
  if (asked.perS) pace(asked);
  else burst(asked);
}).on('close', () => process.exit(0));
`;

/** `[symbol number, event time ms, instant it was written]` */
export type Sent = readonly [number, number, number];

/** A publisher that runs until it is closed. */
export class Publisher {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private rest = '';
  private readonly waiting: ((line: string) => void)[] = [];

  constructor(redisPort: number) {
    this.child = spawn(process.execPath, ['-e', program, String(redisPort)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdout.on('data', (data: Buffer) => {
      const lines = (this.rest + data.toString()).split('\n');
      this.rest = lines.pop() ?? '';
      for (const line of lines) this.waiting.shift()?.(line);
    });
  }

  private ask(what: object): Promise<string> {
    this.child.stdin.write(`${JSON.stringify(what)}\n`);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Publishes so many ticks at once; settles when they are handed to the socket. */
  async burst(channel: string, count: number): Promise<void> {
    await this.ask({ channel, count });
  }

  /** Publishes at a rate; answers when each tick was written. */
  async pace(channel: string, perS: number, count: number): Promise<readonly Sent[]> {
    return (JSON.parse(await this.ask({ channel, perS, count })) as { times: Sent[] }).times;
  }

  close(): void {
    this.child.kill();
  }
}
