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

class FileSnapshots implements Snapshots {
  private readonly dir: string;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly readOnly: boolean;
  private readonly fs: SnapshotFs;
  private readonly sizes = new Map<number, number>();
  // The set that the next save builds on; undefined until the directory was read.
  private base: SnapshotSet | null | undefined;
  // Newest first: the sets whose files stay.
  private kept: readonly SnapshotSet[] = [];
  private lastGeneration = 0;
  private saving: Promise<void> | null = null;
  private closed = false;

  constructor(options: FileSnapshotsOptions) {
    this.dir = options.dir;
    this.clock = options.clock;
    this.logger = options.logger;
    this.readOnly = options.readOnly ?? false;
    this.fs = options.fs ?? snapshotFs;
  }

  async save(
    meta: SnapshotMeta,
    dirty: readonly SnapshotChunk[],
    removed: readonly string[],
    isWhole = false,
  ): Promise<void> {
    this.assertOpen();
    if (this.readOnly) throw new EngineError('ConnectionError', 'the store is open for reading only');
    if (this.saving) throw new EngineError('ConnectionError', 'a snapshot is still being written', { retryAfterS: 1 });
    this.saving = this.write(meta, dirty, removed, isWhole).finally(() => {
      this.saving = null;
    });
    await this.settleWithin(this.saving, limits.snapshotSaveMs, 'save a snapshot');
  }

