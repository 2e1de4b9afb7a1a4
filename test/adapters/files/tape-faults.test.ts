import assert from 'node:assert/strict';
import { type TapeFs, tapeFs } from '../../../src/adapters/files/fs-port';
import { openTape } from '../../../src/adapters/files/tape';
import { limits } from '../../../src/core/domain/limits';
import type { Tape } from '../../../src/live/ports';
import { contents, positions, recordOf } from '../../contract/tape.contract';
import { createManualClock, type ManualClock } from '../../helpers/manual-clock';
import { type RecordingLogger, recordingLogger, temporaryDirectory } from '../../helpers/temporary';

type Done = (error: Error | null) => void;

/** The real file functions, with what the test makes of their failures. Syncs answer only when the test lets them. */
class FaultyDisk {
  calls = 0;
  /** Number of the changing call that fails; 0 for none. */
  failAt = 0;
  /** Bytes the disk still takes; then writes are short, then fail. */
  room = Number.POSITIVE_INFINITY;
  readonly syncs: Done[] = [];

  private count(): void {
    this.calls++;
    if (this.calls === this.failAt) throw Object.assign(new Error(`EIO: call ${this.calls}`), { code: 'EIO' });
  }

  private counted<T>(action: () => T): T {
    this.count();
    return action();
  }

  private later(done: Done, action: (answer: Done) => void): void {
    try {
      this.count();
      action(done);
    } catch (error) {
      done(error as Error);
    }
  }

  readonly fs: TapeFs = {
    ...tapeFs,
    openSync: (path, flags) =>
      flags === 'w' ? this.counted(() => tapeFs.openSync(path, flags)) : tapeFs.openSync(path, flags),
    writeSync: (fd, buffer, offset, length, position) =>
      this.counted(() => {
        if (this.room === 0) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
        const written = tapeFs.writeSync(fd, buffer, offset, Math.min(length, this.room), position);
        this.room -= written;
        return written;
      }),
    ftruncateSync: (fd, bytes) => this.counted(() => tapeFs.ftruncateSync(fd, bytes)),
    fdatasync: (_, done) => this.later(done, () => this.syncs.push(done)),
    close: (fd, done) => this.later(done, () => tapeFs.close(fd, done)),
    unlink: (path, done) => this.later(done, () => tapeFs.unlink(path, done)),
  };

  /** Lets every sync that is out come back. */
  answer(error: Error | null = null): void {
    for (const done of this.syncs.splice(0)) done(error);
  }
}

