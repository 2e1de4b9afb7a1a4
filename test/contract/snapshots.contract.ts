import assert from 'node:assert/strict';
import { EngineError } from '../../src/core/domain/errors';
import type { SnapshotChunk, SnapshotMeta, Snapshots } from '../../src/live/ports';

/** Snapshots under test, and what can be done to them from outside. */
export interface SnapshotsUnderTest {
  readonly snapshots: Snapshots;
  /** Opens the same place again after `close`; absent where nothing outlives the process. */
  reopen?(): Promise<Snapshots>;
  dispose(): Promise<void>;
}

export type OpenSnapshots = () => Promise<SnapshotsUnderTest>;

export const chunk = (name: string, ...bytes: number[]): SnapshotChunk => ({ name, bytes: Uint8Array.from(bytes) });

export const metaAt = (logSeq: number): SnapshotMeta => ({
  logSeq,
  tapePosition: logSeq * 10,
  tapeId: 'a tape',
  foldVersion: 1,
  atMs: 1_767_225_600_000 + logSeq,
});

/** The newest snapshot as plain values, to compare. */
export async function contentOf(snapshots: Snapshots) {
  const { snapshot, refused } = await snapshots.load();
  const chunks = [...(snapshot?.chunks ?? [])].map(([name, bytes]) => [name, ...bytes] as const);
  return { logSeq: snapshot?.meta.logSeq ?? null, chunks: chunks.sort(), refused };
}

/** What every keeper of snapshots does, whatever it is made of. */
export function snapshotsContract(name: string, open: OpenSnapshots): void {
  describe(`snapshots contract: ${name}`, () => {
    let store: SnapshotsUnderTest;
    let snapshots: Snapshots;

    beforeEach(async () => {
      store = await open();
      snapshots = store.snapshots;
    });

    afterEach(async () => {
      await snapshots.close();
      await store.dispose();
    });

    it('there is none at first, and none was refused', async () => {
      assert.deepEqual(await snapshots.load(), { snapshot: null, refused: 0 });
    });

    it('a set is loaded as it was saved, with its meta', async () => {
      await snapshots.save(metaAt(7), [chunk('BTC', 1, 2, 255), chunk('__proto__', 9), chunk('empty')], []);
      const { snapshot } = await snapshots.load();
      assert.deepEqual(snapshot?.meta, metaAt(7));
      assert.deepEqual(await contentOf(snapshots), {
        logSeq: 7,
        chunks: [['BTC', 1, 2, 255], ['__proto__', 9], ['empty']],
        refused: 0,
      });
    });

    it('dirty chunks replace, removed ones go, the others are carried over', async () => {
      await snapshots.save(metaAt(1), [chunk('a', 1), chunk('b', 2), chunk('c', 3)], []);
      await snapshots.save(metaAt(2), [chunk('b', 22), chunk('d', 4)], ['c', 'never was']);
      const expected = [
        ['a', 1],
        ['b', 22],
        ['d', 4],
      ];
      assert.deepEqual(await contentOf(snapshots), { logSeq: 2, chunks: expected, refused: 0 });
    });

    it('a chunk that is dirty and removed at once is there', async () => {
      await snapshots.save(metaAt(1), [chunk('a', 1)], []);
      await snapshots.save(metaAt(2), [chunk('a', 2)], ['a']);
      assert.deepEqual((await contentOf(snapshots)).chunks, [['a', 2]]);
    });

    it('chunks are carried over through many saves', async () => {
      await snapshots.save(metaAt(1), [chunk('cold', 7), chunk('hot', 0)], []);
      for (let i = 2; i <= 100; i++) await snapshots.save(metaAt(i), [chunk('hot', i), chunk(`once ${i % 80}`, i)], []);
      const { logSeq, chunks } = await contentOf(snapshots);
      assert.equal(logSeq, 100);
      assert.equal(chunks.length, 82);
      assert.deepEqual(chunks.slice(0, 2), [
        ['cold', 7],
        ['hot', 100],
      ]);
    });

    it('a saved chunk is not changed by later writes to its buffer', async () => {
      const bytes = Uint8Array.of(1, 2, 3);
      await snapshots.save(metaAt(1), [{ name: 'a', bytes }], []);
      bytes.fill(9);
      assert.deepEqual((await contentOf(snapshots)).chunks, [['a', 1, 2, 3]]);
    });

    it('a chunk may be large', async () => {
      const bytes = new Uint8Array(3_000_001).map((_, i) => i % 251);
      await snapshots.save(metaAt(1), [chunk('before', 1), { name: 'large', bytes }, chunk('after', 2)], []);
      const { snapshot } = await snapshots.load();
      assert.ok(Buffer.from(bytes).equals(Buffer.from(snapshot?.chunks.get('large') ?? [])));
      assert.deepEqual(snapshot?.chunks.get('after'), Uint8Array.of(2));
    });

    it('closed snapshots refuse with ConnectionError', async () => {
      await snapshots.close();
      const refuses = (error: unknown) => error instanceof EngineError && error.code === 'ConnectionError';
      await assert.rejects(snapshots.save(metaAt(1), [], []), refuses);
      await assert.rejects(snapshots.load(), refuses);
    });

    it('a set is there after closing and opening again, where that is promised, and the next builds on it', async () => {
      await snapshots.save(metaAt(1), [chunk('a', 1), chunk('b', 2)], []);
      await snapshots.save(metaAt(2), [chunk('b', 3)], []);
      const before = await contentOf(snapshots);
      await snapshots.close();
      if (!store.reopen) {
        assert.deepEqual(before.chunks.length, 2);
        return;
      }
      snapshots = await store.reopen();
      assert.deepEqual(await contentOf(snapshots), before);
      await snapshots.save(metaAt(3), [chunk('c', 4)], []);
      await snapshots.close();
      snapshots = await store.reopen();
      const expected = [
        ['a', 1],
        ['b', 3],
        ['c', 4],
      ];
      assert.deepEqual(await contentOf(snapshots), { logSeq: 3, chunks: expected, refused: 0 });
    });

    it('saving without loading first still builds on what is there', async () => {
      await snapshots.save(metaAt(1), [chunk('a', 1)], []);
      await snapshots.close();
      if (!store.reopen) {
        await assert.rejects(snapshots.load());
        return;
      }
      snapshots = await store.reopen();
      await snapshots.save(metaAt(2), [chunk('b', 2)], []);
      assert.deepEqual((await contentOf(snapshots)).chunks, [
        ['a', 1],
        ['b', 2],
      ]);
    });
  });
}
