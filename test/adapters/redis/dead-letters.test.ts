import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { createDeadLetters, type DeadLetters } from '../../../src/adapters/redis/dead-letters';
import { createRedisOutput } from '../../../src/adapters/redis/output';
import { systemClock } from '../../../src/adapters/system/clock';
import { limits } from '../../../src/core/domain/limits';
import { type FaultProxy, seeded, startProxy } from '../../faults/proxy';
import { built } from '../../helpers/built';
import { startNode } from '../../helpers/child';
import { codeOf } from '../../helpers/living';
import { logLines, probe } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';

const rejected = 'strategy_engine:rejected';
const input = 'strategy_engine:input';

describe('dead letters', () => {
  let server: RedisServer;
  let asker: Redis;
  let proxy: FaultProxy;
  const open: { close(): Promise<void> }[] = [];

  before(async () => {
    server = await startRedis();
    asker = probe(server.url);
    proxy = await startProxy(server.port, seeded(5));
  });
  beforeEach(async () => {
    proxy.set({ kind: 'pass' });
    await asker.flushall();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
  });
  after(async () => {
    asker.disconnect();
    await proxy.close();
    await server.stop();
  });

  const edges = () => ({ clock: systemClock, logger: logLines(), random: seeded(7) });

  function opened(url = server.url): DeadLetters {
    const letters = createDeadLetters({ url, ...edges() });
    open.push(letters);
    return letters;
  }

  /** As an output keeps them. */
  async function keep(
    messages: readonly { readonly text: string; readonly reason: string; readonly source?: string }[],
  ) {
    const output = createRedisOutput({ url: server.url, engineName: 'e', encode: String, ...edges() });
    await output.start();
    for (const message of messages) await output.reject({ ...message, atMs: 1_767_225_600_000 });
    await output.close();
  }

  const fields = async (stream: string) => (await asker.xrange(stream, '-', '+')).map(([, flat]) => flat);

  it('are listed with all that was kept of them, by page and by reason', async () => {
    await keep([
      ...Array.from({ length: 130 }, (_, i) => ({
        text: `t${i}`,
        reason: i % 2 ? 'odd one' : 'even one',
        source: 'redis:c',
      })),
      { text: 'x'.repeat(5_000), reason: 'odd and long' },
    ]);
    const letters = opened();
    const first = await letters.list({ reason: 'odd', limit: 60 });
    const second = await letters.list({ reason: 'odd', limit: 60, ...(first.cursor ? { cursor: first.cursor } : {}) });
    assert.deepEqual([first.letters.length, second.letters.length, second.cursor], [60, 6, null]);
    const { id: _, ...one } = first.letters[0] ?? { id: '' };
    assert.deepEqual(one, {
      text: 't1',
      reason: 'odd one',
      at: '2026-01-01T00:00:00.000Z',
      source: 'redis:c',
      attempts: 0,
      cut: false,
    });
    const last = second.letters.at(-1);
    assert.deepEqual([last?.cut, last?.source, last?.text.length], [true, null, limits.deadLetterChars]);
    assert.deepEqual(await letters.list({ reason: 'nothing like it' }), { letters: [], cursor: null });
  });

  it('are put back where they came from and removed, and how often is kept', async () => {
    await keep([
      { text: '{"a":1}', reason: 'r', source: `stream:${input}:2` },
      { text: '{"b":1}', reason: 'r', source: 'redis:prices' },
    ]);
    const heard: string[] = [];
    const ear = probe(server.url);
    await ear.subscribe('prices');
    ear.on('message', (_channel, text) => heard.push(text));
    const letters = opened();
    assert.deepEqual(await letters.replay(), { replayed: 2, refused: [], cursor: null });
    assert.deepEqual(await fields(`${input}:2`), [['data', '{"a":1}', 'attempts', '1']]);
    assert.equal(await asker.xlen(rejected), 0);
    await asker.ping();
    assert.deepEqual(heard, ['{"b":1}']);
    ear.disconnect();
  });

  it('stay, with the reason, when they were cut, are of unknown origin, empty, or nobody hears the channel', async () => {
    await keep([
      { text: 'x'.repeat(5_000), reason: 'r', source: `stream:${input}` },
      { text: 'no origin', reason: 'r' },
      { text: '', reason: 'r', source: `stream:${input}` },
      { text: 'unheard', reason: 'r', source: 'redis:silent' },
    ]);
    const letters = opened();
    const { replayed, refused } = await letters.replay();
    assert.equal(replayed, 0);
    assert.deepEqual(
      refused.map(({ reason }) => reason),
      [
        'only its first 4096 bytes were kept',
        'where it came from was not kept: say to which of stream and channel',
        'it has no text',
        'nobody listens to silent',
      ],
    );
    assert.equal(await asker.xlen(rejected), 4);
    assert.equal((await letters.replay({ to: 'stream' })).replayed, 2);
    assert.deepEqual(
      (await fields(input)).map((flat) => flat[1]),
      ['no origin', 'unheard'],
    );
  });

  it('are neither lost nor doubled while replies are cut, nor by two who put them back at once', async () => {
    const texts = Array.from({ length: 200 }, (_, i) => `t${i}`);
    await keep(texts.map((text) => ({ text, reason: 'r', source: `stream:${input}` })));
    const cut = opened(proxy.url);
    const other = opened();
    await other.list({ limit: 1 });
    await cut.list({ limit: 1 });
    proxy.set({ kind: 'cut-before-reply', p: 0.1 });
    for (let round = 0; (await asker.xlen(rejected)) > 0; round++) {
      assert.ok(round < 200, 'it never ends');
      await Promise.allSettled([cut.replay({ limit: 50 }), other.replay({ limit: 3 })]);
    }
    assert.ok(proxy.cuts() > 0);
    const back = (await fields(input)).map((flat) => String(flat[1]));
    assert.deepEqual([...back].sort(), [...texts].sort());
  });

  it('are asked for within bounds, and without a server with an error of the catalogue', async () => {
    const letters = opened();
    for (const query of [{ limit: 0 }, { limit: limits.pageMax + 1 }, { cursor: 'x' }]) {
      assert.equal(await codeOf(letters.list(query)), 'ValueError');
    }
    assert.equal(await codeOf(opened('redis://127.0.0.1:1').list()), 'ConnectionError');
  });

  describe('on the command line', () => {
    async function run(...args: readonly string[]) {
      const child = startNode([built('src/cli.js'), 'dead-letters', ...args], { env: { REDIS_URL: server.url } });
      const { code } = await child.ended;
      return { code, stdout: child.stdout(), stderr: child.stderr() };
    }

    it('are listed and put back, for people and for machines', async () => {
      await keep([
        { text: '{"price":\n-1}', reason: 'price must be greater than 0', source: `stream:${input}` },
        { text: 'x'.repeat(5_000), reason: 'not JSON', source: `stream:${input}` },
      ]);
      const listed = await run();
      assert.equal(listed.code, 0, listed.stderr);
      assert.match(
        listed.stdout,
        /stream:strategy_engine:input\n {2}price must be greater than 0\n {2}\{"price": -1\}/,
      );
      assert.match(listed.stdout, /· cut\n {2}not JSON/);
      assert.match(listed.stdout, /\n2 dead letters\n$/);
      const { letters } = JSON.parse((await run('--json', '--reason', 'JSON')).stdout) as { letters: object[] };
      assert.deepEqual(Object.keys(letters[0] ?? {}), ['id', 'data', 'reason', 'at', 'source', 'attempts', 'cut']);
      const replayed = await run('--replay', '--limit', '10');
      assert.deepEqual([replayed.code, replayed.stdout], [1, '1 put back, 1 stay\n']);
      assert.match(replayed.stderr, /stays: only its first 4096 bytes/);
      assert.deepEqual(await fields(input), [['data', '{"price":\n-1}', 'attempts', '1']]);
    });

    it('are refused with a word that is none', async () => {
      for (const args of [['--to', 'nowhere'], ['--limit', '0'], ['--nonsense']]) {
        const { code, stderr } = await run(...args);
        assert.equal(code, 1);
        assert.ok(stderr.length > 0 && !stderr.includes('    at '), stderr);
      }
    });
  });
});