describe('file tape on a failing disk', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let clock: ManualClock;
  let disk: FaultyDisk;
  let logger: RecordingLogger;

  beforeEach(() => {
    directory = temporaryDirectory('tape-faults');
    clock = createManualClock();
    disk = new FaultyDisk();
    logger = recordingLogger();
  });

  afterEach(() => directory.remove());

  const open = (): Tape => openTape({ dir: directory.path, clock, logger, segmentBytes: 1_000, fs: disk.fs });

  async function close(tape: Tape): Promise<void> {
    const closing = tape.close();
    for (let i = 0; i < 10; i++) disk.answer();
    clock.advance(limits.closeMs);
    await closing;
  }

  /** Appends records as time goes on; answers what was written, by position. */
  function appendSome(tape: Tape, count: number): { readonly written: Map<number, number>; readonly shed: number } {
    const written = new Map<number, number>();
    let shed = 0;
    for (let i = 1; i <= count; i++) {
      const position = tape.append(recordOf(i));
      if (position === null) shed++;
      else written.set(position, i);
      clock.advance(limits.tapeSyncMs);
      disk.answer();
      if (i % 10 === 0) clock.advance(limits.tapeRetryMs);
      if (i === 25) tape.trim(5, clock.nowMs());
    }
    return { written, shed };
  }

  function assertHolds(tape: Tape, written: ReadonlyMap<number, number>, what: string): void {
    const first = positions(tape)[0] ?? 1;
    const expected = [...written].filter(([position]) => position >= first);
    assert.deepEqual(
      contents(tape),
      expected.map(([position, i]) => ({ position, record: recordOf(i) })),
      what,
    );
  }

  it('whichever call fails, what was acknowledged is read exactly, the rest is counted, and it goes on by itself', async () => {
    const clean = open();
    appendSome(clean, 40);
    const calls = disk.calls;
    await close(clean);
    directory.remove();
    assert.ok(calls > 60);
    for (let failAt = 1; failAt <= calls; failAt++) {
      disk = new FaultyDisk();
      disk.failAt = failAt;
      directory = temporaryDirectory('tape-faults');
      const tape = open();
      const { written, shed } = appendSome(tape, 40);
      clock.advance(limits.tapeRetryMs);
      const last = tape.append(recordOf(41));
      assert.ok(last !== null);
      written.set(last, 41);
      disk.answer();
      const what = `call ${failAt} of ${calls} failing`;
      assert.equal(tape.health().shed, shed, what);
      assert.ok(shed <= 10, what);
      assert.equal(tape.health().health, 'up', what);
      assertHolds(tape, written, what);
      await close(tape);
      const again = open();
      assertHolds(again, written, `${what}, opened again`);
      assert.equal(again.health().tornBytes, 0, what);
      await close(again);
      directory.remove();
    }
  });

  it('a full disk is noticed at once, costs no whole record, and is left when there is room again', async () => {
    const tape = open();
    assert.equal(tape.append(recordOf(1)), 1);
    disk.room = 20;
    assert.equal(tape.append(recordOf(2)), null);
    assert.equal(tape.health().health, 'down');
    assert.match(tape.health().message, /ENOSPC/);
    const callsBefore = disk.calls;
    for (let i = 0; i < 100; i++) assert.equal(tape.append(recordOf(3)), null);
    assert.equal(disk.calls, callsBefore, 'the disk is left in peace until it is time to try again');
    clock.advance(limits.tapeRetryMs);
    assert.equal(tape.append(recordOf(4)), null);
    disk.room = Number.POSITIVE_INFINITY;
    clock.advance(limits.tapeRetryMs);
    assert.equal(tape.append(recordOf(5)), 2);
    assert.deepEqual([tape.health().health, tape.health().shed], ['up', 102]);
    assert.match(tape.health().message, /102 records could not be written/);
    assert.deepEqual(contents(tape), [
      { position: 1, record: recordOf(1) },
      { position: 2, record: recordOf(5) },
    ]);
    assert.equal(logger.lines.filter((line) => line.level === 'error').length, 1, 'one line for the whole outage');
    await close(tape);
  });

  it('the process dying on a full disk leaves a tape that is read whole', async () => {
    const tape = open();
    tape.append(recordOf(1));
    disk.room = 20;
    assert.equal(tape.append(recordOf(2)), null);
    const again = open();
    assert.deepEqual(positions(again), [1]);
    await close(again);
    await close(tape);
  });

  it('a disk that does not answer a sync is noticed, nothing more is written to it, and it is used again when it answers', async () => {
    const tape = open();
    assert.equal(tape.append(recordOf(1)), 1);
    clock.advance(limits.tapeSyncMs);
    assert.equal(disk.syncs.length, 1);
    assert.equal(tape.append(recordOf(2)), 2);
    clock.advance(limits.diskStallMs + 1);
    const callsBefore = disk.calls;
    assert.equal(tape.append(recordOf(3)), null);
    assert.equal(disk.calls, callsBefore);
    assert.equal(disk.syncs.length, 1, 'at most one sync is out');
    assert.equal(tape.health().health, 'down');
    assert.match(tape.health().message, /has not answered for 2 s/);
    disk.answer();
    assert.equal(tape.append(recordOf(4)), 3);
    assert.deepEqual([tape.health().health, tape.health().shed], ['up', 1]);
    await close(tape);
  });

  it('a write that takes too long sheds what follows for a while', async () => {
    const slow = open();
    const writeSync = disk.fs.writeSync;
    Object.assign(disk.fs, {
      writeSync: (...args: Parameters<TapeFs['writeSync']>) => {
        clock.advance(limits.diskStallMs + 1);
        return writeSync(...args);
      },
    });
    assert.notEqual(slow.append(recordOf(1)), null);
    Object.assign(disk.fs, { writeSync });
    disk.answer();
    assert.equal(slow.append(recordOf(2)), null);
    assert.match(slow.health().message, /took/);
    clock.advance(limits.tapeRetryMs);
    disk.answer();
    assert.notEqual(slow.append(recordOf(3)), null);
    assert.equal(slow.health().health, 'up');
    await close(slow);
  });

  it('a failed sync is told, and writing goes on in a new file until one succeeds', async () => {
    const tape = open();
    tape.append(recordOf(1));
    clock.advance(limits.tapeSyncMs);
    disk.answer(new Error('EIO: i/o error'));
    assert.deepEqual([tape.health().health, /EIO/.test(tape.health().message)], ['degraded', true]);
    assert.equal(tape.append(recordOf(2)), 2);
    assert.equal(tape.health().health, 'degraded');
    disk.answer();
    assert.equal(tape.health().health, 'up');
    assert.deepEqual(positions(tape), [1, 2]);
    assert.equal(new Set(tapeFs.readdirSync(directory.path)).size, 2);
    await close(tape);
  });

  it('what was appended is called safe only when the disk said so, and a failed sync is told to whoever asks next', async () => {
    const tape = open();
    const heard: boolean[] = [];
    const ask = () => void tape.synced().then((isSafe) => heard.push(isSafe));
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    tape.append(recordOf(1));
    ask();
    clock.advance(limits.tapeSyncMs);
    tape.append(recordOf(2));
    ask();
    await turn();
    assert.deepEqual(heard, [], 'nothing came back yet');
    disk.answer();
    await turn();
    assert.deepEqual(heard, [true], 'the second record was written after that sync began');
    clock.advance(limits.tapeSyncMs);
    disk.answer();
    await turn();
    assert.deepEqual(heard, [true, true]);
    tape.append(recordOf(3));
    clock.advance(limits.tapeSyncMs);
    disk.answer(new Error('EIO'));
    disk.answer();
    assert.equal(await tape.synced(), false, 'a sync failed while nobody asked');
    assert.equal(await tape.synced(), true);
    tape.append(recordOf(4));
    ask();
    clock.advance(limits.diskStallMs);
    await turn();
    assert.deepEqual(heard, [true, true, false], 'a silent disk');
    await close(tape);
  });

  it('a tape that nothing lets shrink stops at twice its size', async () => {
    const tape = openTape({ dir: directory.path, clock, logger, segmentBytes: 1_000, totalBytes: 2_000, fs: disk.fs });
    while (tape.append(recordOf(1)) !== null) {
      clock.advance(limits.tapeSyncMs);
      disk.answer();
    }
    assert.match(tape.health().message, /the tape is full/);
    tape.trim(tape.lastPosition(), clock.nowMs());
    assert.notEqual(tape.append(recordOf(2)), null);
    await close(tape);
  });

  it('closing settles in time when the disk does not answer', async () => {
    const tape = open();
    tape.append(recordOf(1));
    const closing = tape.close();
    clock.advance(limits.closeMs);
    await closing;
    assert.equal(tape.append(recordOf(2)), null);
  });
});
