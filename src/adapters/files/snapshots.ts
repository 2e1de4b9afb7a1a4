import { join } from 'node:path';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Clock, Logger, Snapshot, SnapshotChunk, SnapshotMeta, Snapshots } from '../../live/ports';
import { type SnapshotFs, snapshotFs } from './fs-port';
import {
  type ChunkRef,
  chunkFile,
  decodeSet,
  encodeSet,
  filesToRewrite,
  parseFile,
  refOf,
  type SnapshotSet,
  setFile,
  sliceOf,
} from './snapshot-set';

export interface FileSnapshotsOptions {
  /** Directory of the snapshots; made when missing. One process writes to it. */
  readonly dir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readOnly?: boolean;
  /** The file functions used; for tests that make them fail. */
  readonly fs?: SnapshotFs;
}

interface Loaded {
  readonly set: SnapshotSet | null;
  readonly snapshot: Snapshot | null;
  readonly refused: number;
}

/**
 * Snapshots in files: each save writes one file with its dirty chunks, then a manifest that names every chunk of the set
 * and appears by rename, so a set is there whole or not at all. What is not dirty is carried over by reference. A chunk
 * damaged on disk refuses every set that refers to it.
 */
export function openFileSnapshots(options: FileSnapshotsOptions): Snapshots {
  const { dir, clock, logger } = options;
  const fs = options.fs ?? snapshotFs;
  const sizes = new Map<number, number>();
  // The set that the next save builds on; undefined until the directory was read.
  let base: SnapshotSet | null | undefined;
  // Newest first: the sets whose files stay.
  let kept: readonly SnapshotSet[] = [];
  let lastGeneration = 0;
  let saving: Promise<void> | null = null;
  let closed = false;

  async function list(): Promise<{ sets: number[]; chunks: number[]; unfinished: string[] }> {
    const all = await fs.readdir(dir);
    const files = all.map(parseFile).filter((file) => file !== null);
    const of = (kind: 'set' | 'chunks') => files.filter((f) => f.kind === kind).map((f) => f.generation);
    for (const { generation } of files) lastGeneration = Math.max(lastGeneration, generation);
    const unfinished = all.filter((file) => file.endsWith('.json.tmp'));
    return { sets: of('set').sort((a, b) => b - a), chunks: of('chunks'), unfinished };
  }

  function rest(loaded: Loaded): void {
    base = loaded.set;
    kept = loaded.set ? [loaded.set] : [];
  }

  async function readChunks(set: SnapshotSet): Promise<Map<string, Uint8Array> | null> {
    const files = new Map<number, Uint8Array>();
    const chunks = new Map<string, Uint8Array>();
    for (const [key, ref] of set.chunks) {
      if (!files.has(ref.generation))
        files.set(ref.generation, await fs.readFile(join(dir, chunkFile(ref.generation))));
      const bytes = sliceOf(files.get(ref.generation), ref);
      if (!bytes) return null;
      chunks.set(key, bytes);
    }
    for (const [generation, file] of files) sizes.set(generation, file.length);
    return chunks;
  }

  async function tryLoad(generation: number): Promise<Omit<Loaded, 'refused'> | null> {
    try {
      const text = await fs.readFile(join(dir, setFile(generation)));
      const set = decodeSet(text.toString('utf8'), generation);
      const chunks = set && (await readChunks(set));
      if (set && chunks) return { set, snapshot: { meta: set.meta, chunks } };
      logger.warn('a snapshot was refused: its checksums do not hold', { generation });
    } catch (error) {
      logger.warn('a snapshot was refused: it cannot be read', { generation, error });
    }
    return null;
  }

  async function loadNewest(): Promise<Loaded> {
    if (!options.readOnly) await fs.mkdir(dir);
    const { sets } = await list().catch((error) => {
      if (options.readOnly) return { sets: [] as number[] };
      throw error;
    });
    let refused = 0;
    for (const generation of sets) {
      const loaded = await tryLoad(generation);
      if (loaded) return { ...loaded, refused };
      refused++;
    }
    return { set: null, snapshot: null, refused };
  }

  /** The carried chunks that lie in files worth rewriting, read and verified. */
  async function carryOver(chunks: Map<string, ChunkRef>): Promise<SnapshotChunk[]> {
    const rewrite = filesToRewrite(chunks, sizes, limits.snapshotFiles - 1);
    const files = new Map<number, Uint8Array>();
    const copies: SnapshotChunk[] = [];
    for (const [key, ref] of chunks) {
      if (!rewrite.has(ref.generation)) continue;
      if (!files.has(ref.generation))
        files.set(ref.generation, await fs.readFile(join(dir, chunkFile(ref.generation))));
      const bytes = sliceOf(files.get(ref.generation), ref);
      if (!bytes) throw new EngineError('InternalError', `chunk "${key}" of the snapshot is damaged on disk`);
      copies.push({ name: key, bytes });
    }
    return copies;
  }

  async function writeChunks(generation: number, chunks: readonly SnapshotChunk[]): Promise<Map<string, ChunkRef>> {
    const refs = new Map<string, ChunkRef>();
    const file = await fs.create(join(dir, chunkFile(generation)));
    try {
      let offset = 0;
      let block: Uint8Array[] = [];
      let blockStart = 0;
      for (const { name, bytes } of chunks) {
        refs.set(name, refOf(generation, offset, bytes));
        block.push(bytes);
        offset += bytes.length;
        if (offset - blockStart < limits.snapshotBlockBytes) continue;
        await file.write(Buffer.concat(block), blockStart);
        block = [];
        blockStart = offset;
      }
      if (block.length > 0) await file.write(Buffer.concat(block), blockStart);
      await file.sync();
      sizes.set(generation, offset);
    } finally {
      await file.close();
    }
    return refs;
  }

  async function writeFile(path: string, bytes: Uint8Array): Promise<void> {
    const file = await fs.create(path);
    try {
      await file.write(bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Removes what no kept set needs. Failing costs disk, not safety: the next save tries again. */
  async function removeOld(): Promise<void> {
    try {
      const { sets, chunks, unfinished } = await list();
      for (const file of unfinished) await fs.unlink(join(dir, file));
      const keptSets = new Set(kept.map((set) => set.generation));
      const keptChunks = new Set(kept.flatMap((set) => [...set.chunks.values()].map((ref) => ref.generation)));
      for (const generation of sets) if (!keptSets.has(generation)) await fs.unlink(join(dir, setFile(generation)));
      for (const generation of chunks) {
        if (keptChunks.has(generation)) continue;
        await fs.unlink(join(dir, chunkFile(generation)));
        sizes.delete(generation);
      }
    } catch (error) {
      logger.warn('old snapshots could not be removed', { error });
    }
  }

  async function save(meta: SnapshotMeta, dirty: readonly SnapshotChunk[], removed: readonly string[]): Promise<void> {
    if (base === undefined) rest(await loadNewest());
    const generation = ++lastGeneration;
    const refs = new Map(base?.chunks);
    for (const name of removed) refs.delete(name);
    for (const { name } of dirty) refs.delete(name);
    const fresh = [...new Map(dirty.map((chunk) => [chunk.name, chunk])).values()];
    const set: SnapshotSet = { generation, meta: { ...meta }, chunks: refs };
    const path = join(dir, setFile(generation));
    try {
      const written = await writeChunks(generation, [...fresh, ...(await carryOver(refs))]);
      for (const [name, ref] of written) refs.set(name, ref);
      await writeFile(`${path}.tmp`, Buffer.from(encodeSet(set)));
      await fs.rename(`${path}.tmp`, path);
    } catch (error) {
      // A full disk must not fill further with what nobody refers to.
      sizes.delete(generation);
      await fs.unlink(join(dir, chunkFile(generation))).catch(() => {});
      await fs.unlink(`${path}.tmp`).catch(() => {});
      throw error;
    }
    await fs.syncDir(dir);
    base = set;
    kept = [set, ...kept].slice(0, limits.snapshotsKept);
    await removeOld();
  }

  async function settleWithin<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
    let cancel: () => void = () => {};
    const deadline = new Promise<never>((_, reject) => {
      cancel = clock.after(ms, () =>
        reject(new EngineError('TimeoutError', `the disk did not ${what} within ${ms} ms`, { retryAfterS: 1 })),
      );
    });
    try {
      return await Promise.race([work, deadline]);
    } catch (thrown) {
      if (thrown instanceof EngineError) throw thrown;
      throw new EngineError('ConnectionError', `the disk could not ${what}`, { retryAfterS: 1, cause: thrown });
    } finally {
      cancel();
    }
  }

  function assertOpen(): void {
    if (closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }

  return {
    async save(meta, dirty, removed) {
      assertOpen();
      if (options.readOnly) throw new EngineError('ConnectionError', 'the store is open for reading only');
      if (saving) throw new EngineError('ConnectionError', 'a snapshot is still being written', { retryAfterS: 1 });
      saving = save(meta, dirty, removed).finally(() => {
        saving = null;
      });
      await settleWithin(saving, limits.snapshotSaveMs, 'save a snapshot');
    },
    async load() {
      assertOpen();
      const loaded = await settleWithin(loadNewest(), limits.snapshotSaveMs, 'load a snapshot');
      rest(loaded);
      return { snapshot: loaded.snapshot, refused: loaded.refused };
    },
    async close() {
      closed = true;
      if (saving) await settleWithin(saving, limits.closeMs, 'finish a snapshot').catch(() => {});
    },
  };
}
