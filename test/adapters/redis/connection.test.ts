import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  parseRedisUrl,
  RedisConnection,
  redactor,
  redisError,
  retryDelayMs,
} from '../../../src/adapters/redis/connection';
import { systemClock } from '../../../src/adapters/system/clock';
import { EngineError } from '../../../src/core/domain/errors';
import { limits } from '../../../src/core/domain/limits';
import { seeded, startProxy } from '../../faults/proxy';
import { logLines, watchRejections } from '../../helpers/redis-probe';
import { startRedis } from '../../helpers/redis-server';
import { until } from '../../helpers/until';

describe('a redis connection', () => {
  it('reads host, port, database, user and password from its URL', () => {
    assert.deepEqual(parseRedisUrl('redis://127.0.0.1'), { host: '127.0.0.1', port: 6379, db: 0 });
    assert.deepEqual(parseRedisUrl('rediss://me:p%40ss@[::1]:7000/3'), {
      host: '::1',
      port: 7000,
      db: 3,
      username: 'me',
      password: 'p@ss',
      tls: {},
    });
  });

  it('refuses a URL that is none, without repeating it', () => {
    for (const url of ['', 'localhost:6379', 'http://x:planted@y', 'redis://h:99999', 'redis://h/planted']) {
      assert.throws(
        () => parseRedisUrl(url),
        (thrown) =>
          thrown instanceof EngineError &&
          thrown.code === 'ValueError' &&
          /^url /.test(thrown.message) &&
          !JSON.stringify([thrown.message, thrown.details]).includes('planted'),
        url,
      );
    }
  });

  it('takes the password out of any text, encoded or not', () => {
    const redact = redactor('redis://me:p%40ss@h:1/0');
    assert.equal(redact('AUTH me p@ss failed at redis://me:p%40ss@h:1'), 'AUTH me *** failed at redis://***@h:1');
    assert.equal(redactor('no url')('rediss://a:b@c'), 'rediss://***@c');
  });

  it('knows a timeout from a lost connection, and keeps nothing of what was sent', () => {
    const same = (text: string): string => text;
    assert.equal(redisError(new Error('Command timed out'), same).code, 'TimeoutError');
    const sent = Object.assign(new Error('WRONGPASS'), { command: { args: ['planted'] } });
    const error = redisError(sent, same);
    assert.equal(error.code, 'ConnectionError');
    assert.equal(error.retryAfterS, 1);
    assert.equal(error.cause, undefined);
  });

  it('tries again after a delay that is jittered from the bottom and never above 5 s', () => {
    const seed = 20_260_101;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (n, x) => {
        const delayMs = retryDelayMs(n, () => x);
        return delayMs >= limits.redisRetryMinMs && delayMs <= limits.redisRetryMaxMs;
      }),
      { seed },
    );
    assert.equal(
      retryDelayMs(1, () => 0.999_999),
      50,
    );
    assert.equal(
      retryDelayMs(20, () => 0.999_999),
      5_000,
    );
    const first = Array.from({ length: 50 }, (_, index) => retryDelayMs(6, seeded(index)));
    const slots = new Map<number, number>();
    for (const delayMs of first) {
      const slot = Math.floor(delayMs / 100);
      slots.set(slot, (slots.get(slot) ?? 0) + 1);
    }
    assert.ok(Math.max(...slots.values()) <= 10, '50 clients do not return at once');
  });

  it('settles every command under way when the connection is cut, and each at once while it is away', async () => {
    const rejections = watchRejections();
    const server = await startRedis();
    const proxy = await startProxy(server.port);
    let reconnects = 0;
    const connection = new RedisConnection({
      url: proxy.url,
      role: 'commands',
      clock: systemClock,
      logger: logLines(),
      random: seeded(5),
      onReconnect: () => reconnects++,
    });
    try {
      await connection.start();
      assert.deepEqual([connection.state, reconnects], ['up', 0]);
      proxy.set({ kind: 'freeze' });
      const cutMs = performance.now();
      const calls = Array.from({ length: 1_000 }, () => connection.client.incr('n'));
      proxy.set({ kind: 'reset' });
      const outcomes = await Promise.allSettled(calls);
      assert.ok(performance.now() - cutMs < limits.storeMs + 500);
      assert.ok(outcomes.every(({ status }) => status === 'rejected'));
      await until('down', () => connection.state === 'down');
      const awayMs = performance.now();
      await assert.rejects(connection.client.incr('n'));
      assert.ok(performance.now() - awayMs < 50);
      proxy.set({ kind: 'pass' });
      await until('up', () => connection.state === 'up', 5_500);
      assert.equal(reconnects, 1);
      // Nothing was sent again behind our back.
      assert.equal(await connection.client.incr('n'), 1);
    } finally {
      await connection.close();
      await proxy.close();
      await server.stop();
      rejections.stop();
    }
    assert.equal(connection.client.listenerCount('ready') + connection.client.listenerCount('close'), 0);
    assert.deepEqual(rejections.escaped, []);
  });
});
