/** Numbered ticks from a process of their own, so that publishing goes on while the receiver's loop stands still. */
import { type ChildProcess, spawn } from 'node:child_process';

const program = `
const [port, channel, count, perS] = process.argv.slice(1);
const text = (part) => '$' + part.length + '\\r\\n' + part + '\\r\\n';
const one = (seq) => {
  const tick = JSON.stringify({ symbol: 'SEQ', price: 100 + (seq % 100) / 10, volume: 1, timestamp: Date.now(), seq });
  return '*3\\r\\n' + text('PUBLISH') + text(channel) + text(tick);
};
const socket = require('node:net').connect(Number(port), '127.0.0.1');
socket.resume();
const end = Number(count);
let seq = 0;
const begun = performance.now();
const write = () => {
  const due = Number(perS) === 0 ? end : Math.min(end, Math.floor(((performance.now() - begun) * perS) / 1000));
  const parts = [];
  for (; seq < due && parts.length < 1000; ) parts.push(one(++seq));
  if (seq >= end) return socket.end(parts.join(''));
  if (parts.length === 0 || socket.write(parts.join(''))) setTimeout(write, parts.length === 1000 ? 0 : 1);
  else socket.once('drain', write);
};
socket.on('connect', write);
`;

export interface Numbered {
  readonly published: number;
  /** Settles when all of them are written and the socket is closed. */
  readonly over: Promise<void>;
  stop(): void;
}

/** Publishes ticks with `seq` from 1 to `count`, `perS` a second (0: as fast as Redis takes them). */
export function publishNumbered(port: number, channel: string, count: number, perS: number): Numbered {
  const args = ['-e', program, String(port), channel, String(count), String(perS)];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  return {
    published: count,
    over: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => resolve());
    }),
    stop: () => void child.kill('SIGKILL'),
  };
}
