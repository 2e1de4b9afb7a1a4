/**
 * Snapshots in Redis: chunks in one hash, written in blocks between other commands; a set becomes visible when its
 * manifest is there. Only who holds the lease completes one, and only on top of the set that it knows.
 */
import { randomBytes } from 'node:crypto';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Logger, Snapshot, SnapshotChunk, SnapshotMeta, Snapshots } from '../../live/ports';
import type { RedisConnection } from './connection';
import type { EngineKeys } from './keys';
import { createScript } from './script';
import {
  blocksOf,
  decodeManifest,
  encodeManifest,
  fieldsOf,
  joined,
  partsOf,
  type StoredChunk,
  type StoredSet,
  storedChunk,
} from './snapshot-manifest';

export interface RedisSnapshotsOptions {
  readonly connection: RedisConnection;
  readonly keys: EngineKeys;
  readonly logger: Logger;
  /** The lease as it stands in Redis while this process holds it; `null` when it does not. Absent: no lease is asked for. */
  readonly fence?: () => string | null;
}

/**
 * KEYS sets, lease · ARGV lease asked for or '', generation, manifest, newest generation known, then those that stay.
 * Answer: 1 · 0 another leads · -1 another set came in between.
 */
const complete = createScript(`
local lease = redis.call('GET', KEYS[2])
if ARGV[1] ~= '' and lease ~= ARGV[1] then return 0 end
local newest = 0
local all = redis.call('HKEYS', KEYS[1])
for _, generation in ipairs(all) do newest = math.max(newest, tonumber(generation)) end
if newest ~= tonumber(ARGV[4]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
local stays = {}
for i = 5, #ARGV do stays[ARGV[i]] = true end
for _, generation in ipairs(all) do
  if not stays[generation] then redis.call('HDEL', KEYS[1], generation) end
end
return 1`);

interface Loaded {
  readonly set: StoredSet | null;
  readonly snapshot: Snapshot | null;
  readonly refused: number;
  readonly newest: number;
}

class RedisSnapshots implements Snapshots {
  private readonly options: RedisSnapshotsOptions;
  private readonly nonce = randomBytes(6).toString('base64url');
  /** The set that the next save builds on; undefined until it was read. */
  private base: StoredSet | null | undefined;
  /** Newest first: the sets whose chunks stay. */
  private kept: readonly StoredSet[] = [];
  private newest = 0;
  private saving: Promise<void> | null = null;
  private closed = false;

  constructor(options: RedisSnapshotsOptions) {
    this.options = options;
  }

  async save(
    meta: SnapshotMeta,
    dirty: readonly SnapshotChunk[],
    removed: readonly string[],
    isWhole = false,
  ): Promise<void> {
    this.assertOpen();
    if (this.saving) throw new EngineError('ConnectionError', 'a snapshot is still being written', { retryAfterS: 1 });
    this.saving = this.write(meta, dirty, removed, isWhole).finally(() => {
      this.saving = null;
    });
    await this.saving;
  }

  async load(): Promise<{ readonly snapshot: Snapshot | null; readonly refused: number }> {
    this.assertOpen();
    const loaded = await this.loadNewest();
    this.buildOn(loaded);
    return { snapshot: loaded.snapshot, refused: loaded.refused };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.saving?.catch(() => {});
  }

  private buildOn({ set, newest }: Loaded): void {
    this.base = set;
    this.newest = newest;
    this.kept = set ? [set] : [];
  }

  private async loadNewest(): Promise<Loaded> {
    const { sets } = this.options.keys;
    const stored = await this.call((client) => client.hgetall(sets));
    const generations = Object.keys(stored)
      .map(Number)
      .sort((a, b) => b - a);
    const newest = generations[0] ?? 0;
    let refused = 0;
    for (const generation of generations) {
      const set = decodeManifest(stored[String(generation)] ?? '', generation);
      const chunks = set && (await this.readChunks(set));
      if (set && chunks) return { set, snapshot: { meta: set.meta, chunks }, refused, newest };
      refused++;
    }
    return { set: null, snapshot: null, refused, newest };
  }

  private async readChunks(set: StoredSet): Promise<Map<string, Uint8Array> | null> {
    const chunks = new Map<string, Uint8Array>();
    const sizeOf = ([, chunk]: readonly [string, StoredChunk]) => chunk.length;
    for (const block of blocksOf([...set.chunks], sizeOf, limits.redisBlockBytes)) {
      const fields = block.flatMap(([name, chunk]) => fieldsOf(name, chunk));
      const parts = await this.readFields(fields);
      let at = 0;
      for (const [name, chunk] of block) {
        const count = fieldsOf(name, chunk).length;
        const bytes = joined(parts.slice(at, at + count), chunk);
        if (bytes === null) return null;
        chunks.set(name, bytes);
        at += count;
      }
    }
    return chunks;
  }

