/** F1: many clients lose one Redis at once; they do not come back at once, and do not flood their logs. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { createPubSubFeed } from '../../src/adapters/redis/pubsub-feed';
import { systemClock } from '../../src/adapters/system/clock';
import type { Feed } from '../../src/live/ports';
import { seeded, startProxy } from '../faults/proxy';
import { figure } from '../helpers/figures';
import { type LogLines, logLines, probe, recorder } from '../helpers/redis-probe';
import { startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';

const clients = 50;
const awayS = Number(process.env.TEST_AWAY_S ?? 30);
const slotMs = 100;
/** Attempts of the first moment fall together by nature: each client has lost its connection at the same instant. */
const settledMs = 1_000;

describe(`${clients} clients that lose Redis for ${awayS} s`, () => {
  it('come back spread out, and say what happened in few lines', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const feeds: Feed[] = [];
    const loggers: LogLines[] = [];
    const heard = Array.from({ length: clients }, () => recorder());
    for (const [i, listener] of heard.entries()) {
      const logger = logLines();
      const feed = createPubSubFeed({ url: proxy.url, clock: systemClock, logger, random: seeded(i + 1) });
      await feed.start(listener);
      feeds.push(feed);
      loggers.push(logger);
    }
    const before = loggers.map(({ lines }) => lines.length);
    // In the proxy's place stands a listener that counts who knocks, and lets nobody in.
    await proxy.close();
    const knocks: number[] = [];
    const door = createServer((socket) => {
      knocks.push(performance.now());
      socket.resetAndDestroy();
    });
    const goneMs = performance.now();
    await new Promise<void>((resolve) => door.listen(proxy.port, '127.0.0.1', resolve));
    await until('the outage is over', () => performance.now() - goneMs > awayS * 1_000, awayS * 1_000 + 5_000);
    await new Promise<void>((resolve) => door.close(() => resolve()));
    const back = await startProxy(redis.port, seeded(1), proxy.port);
    const backMs = performance.now();
    await until('all are back', () => heard.every((one) => one.now() === 'up'), 30_000);
    const allBackMs = performance.now() - backMs;
    const late = knocks.filter((atMs) => atMs - goneMs > settledMs);
    const slots = new Map<number, number>();
    for (const atMs of late) {
      const slot = Math.floor((atMs - goneMs) / slotMs);
      slots.set(slot, (slots.get(slot) ?? 0) + 1);
    }
    const most = Math.max(0, ...slots.values());
    const share = most / Math.max(1, late.length);
    const lines = loggers.map((logger, i) => logger.lines.length - (before[i] ?? 0));
    await Promise.all(feeds.map((feed) => feed.close()));
    const asker = probe(redis.url);
    await back.close();
    asker.disconnect();
    await redis.stop();
    const perClient = Math.max(...lines);
    const attempts = `${late.length} attempts, at most ${most} in ${slotMs} ms (${Math.round(share * 100)} %)`;
    const linesMax = 4 + Math.ceil(awayS / 60);
    const met = [
      figure(
        'F1.spread',
        `${clients} clients without Redis for ${awayS} s`,
        attempts,
        '<= 20 % of attempts in any 100 ms',
        share <= 0.2,
      ),
      figure('F1.back', 'all of them are back after', `${Math.round(allBackMs)} ms`, '<= 5,500 ms', allBackMs <= 5_500),
      figure('F1.log', 'log lines of one client over it', perClient, `<= ${linesMax}`, perClient <= linesMax),
    ];
    assert.deepEqual(met, [true, true, true], loggers[lines.indexOf(perClient)]?.lines.join('\n'));
  });
});
