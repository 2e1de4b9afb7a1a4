/** How many ticks a second a subscriber can take at most: the feed with a listener that only counts. */
import { spawn } from 'node:child_process';
import { createPubSubFeed } from '../../src/adapters/redis/pubsub-feed';
import { systemClock } from '../../src/adapters/system/clock';
import type { Logger } from '../../src/live/ports';
import { seeded } from '../faults/proxy';
import { until } from '../helpers/until';

const tick = '{"symbol":"BTCUSDT","price":50000.5,"volume":0.25,"timestamp":1735689600}';

/** Runs in a process of its own, so that publishing does not take the subscriber's time. */
const publisher = `
const [port, count, channel, tick] = process.argv.slice(1);
const text = (part) => '$' + Buffer.byteLength(part) + '\\r\\n' + part + '\\r\\n';
const one = '*3\\r\\n' + text('PUBLISH') + text(channel) + text(tick);
const block = Buffer.from(one.repeat(1000));
const socket = require('node:net').connect(Number(port), '127.0.0.1');
let left = Number(count) / 1000;
const write = () => {
  while (left > 0) {
    left -= 1;
    if (!socket.write(block)) return socket.once('drain', write);
  }
  socket.end();
};
socket.on('connect', write).resume();
`;

export interface Ceiling {
  readonly received: number;
  readonly published: number;
  /** From the first message to the last; 0 when the server cut the subscriber. */
  readonly ticksPerS: number;
  /** A gap was reported. */
  readonly isCut: boolean;
}

/**
 * Publishes `count` ticks (a multiple of 1,000) as fast as the server takes them and counts them at a feed. Lift the
 * server's `client-output-buffer-limit` first, or it cuts the subscriber: then `received` is less than `published`.
 */
export async function subscriberCeiling(url: string, port: number, count: number): Promise<Ceiling> {
  const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
  const channel = 'subscriber_ceiling';
  const feed = createPubSubFeed({ url, channel, clock: systemClock, logger: silent, random: seeded(1) });
  let received = 0;
  let firstMs = 0;
  let lastMs = 0;
  let isCut = false;
  await feed.start({
    message: () => {
      received += 1;
      if (received === 1) firstMs = performance.now();
      if (received === count) lastMs = performance.now();
    },
    state: () => {},
    gap: () => {
      isCut = true;
    },
  });
  const child = spawn(process.execPath, ['-e', publisher, String(port), String(count), channel, tick], {
    stdio: 'inherit',
  });
  try {
    await until('all ticks or a cut', () => received >= count || isCut, 30_000);
  } finally {
    child.kill();
    await feed.close();
  }
  const ticksPerS = isCut ? 0 : Math.round((count * 1_000) / (lastMs - firstMs));
  return { received, published: count, ticksPerS, isCut };
}
