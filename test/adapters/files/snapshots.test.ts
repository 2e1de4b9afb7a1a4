import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SnapshotFs, snapshotFs } from '../../../src/adapters/files/fs-port';
import { type FileSnapshotsOptions, openFileSnapshots } from '../../../src/adapters/files/snapshots';
import { limits } from '../../../src/core/domain/limits';
import { chunk, contentOf, metaAt } from '../../contract/snapshots.contract';
import { createManualClock } from '../../helpers/manual-clock';
import { recordingLogger, temporaryDirectory } from '../../helpers/temporary';

/** The real file functions without waiting for the disk; the call number `failAt` fails. */
function faultyFs(failAt: number): { readonly fs: SnapshotFs; calls(): number; bytes(): number } {
  let calls = 0;
  let bytes = 0;
  const step = async (): Promise<void> => {
    calls++;
    if (calls === failAt) throw Object.assign(new Error(`ENOSPC: call ${calls}`), { code: 'ENOSPC' });
  };
  const fs: SnapshotFs = {
    mkdir: async (path) => step().then(() => snapshotFs.mkdir(path)),
    readdir: async (path) => step().then(() => snapshotFs.readdir(path)),
    readFile: async (path) => step().then(() => snapshotFs.readFile(path)),
    rename: async (from, to) => step().then(() => snapshotFs.rename(from, to)),
    syncDir: step,
    unlink: async (path) => step().then(() => snapshotFs.unlink(path)),
    create: async (path) => {
      await step();
      const file = await snapshotFs.create(path);
      return {
        write: async (block, position) => {
          await step();
          bytes += block.length;
          await file.write(block, position);
        },
        sync: step,
        close: () => file.close(),
      };
    },
  };
  return { fs, calls: () => calls, bytes: () => bytes };
}