  /** One part at a time where a single chunk is larger than a block. */
  private async readFields(fields: readonly string[]): Promise<(Buffer | null)[]> {
    const { chunks } = this.options.keys;
    const perCall = fields.length > 1 && fields.every((field) => field.endsWith('/0')) ? fields.length : 1;
    const parts: (Buffer | null)[] = [];
    for (let at = 0; at < fields.length; at += perCall) {
      const some = fields.slice(at, at + perCall);
      parts.push(...(await this.call((client) => client.hmgetBuffer(chunks, ...some))));
    }
    return parts;
  }

  private async write(
    meta: SnapshotMeta,
    dirty: readonly SnapshotChunk[],
    removed: readonly string[],
    isWhole: boolean,
  ): Promise<void> {
    if (isWhole) await this.findNewest();
    else if (this.base === undefined) this.buildOn(await this.loadNewest());
    const generation = this.newest + 1;
    const save = `${generation}.${this.nonce}`;
    const chunks = new Map(isWhole ? undefined : this.base?.chunks);
    for (const name of removed) chunks.delete(name);
    const fresh = [...new Map(dirty.map((chunk) => [chunk.name, chunk])).values()];
    const parts = fresh.flatMap((chunk) => {
      const stored = storedChunk(save, chunk.bytes);
      chunks.set(chunk.name, stored);
      return partsOf(chunk, stored);
    });
    for (const block of blocksOf(parts, ([, bytes]) => bytes.length, limits.redisBlockBytes)) {
      await this.call((client) => client.hset(this.options.keys.chunks, ...block.flat()));
    }
    const set: StoredSet = { generation, save, meta: { ...meta }, chunks };
    await this.complete(set);
    this.base = set;
    this.newest = generation;
    this.kept = [set, ...this.kept].slice(0, limits.snapshotsKept);
    await this.removeOld(generation);
  }

  private async complete(set: StoredSet): Promise<void> {
    const { keys, fence } = this.options;
    const lease = fence === undefined ? '' : fence();
    if (lease === null)
      throw new EngineError('ConnectionError', 'this process does not lead the engine, or its log is not whole');
    const stay = this.kept.slice(0, limits.snapshotsKept - 1).map((one) => one.generation);
    const args = [lease, set.generation, encodeManifest(set), this.newest, ...stay];
    const answer = await this.call((client) => complete.run(client, [keys.sets, keys.lease], args));
    if (answer === 1) return;
    // Whoever wrote it knows what it holds; the next save of this process writes everything anew.
    this.base = undefined;
    throw new EngineError(
      'ConnectionError',
      answer === 0 ? 'another process leads the engine' : 'another process saved a snapshot in between',
    );
  }

  /** A whole set builds on nothing, but comes after what is there, which stays to fall back to. */
  private async findNewest(): Promise<void> {
    const stored = await this.call((client) => client.hgetall(this.options.keys.sets));
    const sets = Object.entries(stored).map(([generation, text]) => decodeManifest(text, Number(generation)));
    this.newest = Math.max(0, ...Object.keys(stored).map(Number));
    this.kept = sets.filter((set) => set !== null).sort((a, b) => b.generation - a.generation);
  }

  /**
   * Removes what no kept set needs, but nothing of a later generation: who leads now may be writing it. Failing costs
   * memory, not safety: the next save tries again.
   */
  private async removeOld(generation: number): Promise<void> {
    const { keys, logger } = this.options;
    try {
      const needed = new Set<string>();
      for (const set of this.kept)
        for (const [name, chunk] of set.chunks) for (const field of fieldsOf(name, chunk)) needed.add(field);
      const stored = await this.call((client) => client.hkeys(keys.chunks));
      const old = stored.filter((field) => !needed.has(field) && Number.parseInt(field, 10) <= generation);
      for (const block of blocksOf(old, () => 1, limits.pageMax)) {
        await this.call((client) => client.hdel(keys.chunks, ...block));
      }
    } catch (error) {
      logger.warn('old snapshots could not be removed', { error: String(error) });
    }
  }

  private async call<T>(work: (client: RedisConnection['client']) => Promise<T>): Promise<T> {
    try {
      return await work(this.options.connection.client);
    } catch (thrown) {
      throw this.options.connection.errorOf(thrown);
    }
  }

  private assertOpen(): void {
    if (this.closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }
}

/** Snapshots of one engine in Redis. */
export function createRedisSnapshots(options: RedisSnapshotsOptions): Snapshots {
  return new RedisSnapshots(options);
}
