import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { keysOf } from '../src/adapters/redis/keys';
import type { VerifyReport } from '../src/live/keeping/verify';
import type { Place } from '../src/store-place';
import { verifyPlace } from '../src/verify-command';
import { live, openKept } from './helpers/kept-store';
import { type RedisServer, startRedis } from './helpers/redis-server';
import { temporaryDirectory } from './helpers/temporary';

const problemOf = (report: VerifyReport) => report.checks.find(({ problem }) => problem !== null)?.problem ?? null;

describe('verify of a store in Redis', () => {
  const name = 'kept.in_Redis';
  const keys = keysOf(name);
  const directory = temporaryDirectory('verify-redis');
  let server: RedisServer;
  let admin: Redis;
  const kept = new Map<string, Buffer>();
  const place = (tapeOf: string | null = null): Place => ({ kind: 'redis', url: server.url, name, tapeOf });
  const verify = () => verifyPlace(place());

  before(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
    const engine = await openKept({ kind: 'redis', url: server.url, path: directory.path }, name);
    await live(engine);
    await engine.close();
    for (const key of await admin.keys('*')) kept.set(key, (await admin.dumpBuffer(key)) as Buffer);
  });
  after(async () => {
    admin?.disconnect();
    await server?.stop();
    directory.remove();
  });
  afterEach(async () => {
    await admin.flushall();
    for (const [key, dump] of kept) await admin.restore(key, 0, dump);
  });

  const flipped = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ (1 << (at % 7));
    return copy;
  };

  /** Writes the log anew with the fields of one entry changed. */
  async function rewrite(seq: number, change: (fields: Buffer[]) => Buffer[] | null): Promise<void> {
    const entries = await admin.xrangeBuffer(keys.log, '-', '+');
    const batch = admin.pipeline().del(keys.log);
    for (const [id, fields] of entries) {
      const changed = String(id) === `${seq}-0` ? change(fields) : fields;
      if (changed !== null) batch.xadd(keys.log, id, ...changed);
    }
    await batch.exec();
  }

  it('a store that lived is sound, with the tape where its directory is named', async () => {
    const report = await verify();
    assert.deepEqual([report.sound, report.events, report.strategies], [true, 33, 3]);
    assert.equal(report.checks.find(({ check }) => check === 'tape')?.checked, 'none');
    const withTape = await verifyPlace(place(directory.path));
    assert.match(withTape.checks.find(({ check }) => check === 'tape')?.checked ?? '', /^1 file, \d+ records$/);
    assert.equal(withTape.sound, true);
  });

  it('writes nothing', async () => {
    const changes = async () => /rdb_changes_since_last_save:(\d+)/.exec(await admin.info('persistence'))?.[1];
    const before = await changes();
    await verify();
    assert.equal(await changes(), before);
  });

  it('a flip in any byte of an event is found, and its number told', async () => {
    const [[, fields]] = (await admin.xrangeBuffer(keys.log, '9-0', '9-0')) as [[Buffer, Buffer[]]];
    for (const field of [1, 3, 5, 7]) {
      const { length } = fields[field] as Buffer;
      for (let at = 0; at < length; at += Math.ceil(length / 8)) {
        await rewrite(9, (all) => all.with(field, flipped(fields[field] as Buffer, at)));
        assert.match(
          problemOf(await verify()) ?? 'none',
          /^event 9 of the log is damaged/,
          `field ${field} byte ${at}`,
        );
      }
    }
  });

  it('a missing event, and a lost end, are found', async () => {
    await rewrite(12, () => null);
    assert.match(problemOf(await verify()) ?? 'none', /^event 12 of the log is missing/);
    await rewrite(13, () => null);
    await admin.del(keys.log);
    const { checks } = await verify();
    assert.match(
      checks.find(({ check }) => check === 'snapshots')?.problem ?? '',
      /knows event \d+, and the log ends at 0/,
    );
  });

  it("the store's own notes are held against the events", async () => {
    await admin.hset(keys.versions, '"execution"', 99);
    assert.equal(problemOf(await verify()), '"execution" is noted at version 99, and its events end at 24');
    await admin.hset(keys.versions, '"execution"', 24);
    const [digest = ''] = await admin.hkeys(keys.ids);
    await admin.hdel(keys.ids, digest);
    assert.match(problemOf(await verify()) ?? 'none', /^the id of event \d+ is not remembered/);
  });

  it('a flip in a manifest or a chunk is found, and the set or chunk named', async () => {
    for (const key of [keys.sets, keys.chunks]) {
      for (const [field, bytes] of Object.entries(await admin.hgetallBuffer(key))) {
        for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 5)) {
          await admin.hset(key, field, flipped(bytes, at));
          assert.match(problemOf(await verify()) ?? 'none', /^snapshot set \d+/, `${field} byte ${at}`);
        }
        await admin.hset(key, field, bytes);
      }
    }
    assert.equal((await verify()).sound, true);
  });

  it('beside a running engine that goes on writing it is sound', async () => {
    const engine = await openKept({ kind: 'redis', url: server.url }, name);
    let isWriting = true;
    const writing = (async () => {
      for (let i = 1_000; isWriting; i++) {
        const executionResult = { executionId: `later-${i}`, pnl: 1, success: true, executionTimeMs: 1 };
        await engine.track({ strategyId: 'first', executionResult });
        if (i % 20 === 0) await engine.freeze(i % 40 === 0);
        if (i % 50 === 0) await engine.snapshot();
      }
    })();
    for (let i = 0; i < 5; i++) assert.equal(problemOf(await verify()), null);
    isWriting = false;
    await writing;
    await engine.close();
  });
});