describe('file snapshots', () => {
  let directory: ReturnType<typeof temporaryDirectory>;

  beforeEach(() => {
    directory = temporaryDirectory('snapshots');
  });

  afterEach(() => directory.remove());

  const open = (more: Partial<FileSnapshotsOptions> = {}) =>
    openFileSnapshots({
      dir: directory.path,
      clock: createManualClock(),
      logger: recordingLogger(),
      fs: faultyFs(0).fs,
      ...more,
    });

  const files = () => readdirSync(directory.path).sort();

  /** Two sets: the second carries `cold` over from the first. */
  async function twoSets(): Promise<void> {
    const snapshots = open();
    await snapshots.save(metaAt(1), [chunk('cold', 1, 2, 3, 4, 5, 6, 7, 8), chunk('hot', 9)], []);
    await snapshots.save(metaAt(2), [chunk('hot', 10, 11)], []);
    await snapshots.close();
  }
  const cold = ['cold', 1, 2, 3, 4, 5, 6, 7, 8];
  const first = { logSeq: 1, chunks: [cold, ['hot', 9]] };
  const second = { logSeq: 2, chunks: [cold, ['hot', 10, 11]] };

  /** What must be loaded when a file of `twoSets` is damaged. */
  function expectedWithout(file: string) {
    if (file.includes('2.')) return { ...first, refused: 1 };
    // The first set's own manifest does not concern the second; its chunks do, and then nothing whole is left.
    return file.startsWith('set') ? { ...second, refused: 0 } : { logSeq: null, chunks: [], refused: 2 };
  }

  it('with any byte of any file changed, the previous set is loaded or all are refused, never a part', async () => {
    await twoSets();
    for (const file of files()) {
      const path = join(directory.path, file);
      const whole = readFileSync(path);
      for (let at = 0; at < whole.length; at++) {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
        writeFileSync(path, damaged);
        const loaded = await contentOf(open());
        // Bytes of the first set that the second replaced are nobody's any more, unless the second is refused.
        const unused = file.startsWith('chunks') && file.includes('1.') && at >= 8;
        assert.deepEqual(loaded, unused ? { ...second, refused: 0 } : expectedWithout(file), `${file} byte ${at}`);
      }
      writeFileSync(path, whole);
    }
  });

  it('with any file cut at any length, the previous set is loaded or all are refused, never a part', async () => {
    await twoSets();
    for (const file of files()) {
      const path = join(directory.path, file);
      const whole = readFileSync(path);
      for (let length = 0; length < whole.length; length++) {
        writeFileSync(path, whole.subarray(0, length));
        const unused = file.startsWith('chunks') && file.includes('1.') && length >= 8;
        const expected = unused ? { ...second, refused: 0 } : expectedWithout(file);
        assert.deepEqual(await contentOf(open()), expected, `${file} cut at ${length}`);
      }
      rmSync(path);
      assert.equal((await open().load()).refused, file.startsWith('set') ? 0 : expectedWithout(file).refused);
      writeFileSync(path, whole);
    }
  });

  it('after falling back, the next set builds on the one that was loaded', async () => {
    await twoSets();
    const [newest = ''] = files().filter((file) => file.startsWith('set') && file.includes('2.'));
    writeFileSync(join(directory.path, newest), 'damaged');
    const snapshots = open();
    assert.deepEqual(await contentOf(snapshots), { ...first, refused: 1 });
    await snapshots.save(metaAt(3), [chunk('new', 5)], []);
    assert.deepEqual(await contentOf(open()), { logSeq: 3, chunks: [cold, ['hot', 9], ['new', 5]], refused: 0 });
  });

  it('whichever call of a save fails, the save says so or the set is whole, and the next one works', async () => {
    for (let failAt = 1; ; failAt++) {
      directory.remove();
      directory = temporaryDirectory('snapshots');
      await twoSets();
      const disk = faultyFs(failAt);
      const snapshots = open({ fs: disk.fs });
      const saved = await snapshots.save(metaAt(3), [chunk('hot', 12)], []).then(
        () => true,
        () => false,
      );
      if (disk.calls() < failAt) break;
      const third = { logSeq: 3, chunks: [cold, ['hot', 12]], refused: 0 };
      const found = await contentOf(open());
      const what = `call ${failAt}`;
      if (saved) assert.deepEqual(found, third, what);
      else assert.ok([2, 3].includes(found.logSeq ?? 0) && found.chunks.length === 2 && found.refused === 0, what);
      await snapshots.save(metaAt(4), [chunk('hot', 13)], []);
      assert.deepEqual(await contentOf(open()), { ...third, logSeq: 4, chunks: [cold, ['hot', 13]] }, what);
      assert.ok(files().length <= 6 && !files().some((file) => file.endsWith('.tmp')), `${what}: ${files()}`);
    }
  });

  it('what is not dirty is not written again', async () => {
    const disk = faultyFs(0);
    const snapshots = open({ fs: disk.fs });
    const large = { name: 'cold', bytes: new Uint8Array(1_000_000).fill(7) };
    await snapshots.save(metaAt(1), [large], []);
    const before = disk.bytes();
    for (let i = 2; i <= 30; i++) await snapshots.save(metaAt(i), [chunk('hot', i)], []);
    assert.ok(disk.bytes() - before < 29 * 400, `${disk.bytes() - before} bytes`);
  });

  it('the last sets are kept, and what no set refers to is removed', async () => {
    const snapshots = open();
    for (let i = 1; i <= 10; i++) await snapshots.save(metaAt(i), [chunk('only', i)], []);
    assert.equal(files().filter((file) => file.startsWith('set')).length, limits.snapshotsKept);
    assert.equal(files().filter((file) => file.startsWith('chunks')).length, limits.snapshotsKept);
  });

  it('a file of which little is still needed is rewritten, so dead bytes do not pile up', async () => {
    const snapshots = open();
    const chunks = Array.from({ length: 100 }, (_, i) => ({ name: `s${i}`, bytes: new Uint8Array(1_000).fill(i) }));
    await snapshots.save(metaAt(1), chunks, []);
    for (let i = 2; i <= 200; i++) await snapshots.save(metaAt(i), [chunks[i % 90] ?? chunk('none')], []);
    const bytes = files().reduce((sum, file) => sum + readFileSync(join(directory.path, file)).length, 0);
    assert.ok(bytes < 400_000, `${bytes} bytes for 100,000 of state`);
    assert.ok(
      files().filter((file) => file.startsWith('chunks')).length <= limits.snapshotFiles + limits.snapshotsKept,
    );
    assert.equal((await contentOf(open())).chunks.length, 100);
  });

  it('a save is refused while another is being written', async () => {
    const snapshots = open();
    const saving = snapshots.save(metaAt(1), [chunk('a', 1)], []);
    await assert.rejects(snapshots.save(metaAt(2), [], []), { code: 'ConnectionError', retryAfterS: 1 });
    await saving;
    await snapshots.save(metaAt(3), [], []);
  });

  it('a disk that does not answer is given up in time, and the set counts when it does', async () => {
    const clock = createManualClock();
    let answer: () => void = () => {};
    const { fs } = faultyFs(0);
    const stalled: SnapshotFs = { ...fs, syncDir: () => new Promise((resolve) => (answer = resolve)) };
    const snapshots = open({ clock, fs: stalled });
    const saving = assert.rejects(snapshots.save(metaAt(1), [chunk('a', 1)], []), { code: 'TimeoutError' });
    while (!files().some((file) => file.endsWith('.json'))) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(limits.snapshotSaveMs);
    await saving;
    await assert.rejects(snapshots.save(metaAt(2), [], []), /still being written/);
    answer();
    assert.deepEqual(await contentOf(open()), { logSeq: 1, chunks: [['a', 1]], refused: 0 });
    const closing = snapshots.close();
    clock.advance(limits.closeMs);
    await closing;
  });
});
