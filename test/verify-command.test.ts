import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { encodeRecord, unseal } from '../src/adapters/log-record';
import type { LogEvent } from '../src/core/domain/log-event';
import type { VerifyReport } from '../src/live/keeping/verify';
import { verifyPlace } from '../src/verify-command';
import { built } from './helpers/built';
import { startNode } from './helpers/child';
import { live, openKept } from './helpers/kept-store';
import { temporaryDirectory } from './helpers/temporary';

const checkNames = ['events', 'versions', 'ids', 'chain', 'snapshots', 'registry', 'ledger', 'audit', 'tape'];

const problemOf = (report: VerifyReport) => report.checks.find(({ problem }) => problem !== null)?.problem ?? null;
const noteOf = (report: VerifyReport, check: string) => report.checks.find((one) => one.check === check)?.note ?? null;

describe('verify of an embedded store', () => {
  const directory = temporaryDirectory('verify');
  const whole = join(directory.path, 'whole');
  const path = join(directory.path, 'copy');
  const verify = () => verifyPlace({ kind: 'embedded', path });

  before(async () => {
    const engine = await openKept({ kind: 'embedded', path: whole });
    await live(engine);
    await engine.close();
  });
  beforeEach(() => {
    rmSync(path, { recursive: true, force: true });
    cpSync(whole, path, { recursive: true });
  });
  after(() => directory.remove());

  /** Changes what lies in a database of the log, as no engine would. */
  async function inLog(
    database: string,
    change: (db: ReturnType<ReturnType<typeof open>['openDB']>) => Promise<unknown>,
  ) {
    const store = open({ path: join(path, 'log'), noSubdir: false, encoding: 'binary' });
    const binaryKeys = database === 'versions' ? { keyEncoding: 'binary' as const } : {};
    await change(store.openDB({ name: database, encoding: 'binary', ...binaryKeys }));
    await store.close();
  }

  async function rewriteEvent(seq: number, change: (event: LogEvent) => LogEvent): Promise<void> {
    await inLog('log', (db) => {
      const event = JSON.parse(unseal(String(db.get(seq))) ?? '') as LogEvent;
      return db.put(seq, Buffer.from(encodeRecord(change(event))));
    });
  }

  const flip = (file: string, at: number, bit = 1) => {
    const bytes = readFileSync(file);
    bytes[at] = (bytes[at] as number) ^ bit;
    writeFileSync(file, bytes);
  };

  it('a store that lived is sound, and every check has looked at something', async () => {
    const report = await verify();
    assert.deepEqual(
      report.checks.map(({ check }) => check),
      checkNames,
    );
    assert.equal(problemOf(report), null);
    assert.equal(report.sound, true);
    assert.ok(report.checks.every(({ checked }) => /^[1-9]/.test(checked)));
    assert.deepEqual(
      report.checks.map(({ note }) => note),
      checkNames.map(() => null),
    );
  });

  it('a flip in any byte of an event is found, and its number told', async () => {
    const key = 9;
    let record = Buffer.alloc(0);
    await inLog('log', async (db) => {
      record = Buffer.from(db.get(key) as Buffer);
    });
    for (let at = 0; at < record.length; at += 23) {
      await inLog('log', (db) => {
        const bytes = Buffer.from(record);
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
        return db.put(key, bytes);
      });
      const report = await verify();
      assert.match(problemOf(report) ?? '', /^event 9 of the log is damaged/, `byte ${at}`);
      assert.match(noteOf(report, 'registry') ?? '', /not judged/);
    }
  }).timeout(120_000);

  it('a missing event is found', async () => {
    await inLog('log', (db) => db.remove(12));
    assert.equal(problemOf(await verify()), 'event 12 of the log is missing');
  });

  it('an event rewritten with a new checksum is found by what others say about it', async () => {
    await rewriteEvent(6, (event) => ({ ...event, aggregateVersion: event.aggregateVersion + 1 }));
    assert.match(problemOf(await verify()) ?? '', /^event 6 is version 4 of "execution" and follows version 2/);
    await rewriteEvent(6, (event) => ({ ...event, aggregateVersion: event.aggregateVersion - 1 }));
    await rewriteEvent(6, (event) => ({ ...event, id: 'another' }));
    assert.match(problemOf(await verify()) ?? '', /^the id of event 6 is not remembered/);
  });

  it('an execution rewritten with all its checksums differs from what the snapshot folded', async () => {
    await rewriteEvent(6, (event) =>
      event.type === 'execution_tracked' ? { ...event, data: { ...event.data, pnl: '1000' } } : event,
    );
    const { checks } = await verify();
    assert.match(checks.find(({ check }) => check === 'ledger')?.problem ?? '', /another ledger than the log/);
  });

  it('a rewritten adaptation breaks the chain', async () => {
    await rewriteEvent(16, (event) =>
      event.type === 'adaptation' ? { ...event, data: { ...event.data, to: { confidenceThreshold: 0.99 } } } : event,
    );
    assert.equal(problemOf(await verify()), 'event 16 is not what its hash was made of');
  });

  it("the store's own notes are held against the events", async () => {
    await inLog('versions', async (db) => {
      for (const key of db.getKeys()) await db.put(key, Buffer.from('00000000 7'));
    });
    assert.equal(problemOf(await verify()), 'the index of versions is damaged');
    rmSync(path, { recursive: true, force: true });
    cpSync(whole, path, { recursive: true });
    await inLog('digests', async (db) => {
      const block = Buffer.from(db.get(0) as Buffer);
      block[30] = (block[30] as number) ^ 1;
      await db.put(0, block);
    });
    assert.match(problemOf(await verify()) ?? '', /^the id of event 1 is not remembered/);
  });

  it('a log that lost its end is behind what a snapshot knows', async () => {
    await inLog('log', async (db) => {
      for (const seq of [...db.getKeys({ reverse: true })] as number[]) if (seq > 10) await db.remove(seq);
    });
    const { checks } = await verify();
    assert.match(
      checks.find(({ check }) => check === 'snapshots')?.problem ?? '',
      /knows event \d+, and the log ends at 10/,
    );
  });

  it('a flip in any byte of a snapshot that is referred to is found, and the set or chunk named', async () => {
    const dir = join(path, 'snapshots');
    for (const file of readdirSync(dir)) {
      const { size } = statSync(join(dir, file));
      for (let at = 0; at < size; at += Math.ceil(size / 12)) {
        flip(join(dir, file), at);
        assert.match(problemOf(await verify()) ?? 'none', /^snapshot set-\d+\.json/, `${file} byte ${at}`);
        flip(join(dir, file), at);
      }
    }
    assert.equal((await verify()).sound, true);
    rmSync(join(dir, readdirSync(dir).find((file) => file.startsWith('chunks')) ?? ''));
    assert.match(problemOf(await verify()) ?? '', /^snapshot .* chunk ".*" in chunks-\d+\.bin is damaged or missing/);
  }).timeout(120_000);

  it('a flip in any byte of the tape is found, and the record or header named', async () => {
    const file = join(path, 'tape', readdirSync(join(path, 'tape')).find((name) => name.endsWith('.tape')) ?? '');
    const { size } = statSync(file);
    const places = [0, 9, 40, 77, 80, 84, 88, size - 48, size - 44, size - 1];
    for (let at = 100; at < size; at += Math.ceil(size / 40)) places.push(at);
    for (const at of places) {
      flip(file, at);
      assert.match(
        problemOf(await verify()) ?? 'none',
        /^(?:record \d+ in|the header of) tape \d+\.tape is damaged/,
        `${at}`,
      );
      flip(file, at);
    }
    assert.equal((await verify()).sound, true);
  }).timeout(120_000);

  it('an end of the tape that a kill tore off is told, and is no damage', async () => {
    const file = join(path, 'tape', readdirSync(join(path, 'tape')).find((name) => name.endsWith('.tape')) ?? '');
    truncateSync(file, statSync(file).size - 8);
    const report = await verify();
    assert.equal(report.sound, true);
    assert.match(noteOf(report, 'tape') ?? '', /^the last \d+ bytes of tape .* are no whole record/);
  });

  it('beside a running engine that goes on writing it is sound', async () => {
    const engine = await openKept({ kind: 'embedded', path });
    let isWriting = true;
    const writing = (async () => {
      for (let i = 1_000; isWriting; i++) {
        const executionResult = { executionId: `later-${i}`, pnl: 1, success: true, executionTimeMs: 1 };
        await engine.track({ strategyId: 'first', executionResult });
        if (i % 20 === 0) await engine.freeze(i % 40 === 0);
        if (i % 50 === 0) await engine.snapshot();
      }
    })();
    let events = 0;
    for (let i = 0; i < 5; i++) {
      const report = await verify();
      assert.equal(problemOf(report), null);
      assert.ok(report.events >= events);
      events = report.events;
    }
    isWriting = false;
    await writing;
    await engine.close();
  });

  it('the command says it in a table or JSON, and in its exit code', async () => {
    const command = async (...args: string[]) => {
      const child = startNode([built('src/cli.js'), ...args]);
      const { code } = await child.ended;
      return { code, out: child.stdout(), err: child.stderr() };
    };
    const run = (...args: string[]) => command('verify', ...args);
    const sound = await run('--data', path);
    assert.equal(sound.code, 0, sound.err);
    assert.match(sound.out, /^events +33 events .*ok$/m);
    assert.match(sound.out, /^sound: .*, 3 strategies, total P&L .* USD \(paper\), .* USD \(live\)$/m);
    await inLog('log', (db) => db.remove(12));
    const damaged = await run('--data', path, '--json');
    assert.equal(damaged.code, 1);
    const told = JSON.parse(damaged.out) as { sound: boolean; checks: { check: string; problem: string | null }[] };
    assert.equal(told.sound, false);
    assert.equal(told.checks[0]?.problem, 'event 12 of the log is missing');
    // The page that both roots lead through: following it ends the process that reads.
    rmSync(path, { recursive: true, force: true });
    cpSync(whole, path, { recursive: true });
    const file = join(path, 'log', 'data.mdb');
    const bytes = readFileSync(file);
    for (const page of [0, 4_096]) bytes.fill(0xee, page + 0x80, page + 0xa0);
    writeFileSync(file, bytes);
    const crashed = await run('--data', path);
    assert.equal(crashed.code, 1, crashed.err);
    assert.match(`${crashed.out}${crashed.err}`, /the file of the log is damaged|cannot be opened/);
    const elsewhere = `${path}-elsewhere`;
    for (const args of [
      ['backup', '--data', path, '--out', elsewhere],
      ['move', '--from', path, '--to', elsewhere],
    ]) {
      const refused = await command(...args);
      assert.equal(refused.code, 1, refused.err);
      assert.match(refused.err, /the file of the log is damaged|cannot be opened/);
      assert.ok(!existsSync(elsewhere), args[0]);
    }
    const wrong = await run('--nonsense');
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /strategy-engine verify \(--data DIR/);
    renameSync(path, `${path}-away`);
    const absent = await run('--data', path);
    assert.equal(absent.code, 1);
    assert.match(absent.err, /there is none/);
    rmSync(`${path}-away`, { recursive: true });
  }).timeout(120_000);
});
