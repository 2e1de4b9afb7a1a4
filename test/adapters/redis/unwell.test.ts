/** Redis answers, but not what was asked for: every call settles in time with its code, the state says why, all recovers. */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { RedisConnection, redisError } from '../../../src/adapters/redis/connection';
import { createRedisOutput } from '../../../src/adapters/redis/output';
import { createPubSubFeed } from '../../../src/adapters/redis/pubsub-feed';
import { systemClock } from '../../../src/adapters/system/clock';
import type { EngineError } from '../../../src/core/domain/errors';
import { limits } from '../../../src/core/domain/limits';
import { seeded } from '../../faults/proxy';
import { type Act, failingAt, pass, type RespServer, refusal, startRespServer } from '../../faults/resp-server';
import { logLines, probe, recorder, watchRejections } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';
import { signals } from '../../helpers/redis-signals';
import { until } from '../../helpers/until';

/** A machine that others use as well may be late by this. */
const slackMs = 500;
const backMs = limits.redisRetryMaxMs + 3_000;

const refusals = [
  'READONLY You can’t write against a read only replica.'.replace('’', "'"),
  'LOADING Redis is loading the dataset in memory',
  "OOM command not allowed when used memory > 'maxmemory'.",
  'NOSCRIPT No matching script. Please use EVAL.',
  'BUSY Redis is busy running a script.',
  'MISCONF Redis is configured to save RDB snapshots, but it is unable to persist on disk.',
  'NOPERM this user has no permissions',
  'ERR unknown command',
];

const faults: readonly (readonly [name: string, act: Act, code: 'ConnectionError' | 'TimeoutError'])[] = [
  ...refusals.map((text) => [`-${text.split(' ')[0]}`, refusal(text), 'ConnectionError'] as const),
  ['half a reply', { kind: 'half' }, 'TimeoutError'],
  ['no reply', { kind: 'hang' }, 'TimeoutError'],
  ['a reset before it is done', { kind: 'cut' }, 'ConnectionError'],
  ['a reset after it is done', { kind: 'cut-after' }, 'ConnectionError'],
  ['garbage', { kind: 'say', bytes: '\u0000\u00ff?!garbage\r\n' }, 'ConnectionError'],
];

/** The output waits between two tries, so that it is put through one refusal only, and all that is none. */
const unlike = faults.filter(([name]) => !name.startsWith('-') || name === '-READONLY' || name === '-OOM');

