import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { readBackup, writeBackup } from '../src/adapters/files/backup-file';
import { keysOf, restoringKeysOf } from '../src/adapters/redis/keys';
import { backUp } from '../src/backup-command';
import type { LogEvent } from '../src/core/domain/log-event';
import type { Snapshot } from '../src/live/ports';
import { copy, restoreFrom } from '../src/restore-command';
import { openPlace, type Place } from '../src/store-place';
import { verifyPlace } from '../src/verify-command';
import { startNode } from './helpers/child';
import { executionNumber, live, openKept, told } from './helpers/kept-store';
import { codeOf } from './helpers/living';
import { type RedisServer, startRedis } from './helpers/redis-server';
import { root } from './helpers/repository';
import { temporaryDirectory } from './helpers/temporary';
import { until } from './helpers/until';

const embedded = (path: string): Place => ({ kind: 'embedded', path });

/** All that a place keeps of an engine: its events, and the newest snapshot. */
async function contentOf(place: Place) {
  const store = await openPlace(place);
  let newest: Snapshot | null = null;
  for await (const { snapshot } of store.sets()) newest ??= snapshot;
  const events = await store.log.read(0, 10_000);
  await store.close();
  return { events, newest };
}

describe('backup, restore and move', () => {
  const directory = temporaryDirectory('restore');
  const inside = (name: string) => join(directory.path, name);
  const source = embedded(inside('source'));
  const file = inside('whole.backup');
  let asked: ReturnType<typeof told>;

  before(async () => {
    const engine = await openKept({ kind: 'embedded', path: inside('source') });
    await live(engine);
    asked = told(engine);
    await engine.close();
    await backUp(source, file);
  });
  after(() => directory.remove());

  it('what is restored is what was backed up, event by event and chunk by chunk', async () => {
    const report = await restoreFrom(file, embedded(inside('restored')));
    assert.equal(report.events, 33);
    assert.deepEqual(await contentOf(embedded(inside('restored'))), await contentOf(source));
    assert.equal((await verifyPlace(embedded(inside('restored')))).sound, true);
  });

  it('an engine on it answers as before, knows its executions again, and goes on', async () => {
    const engine = await openKept({ kind: 'embedded', path: inside('restored') });
    assert.deepEqual(told(engine), asked);
    const track = (i: number, pnl?: number) => {
      const executionResult = { ...executionNumber(i), ...(pnl === undefined ? {} : { pnl }) };
      return engine.track({ strategyId: i % 2 === 0 ? 'first' : 'second', executionResult });
    };
    for (const i of [0, 7, 23]) assert.equal((await track(i)).duplicate, true);
    assert.equal(await codeOf(track(7, 999)), 'ConflictError');
    assert.deepEqual(told(engine), asked);
    assert.equal((await track(24)).duplicate, false);
    await engine.freeze(true);
    await engine.close();
    const { events } = await contentOf(embedded(inside('restored')));
    assert.deepEqual(
      events.slice(-2).map(({ seq, aggregateVersion, link }) => [seq, aggregateVersion, link?.version]),
      [
        [34, 25, undefined],
        [35, 3, 5],
      ],
    );
    assert.equal((await verifyPlace(embedded(inside('restored')))).sound, true);
  });

  it('of a running engine that goes on it holds all that was acknowledged when it began', async () => {
    const path = inside('running');
    await restoreFrom(file, embedded(path));
    const engine = await openKept({ kind: 'embedded', path });
    let next = 100;
    let isWriting = true;
    const writing = (async () => {
      while (isWriting) {
        await engine.track({ strategyId: 'first', executionResult: executionNumber(next++) });
        if (next % 25 === 0) await engine.snapshot();
      }
    })();
    for (let i = 0; i < 3; i++) {
      const acknowledged = next - 101;
      const { events } = await backUp(embedded(path), inside(`running-${i}`));
      assert.ok(events >= 33 + acknowledged);
      assert.equal(
        (await restoreFrom(inside(`running-${i}`), embedded(inside(`running-${i}-restored`)))).events,
        events,
      );
    }
    isWriting = false;
    await writing;
    await engine.close();
  });

  it('a place that is not empty is refused and left as it was', async () => {
    const path = inside('taken');
    mkdirSync(path);
    writeFileSync(join(path, 'mine'), 'x');
    assert.equal(await codeOf(restoreFrom(file, embedded(path))), 'ConflictError');
    assert.deepEqual(readdirSync(path), ['mine']);
    assert.equal(await codeOf(restoreFrom(file, source)), 'ConflictError');
    assert.equal((await verifyPlace(source)).events, 33);
    assert.equal(await codeOf(backUp(source, file)), 'ConflictError');
  });

  it('an empty directory is a place for it', async () => {
    mkdirSync(inside('empty'));
    assert.equal((await restoreFrom(file, embedded(inside('empty')))).sound, true);
  });

  it('killed in the middle it leaves nothing in the place, and the next one begins anew', async () => {
    const many = inside('many');
    const { events } = await contentOf(source);
    const one = events.find(({ type }) => type === 'execution_tracked') as LogEvent;
    async function* pages() {
      for (let from = 0; from < 40_000; from += 1_000) {
        yield Array.from({ length: 1_000 }, (_, i) => {
          const seq = from + i + 1;
          return { ...one, seq, aggregateVersion: seq, id: `many-${seq}` } as LogEvent;
        });
      }
    }
    const header = { backup: 1, engine: null, store: 'embedded', madeMs: 0, events: 40_000, snapshot: null } as const;
    await writeBackup(many, { header, events: pages(), snapshot: null });
    const child = startNode([join(root, 'src/cli.ts'), 'restore', many, '--data', inside('killed')]);
    await until('it is writing', () => existsSync(inside('killed.restoring/log/data.mdb')), 30_000);
    child.kill('SIGKILL');
    assert.equal((await child.ended).signal, 'SIGKILL');
    assert.equal(existsSync(inside('killed')), false);
    assert.equal((await restoreFrom(many, embedded(inside('killed')))).events, 40_000);
    assert.equal(existsSync(inside('killed.restoring')), false);
  }).timeout(120_000);

  describe('a backup that is not whole', () => {
    const bad = inside('bad.backup');
    const target = inside('never');
    const refused = async (what: string, message: RegExp) => {
      await assert.rejects(restoreFrom(bad, embedded(target)), { code: 'ValueError', message }, what);
      assert.deepEqual(
        readdirSync(directory.path).filter((name) => name.startsWith('never')),
        [],
        what,
      );
    };

    it('is refused at every length, and nothing is written', async () => {
      const whole = readFileSync(file);
      for (let length = 0; length < whole.length; length += Math.ceil(whole.length / 60)) {
        writeFileSync(bad, whole);
        truncateSync(bad, length);
        await refused(`${length} bytes`, /no whole backup/);
      }
      writeFileSync(bad, Buffer.concat([whole, Buffer.from('\n')]));
      await refused('a byte more', /no whole backup/);
      truncateSync(bad, whole.length - 1);
      await refused('a byte less', /no whole backup/);
    });

    it('is refused with any byte changed, and nothing is written', async () => {
      const whole = readFileSync(file);
      const places = [...Array(30).keys(), ...Array.from({ length: 70 }, (_, i) => whole.length - 1 - i)];
      for (let at = 30; at < whole.length; at += Math.ceil(whole.length / 60)) places.push(at);
      for (const at of places) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
        writeFileSync(bad, bytes);
        await refused(`byte ${at}`, /no whole backup/);
      }
    });

    /** A backup with all its checksums, of other events. */
    async function forge(change: (events: LogEvent[]) => LogEvent[]): Promise<void> {
      const { events, newest } = await contentOf(source);
      const changed = change([...events]);
      const snapshot = newest && { meta: newest.meta, chunks: newest.chunks.size };
      const header = {
        backup: 1,
        engine: null,
        store: 'embedded',
        madeMs: 0,
        events: changed.length,
        snapshot,
      } as const;
      async function* pages() {
        yield changed;
      }
      const fresh = inside(`forged-${readdirSync(directory.path).length}`);
      await writeBackup(fresh, { header, events: pages(), snapshot: newest });
      writeFileSync(bad, readFileSync(fresh));
    }

    it('is refused when its events do not fit each other, though every checksum holds', async () => {
      await forge((events) => events.slice(0, 10));
      await refused('behind its snapshot', /its snapshot knows event \d+, and its events end at 10/);
      await forge((events) => events.toSpliced(10, 1).map((event, i) => ({ ...event, seq: i + 1 })));
      await refused('one taken out', /event 11 is version \d+ of "execution" and follows version \d+/);
      await forge((events) => {
        const again = events.findLast(({ type }) => type === 'execution_tracked') as LogEvent;
        return [
          ...events,
          { ...again, seq: events.length + 1, aggregateVersion: again.aggregateVersion + 1 } as LogEvent,
        ];
      });
      await refused('one told twice', /event 34 has the id of an earlier one: it is counted twice/);
      await forge((events) =>
        events.map((event) => (event.type === 'learning_frozen' ? { ...event, actor: 'nobody' } : event)),
      );
      await refused('another actor', /is not what its hash was made of/);
      await forge((events) =>
        events.map((event) =>
          event.type === 'execution_tracked' ? { ...event, data: { ...event.data, pnl: '7' } } : event,
        ),
      );
      await refused('other money than the snapshot knows', /another ledger than the log/);
    });

    it('is read in pieces, the header first', async () => {
      const kinds: string[] = [];
      for await (const piece of readBackup(file)) kinds.push(piece.kind);
      assert.deepEqual(kinds, ['header', 'events', 'snapshot']);
    });
  });

  describe('with Redis', () => {
    let server: RedisServer;
    const inRedis = (name: string): Place => ({ kind: 'redis', url: server.url, name, tapeOf: null });

    before(async () => {
      server = await startRedis();
    });
    after(() => server?.stop());

    it('there and back again nothing has changed', async () => {
      // What a restore that was killed left behind.
      const left = new Redis(server.url);
      await left.xadd(restoringKeysOf('there').log, '1-0', 'd', 'half');
      await left.hset(restoringKeysOf('there').versions, '"half"', 1);
      await copy(source, inRedis('there'), true);
      await copy(inRedis('there'), embedded(inside('back')), true);
      const original = await contentOf(source);
      assert.deepEqual(await contentOf(inRedis('there')), original);
      assert.deepEqual(await contentOf(embedded(inside('back'))), original);
      assert.equal((await verifyPlace(inRedis('there'))).sound, true);
      assert.deepEqual(await left.keys('*restoring*'), []);
      assert.equal(await left.hexists(keysOf('there').versions, '"half"'), 0);
      left.disconnect();
    });

    it('an engine on it answers as before, knows its executions again, and goes on', async () => {
      const engine = await openKept({ kind: 'redis', url: server.url }, 'there');
      assert.deepEqual(told(engine), asked);
      const track = (i: number) => engine.track({ strategyId: 'first', executionResult: executionNumber(i) });
      assert.equal((await track(8)).duplicate, true);
      assert.equal((await track(24)).duplicate, false);
      await engine.freeze(true);
      await engine.snapshot();
      const report = await verifyPlace(inRedis('there'));
      assert.deepEqual([report.sound, report.events], [true, 35]);
      assert.equal(await codeOf(restoreFrom(file, inRedis('there'))), 'ConflictError');
      await engine.close();
    });

    it('a place that is not empty, or that an engine holds, is refused', async () => {
      assert.equal(await codeOf(restoreFrom(file, inRedis('there'))), 'ConflictError');
      const engine = await openKept({ kind: 'redis', url: server.url }, 'held');
      assert.equal(await codeOf(restoreFrom(file, inRedis('held'))), 'ConflictError');
      await engine.close();
    });

    it('the command moves what no engine holds, and copies what one does', async () => {
      const run = async (...args: string[]) => {
        const child = startNode([join(root, 'src/cli.ts'), 'move', ...args]);
        const { code } = await child.ended;
        return { code, out: child.stdout(), err: child.stderr() };
      };
      const engine = await openKept({ kind: 'redis', url: server.url }, 'there');
      const args = ['--from', server.url, '--name', 'there', '--to', inside('moved')];
      const held = await run(...args);
      assert.deepEqual([held.code, existsSync(inside('moved'))], [1, false]);
      assert.match(held.err, /a running engine holds "there"/);
      const copied = await run(...args, '--copy');
      assert.equal(copied.code, 0, copied.err);
      assert.match(copied.out, /^copied to .*moved: 35 events, 3 strategies, total P&L .*; verified\n$/);
      await engine.close();
      const owner = await openKept({ kind: 'embedded', path: inside('moved') });
      const owned = await run('--from', inside('moved'), '--to', inside('moved-on'));
      assert.equal(owned.code, 1);
      assert.match(owned.err, /is in use by process/);
      await owner.close();
      const moved = await run('--from', inside('moved'), '--to', server.url, '--name', 'again');
      assert.equal(moved.code, 0, moved.err);
      assert.match(
        moved.out,
        /^moved to "again" in the Redis at .*\n.*is left as it was: start no engine on it any more\n$/,
      );
      assert.equal((await run('--from', 'somewhere')).code, 2);
    }).timeout(120_000);
  });
});