  async load(): Promise<{ readonly snapshot: Snapshot | null; readonly refused: number }> {
    this.assertOpen();
    const loaded = await this.settleWithin(this.loadNewest(), limits.snapshotSaveMs, 'load a snapshot');
    this.buildOn(loaded);
    return { snapshot: loaded.snapshot, refused: loaded.refused };
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.saving) await this.settleWithin(this.saving, limits.closeMs, 'finish a snapshot').catch(() => {});
  }

  private async list(): Promise<{ sets: number[]; chunks: number[]; unfinished: string[] }> {
    const all = await this.fs.readdir(this.dir);
    const files = all.map(parseFile).filter((file) => file !== null);
    const of = (kind: 'set' | 'chunks') => files.filter((f) => f.kind === kind).map((f) => f.generation);
    for (const { generation } of files) this.lastGeneration = Math.max(this.lastGeneration, generation);
    const unfinished = all.filter((file) => file.endsWith('.json.tmp'));
    return { sets: of('set').sort((a, b) => b - a), chunks: of('chunks'), unfinished };
  }

  private buildOn(loaded: Loaded): void {
    this.base = loaded.set;
    this.kept = loaded.set ? [loaded.set] : [];
  }

  private async readChunks(set: SnapshotSet): Promise<Map<string, Uint8Array> | null> {
    const files = new Map<number, Uint8Array>();
    const chunks = new Map<string, Uint8Array>();
    for (const [key, ref] of set.chunks) {
      if (!files.has(ref.generation))
        files.set(ref.generation, await this.fs.readFile(join(this.dir, chunkFile(ref.generation))));
      const bytes = sliceOf(files.get(ref.generation), ref);
      if (!bytes) return null;
      chunks.set(key, bytes);
    }
    for (const [generation, file] of files) this.sizes.set(generation, file.length);
    return chunks;
  }

  private async tryLoad(generation: number): Promise<Omit<Loaded, 'refused'> | null> {
    try {
      const text = await this.fs.readFile(join(this.dir, setFile(generation)));
      const set = decodeSet(text.toString('utf8'), generation);
      const chunks = set && (await this.readChunks(set));
      if (set && chunks) return { set, snapshot: { meta: set.meta, chunks } };
      this.logger.warn('a snapshot was refused: its checksums do not hold', { generation });
    } catch (error) {
      this.logger.warn('a snapshot was refused: it cannot be read', { generation, error });
    }
    return null;
  }

  private async loadNewest(): Promise<Loaded> {
    if (!this.readOnly) await this.fs.mkdir(this.dir);
    const { sets } = await this.list().catch((error) => {
      if (this.readOnly) return { sets: [] as number[] };
      throw error;
    });
    let refused = 0;
    for (const generation of sets) {
      const loaded = await this.tryLoad(generation);
      if (loaded) return { ...loaded, refused };
      refused++;
    }
    return { set: null, snapshot: null, refused };
  }

  /** The carried chunks that lie in files worth rewriting, read and verified. */
  private async carryOver(chunks: Map<string, ChunkRef>): Promise<SnapshotChunk[]> {
    const rewrite = filesToRewrite(chunks, this.sizes, limits.snapshotFiles - 1);
    const files = new Map<number, Uint8Array>();
    const copies: SnapshotChunk[] = [];
    for (const [key, ref] of chunks) {
      if (!rewrite.has(ref.generation)) continue;
      if (!files.has(ref.generation))
        files.set(ref.generation, await this.fs.readFile(join(this.dir, chunkFile(ref.generation))));
      const bytes = sliceOf(files.get(ref.generation), ref);
      if (!bytes) throw new EngineError('InternalError', `chunk "${key}" of the snapshot is damaged on disk`);
      copies.push({ name: key, bytes });
    }
    return copies;
  }

  private async writeChunks(generation: number, chunks: readonly SnapshotChunk[]): Promise<Map<string, ChunkRef>> {
    const refs = new Map<string, ChunkRef>();
    const file = await this.fs.create(join(this.dir, chunkFile(generation)));
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
      this.sizes.set(generation, offset);
    } finally {
      await file.close();
    }
    return refs;
  }

  private async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.fs.create(path);
    try {
      await file.write(bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Removes what no kept set needs. Failing costs disk, not safety: the next save tries again. */
  private async removeOld(): Promise<void> {
    try {
      const { sets, chunks, unfinished } = await this.list();
      for (const file of unfinished) await this.fs.unlink(join(this.dir, file));
      const keptSets = new Set(this.kept.map((set) => set.generation));
      const keptChunks = new Set(this.kept.flatMap((set) => [...set.chunks.values()].map((ref) => ref.generation)));
      for (const generation of sets)
        if (!keptSets.has(generation)) await this.fs.unlink(join(this.dir, setFile(generation)));
      for (const generation of chunks) {
        if (keptChunks.has(generation)) continue;
        await this.fs.unlink(join(this.dir, chunkFile(generation)));
        this.sizes.delete(generation);
      }
    } catch (error) {
      this.logger.warn('old snapshots could not be removed', { error });
    }
  }

  private async write(
    meta: SnapshotMeta,
    dirty: readonly SnapshotChunk[],
    removed: readonly string[],
    isWhole: boolean,
  ): Promise<void> {
    if (this.base === undefined) this.buildOn(await this.loadNewest());
    const generation = ++this.lastGeneration;
    const refs = new Map(isWhole ? undefined : this.base?.chunks);
    for (const name of removed) refs.delete(name);
    for (const { name } of dirty) refs.delete(name);
    const fresh = [...new Map(dirty.map((chunk) => [chunk.name, chunk])).values()];
    const set: SnapshotSet = { generation, meta: { ...meta }, chunks: refs };
    const path = join(this.dir, setFile(generation));
    try {
      const written = await this.writeChunks(generation, [...fresh, ...(await this.carryOver(refs))]);
      for (const [name, ref] of written) refs.set(name, ref);
      await this.writeFile(`${path}.tmp`, Buffer.from(encodeSet(set)));
      await this.fs.rename(`${path}.tmp`, path);
    } catch (error) {
      // A full disk must not fill further with what nobody refers to.
      this.sizes.delete(generation);
      await this.fs.unlink(join(this.dir, chunkFile(generation))).catch(() => {});
      await this.fs.unlink(`${path}.tmp`).catch(() => {});
      throw error;
    }
    await this.fs.syncDir(this.dir);
    this.base = set;
    this.kept = [set, ...this.kept].slice(0, limits.snapshotsKept);
    await this.removeOld();
  }

  private async settleWithin<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
    let cancel: () => void = () => {};
    const deadline = new Promise<never>((_, reject) => {
      cancel = this.clock.after(ms, () =>
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

  private assertOpen(): void {
    if (this.closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }
}

/**
 * Snapshots in files: each save writes one file with its dirty chunks, then a manifest that names every chunk of the set
 * and appears by rename, so a set is there whole or not at all. What is not dirty is carried over by reference. A chunk
 * damaged on disk refuses every set that refers to it.
 */
export function openFileSnapshots(options: FileSnapshotsOptions): Snapshots {
  return new FileSnapshots(options);
}