describe('a Redis that is unwell', () => {
  let redis: RedisServer;
  let asker: Redis;
  let server: RespServer;
  const rejections = watchRejections();

  before(async () => {
    redis = await startRedis();
    asker = probe(redis.url);
  });
  beforeEach(async () => {
    await asker.flushall();
    server = await startRespServer(redis.port);
  });
  afterEach(async () => {
    await server.close();
    assert.deepEqual(rejections.escaped, []);
  });
  after(async () => {
    rejections.stop();
    asker.disconnect();
    await redis.stop();
  });

  const common = () => ({ url: server.url, clock: systemClock, logger: logLines(), random: seeded(4) });

  describe('to a connection', () => {
    let connection: RedisConnection;
    beforeEach(() => {
      connection = new RedisConnection({ ...common(), role: 'commands' });
    });
    afterEach(() => connection.close());

    const asError = (thrown: unknown): EngineError => redisError(thrown, connection.redact);

    for (const [name, act, code] of faults) {
      it(`${name}: the call settles with ${code}, and the next ones are done`, async () => {
        await connection.start();
        server.script(failingAt(1, act, ([command]) => command === 'INCR'));
        const sentMs = performance.now();
        const error = await connection.client.incr('n').then(
          () => assert.fail('it was answered'),
          (thrown: unknown) => asError(thrown),
        );
        assert.ok(performance.now() - sentMs < limits.storeMs + slackMs);
        assert.equal(error.code, code, error.message);
        assert.ok(error.httpStatus === 503 || error.httpStatus === 504);
        await until(
          'it goes on',
          () =>
            connection.client.incr('after').then(
              () => true,
              () => false,
            ),
          backMs,
        );
        await until('it is up', () => connection.state === 'up', backMs);
      }).timeout(20_000);
    }

    it('a Redis that knows no RESP3 is spoken to in RESP2', async () => {
      server.script(([command]) => (command === 'HELLO' ? refusal("ERR unknown command 'HELLO'") : pass));
      await connection.start();
      assert.equal(connection.state, 'up');
      assert.equal(await connection.client.incr('n'), 1);
    });

    it('any command of the greeting that fails in any way only delays it', async () => {
      await connection.start();
      const greeting = server.seen.length;
      assert.ok(greeting >= 3, server.seen.join());
      await connection.close();
      for (const act of [refusal('ERR no'), refusal('LOADING wait'), { kind: 'cut' }, { kind: 'cut-after' }] as const) {
        for (let k = 1; k <= greeting; k++) {
          server.script(failingAt(k, act));
          connection = new RedisConnection({ ...common(), role: 'commands' });
          await connection.start();
          await until(`up in spite of ${JSON.stringify(act)} at ${k}`, () => connection.state === 'up', backMs);
          assert.equal(await connection.client.set('k', 'v'), 'OK');
          await connection.close();
        }
      }
    }).timeout(60_000);

    it('an outage whose reasons take turns is logged once for each', async () => {
      const lines = logLines();
      const heard = recorder();
      let nth = 0;
      server.script(([command]) => (command === 'HELLO' ? refusal(`WRONGPASS ${nth++ % 2 === 0 ? 'a' : 'b'}`) : pass));
      const watched = new RedisConnection({ ...common(), logger: lines, role: 'commands', onState: heard.state });
      await watched.start();
      await until('it was tried six times', () => heard.states.length >= 6, backMs);
      assert.equal(lines.lines.length, 2, lines.lines.join('\n'));
      await watched.close();
    }).timeout(20_000);

    it('a Redis that loads its data set is waited for', async () => {
      let isLoading = true;
      server.script(([command]) =>
        isLoading && command === 'INFO' ? { kind: 'say', bytes: '$9\r\nloading:1\r\n' } : pass,
      );
      await connection.start();
      assert.notEqual(connection.state, 'up');
      await assert.rejects(connection.client.incr('n'));
      isLoading = false;
      await until('up', () => connection.state === 'up', backMs);
    }).timeout(20_000);

    it('a Redis that answers PINGs with an error is no living one: that is told, and it is up again when it is well', async () => {
      const heard = recorder();
      const watched = new RedisConnection({ ...common(), role: 'commands', onState: heard.state });
      server.script(([command]) => (command === 'PING' ? refusal('BUSY Redis is busy running a script.') : pass));
      await watched.start();
      await until('stale', () => heard.states.some(({ state }) => state === 'stale'), 3_000);
      server.script(() => pass);
      await until('up', () => watched.state === 'up' && heard.now() === 'up', backMs);
      await watched.close();
    }).timeout(20_000);
  });

  describe('to the output', () => {
    for (const [name, act] of unlike) {
      it(`${name}: publishing settles, the state says why, and each signal leaves once`, async () => {
        const heard = recorder();
        const output = createRedisOutput({ ...common(), engineName: 'unwell', encode: (one) => one.signalId });
        output.onState(heard.state);
        await output.start();
        let isIll = true;
        server.script(([command]) => (isIll && command === 'EVALSHA' ? act : pass));
        const sentMs = performance.now();
        const outcome = await output.publish(signals(3));
        assert.ok(performance.now() - sentMs < limits.storeMs + slackMs);
        assert.deepEqual(outcome, { published: 0, duplicates: 0, waiting: 3, dropped: 0 });
        await until('it is told', () => ['stale', 'down'].includes(heard.now() ?? ''), backMs);
        assert.notEqual(heard.states.at(-1)?.message, '');
        isIll = false;
        await until('all have left', () => output.counters().published === 3, backMs);
        await until('up', () => heard.now() === 'up', backMs);
        assert.equal(await asker.xlen('strategy_engine:signals'), 3);
        assert.deepEqual((await output.publish(signals(3))).duplicates, 3);
        await output.close();
      }).timeout(20_000);
    }

    it('an answer of another shape is no answer', async () => {
      for (const bytes of ['+OK\r\n', '*1\r\n:1\r\n', '$-1\r\n', ':3\r\n', '*0\r\n']) {
        await asker.flushall();
        const output = createRedisOutput({ ...common(), engineName: 'unwell', encode: (one) => one.signalId });
        await output.start();
        server.script(failingAt(1, { kind: 'lie', bytes }, ([command]) => command === 'EVALSHA'));
        await output.publish(signals(2));
        await until(`published after ${JSON.stringify(bytes)}`, () => output.counters().published === 2, backMs);
        assert.equal(await asker.xlen('strategy_engine:signals'), 2);
        await output.close();
      }
    }).timeout(20_000);

    it('a dead letter that is refused is counted, and nobody waits for it', async () => {
      const output = createRedisOutput({ ...common(), engineName: 'unwell', encode: (one) => one.signalId });
      await output.start();
      for (const [, act] of unlike) {
        server.script(failingAt(1, act, ([command]) => command === 'XADD'));
        const sentMs = performance.now();
        await output.reject({ text: 'x', reason: 'y', atMs: 0 });
        assert.ok(performance.now() - sentMs < limits.storeMs + slackMs);
        server.script(() => pass);
        await until('there again', async () => (await output.publish(signals(1))).waiting === 0, backMs);
      }
      assert.equal(output.counters().rejectsDropped, unlike.length);
      await output.close();
    }).timeout(60_000);
  });

  describe('to the feed', () => {
    for (const [name, act] of faults.filter(([, { kind }]) => kind !== 'half' && kind !== 'cut-after')) {
      it(`${name} to its subscription: the state says why, and a gap tells of it once it is subscribed`, async () => {
        let isIll = true;
        server.script(([command]) => (isIll && command === 'SUBSCRIBE' ? act : pass));
        const heard = recorder();
        const feed = createPubSubFeed(common());
        const sentMs = performance.now();
        await feed.start(heard);
        assert.ok(performance.now() - sentMs < limits.redisConnectMs + limits.storeMs + slackMs);
        assert.notEqual(heard.now(), 'up');
        await until('it is told', () => ['stale', 'down'].includes(heard.now() ?? ''), backMs);
        isIll = false;
        await until('up', () => heard.now() === 'up', backMs);
        assert.equal(heard.gaps.length, 1);
        const before = heard.texts.length;
        await until('messages flow', async () => {
          await asker.publish('strategy_engine_input', 'alive');
          return heard.texts.length > before;
        });
        await feed.close();
      }).timeout(25_000);
    }
  });
});
