/** A reader of a stream that is killed again and again, and cut off: what it did is what one undisturbed life does. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { type FaultProxy, seeded, startProxy } from '../faults/proxy';
import { type Child, type Ended, startNode } from '../helpers/child';
import { probe } from '../helpers/redis-probe';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';
import { chunked, walkingMarket } from '../helpers/walking-market';
import type { StreamPlan } from './children/stream-child';

const seed = Number(process.env.TEST_SEED ?? 20_260_101);
const script = join(__dirname, 'children/stream-child.ts');
const key = 'strategy_engine:input';
const group = 'strategy_engine';

interface Outcome {
  /** What is in the stream of signals, without the one field that may differ. */
  readonly signals: readonly string[];
  readonly state: unknown;
  /** Texts of the dead letters, in no order: one that a life left behind comes after what the next one met first. */
  readonly letters: readonly string[];
}

describe(`a reader of a stream, killed (seed ${seed})`, function () {
  this.timeout(240_000);
  const random = seeded(seed);
  const { path: directory, remove } = temporaryDirectory('stream-kill');
  const texts = chunked(walkingMarket(12_000, 3), 20).map((chunk) => JSON.stringify(chunk));
  let server: RedisServer;
  let proxy: FaultProxy;
  let asker: Redis;
  let undisturbed: Outcome;
  let added = 0;

  before(async () => {
    server = await startRedis();
    proxy = await startProxy(server.port, seeded(seed));
    asker = probe(server.url);
    await add(texts.length);
    undisturbed = await lastLife('whole', server.url);
    assert.ok(undisturbed.signals.length > 50, String(undisturbed.signals.length));
    assert.equal(undisturbed.letters.length, Math.floor(texts.length / 40));
  });
  beforeEach(async () => {
    await asker.flushall();
    proxy.set({ kind: 'pass' });
    added = 0;
  });
  after(async () => {
    asker.disconnect();
    await proxy.close();
    await server.stop();
    remove();
  });

  /** Entries with the same ids in every run, some of them no data. */
  async function add(count: number): Promise<void> {
    const pipeline = asker.pipeline();
    for (const end = Math.min(texts.length, added + count); added < end; added++) {
      pipeline.xadd(key, `${idBase + added}-0`, 'data', texts[added] ?? '');
      if (added % 40 === 39) pipeline.xadd(key, `${idBase + added}-1`, 'data', `broken ${added}`);
    }
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  }
  // Ids say when entries were added, which is now.
  const idBase = Date.now() - 2_000;

  async function live(plan: StreamPlan, during: (child: Child) => Promise<void>): Promise<Ended & { said: string }> {
    const child = startNode([script, JSON.stringify(plan)]);
    const isOver = child.ended.then(() => true);
    await Promise.race([isOver, until('it is open', () => child.stdout().includes('open\n'), 60_000)]);
    await during(child);
    const ended = await child.ended;
    if (ended.signal !== 'SIGKILL') assert.equal(ended.code, 0, child.stderr());
    return { ...ended, said: child.stdout() };
  }

  async function lastLife(name: string, url: string): Promise<Outcome> {
    await add(texts.length);
    const [last] = (await asker.xrevrange(key, '+', '-', 'COUNT', 1)) as [string, string[]][];
    const plan = { url, data: join(directory, name), until: last?.[0] ?? '', kill: null };
    const { said } = await live(plan, async () => undefined);
    assert.equal(Number(((await asker.xpending(key, group)) as unknown[])[0]), 0, 'all is acknowledged');
    const entries = await asker.xrange('strategy_engine:signals', '-', '+');
    const letters = await asker.xrange('strategy_engine:rejected', '-', '+');
    return {
      signals: entries.map(([, fields]) => {
        const { latency_ms: _, ...rest } = JSON.parse(fields[3] ?? '') as Record<string, unknown>;
        return JSON.stringify(rest);
      }),
      letters: letters.map(([, fields]) => fields[1] ?? '').sort(),
      state: JSON.parse(said.trimEnd().split('\n').at(-1) ?? ''),
    };
  }

  function assertSame(outcome: Outcome): void {
    const ids = (signals: readonly string[]) =>
      signals.map((text) => (JSON.parse(text) as { signal_id: string }).signal_id);
    assert.deepEqual(ids(outcome.signals), ids(undisturbed.signals));
    assert.deepEqual(outcome, undisturbed);
  }

  it('at random moments many times, it ends with the same signals, positions, counts and dead letters', async () => {
    const data = join(directory, 'random');
    const lives = 14;
    for (let life = 0; life < lives; life++) {
      await live({ url: server.url, data, until: '', kill: null }, async (child) => {
        const killAfter = Math.floor(random() * 12);
        for (let burst = 0; burst < 12; burst++) {
          await add(1 + Math.floor(random() * 6));
          if (burst === killAfter) child.kill('SIGKILL');
        }
      });
    }
    assert.ok(added > 200 && added < texts.length, String(added));
    assertSame(await lastLife('random', server.url));
  });

  it('while signals are on their way, while snapshots are taken and while it closes, likewise', async () => {
    const data = join(directory, 'points');
    for (const [at, nth] of [
      ['signal', 1],
      ['signal', 7],
      ['snapshot', 1],
      ['signal', 2],
      ['snapshot', 2],
      ['signal', 12],
    ] as const) {
      const { signal } = await live({ url: server.url, data, until: '', kill: { at, nth } }, async (child) => {
        let isOver = false;
        void child.ended.then(() => {
          isOver = true;
        });
        while (!isOver && added < texts.length) {
          await add(2);
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      assert.equal(signal, 'SIGKILL');
      if (added === texts.length) break;
    }
    assertSame(await lastLife('points', server.url));
  });

  it('and its connection cut before replies besides, likewise', async () => {
    const data = join(directory, 'cut');
    proxy.set({ kind: 'cut-before-reply', p: 0.03 });
    let cuts = 0;
    for (let life = 0; life < 2; life++) {
      await live({ url: proxy.url, data, until: '', kill: null }, async (child) => {
        cuts = proxy.cuts();
        for (let burst = 0; burst < 20; burst++) await add(1 + Math.floor(random() * 5));
        await until('a few cuts', () => proxy.cuts() >= cuts + 3, 30_000);
        child.kill('SIGKILL');
      });
    }
    assert.ok(proxy.cuts() >= 6);
    proxy.set({ kind: 'pass' });
    assertSame(await lastLife('cut', proxy.url));
  });
});
