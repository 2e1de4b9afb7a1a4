/** What a snapshot in Redis consists of: a sealed list of its chunks and where their parts lie. */
import { crc32 } from 'node:zlib';
import { limits } from '../../core/domain/limits';
import type { SnapshotChunk, SnapshotMeta } from '../../live/ports';
import { seal, unseal } from '../log-record';

/** Where the bytes of a chunk lie: in the fields `<save>/<name>/<part>`. */
export interface StoredChunk {
  /** The save that wrote it. */
  readonly save: string;
  readonly length: number;
  readonly crc: number;
}

/** One complete set. */
export interface StoredSet {
  readonly generation: number;
  /** Names the save: its generation and who made it, so that two who save at once do not write into one another. */
  readonly save: string;
  readonly meta: SnapshotMeta;
  readonly chunks: ReadonlyMap<string, StoredChunk>;
}

/** A field of the hash of chunks and its bytes. */
export type Part = readonly [field: string, bytes: Buffer];

export function encodeManifest({ generation, save, meta, chunks }: StoredSet): string {
  const list = [...chunks].map(([name, chunk]) => [name, chunk.save, chunk.length, chunk.crc]);
  return seal(JSON.stringify({ v: 1, generation, save, meta, chunks: list }));
}

/** The set, or `null` when its checksum does not hold, or it is of another generation or version. */
export function decodeManifest(text: string, generation: number): StoredSet | null {
  const json = unseal(text);
  if (json === null) return null;
  const body = JSON.parse(json) as Omit<StoredSet, 'chunks'> & {
    readonly v: number;
    readonly chunks: readonly (readonly [string, string, number, number])[];
  };
  if (body.v !== 1 || body.generation !== generation) return null;
  const chunks = new Map<string, StoredChunk>();
  for (const [name, save, length, crc] of body.chunks) chunks.set(name, { save, length, crc });
  return { generation, save: body.save, meta: body.meta, chunks };
}

export function storedChunk(save: string, bytes: Uint8Array): StoredChunk {
  return { save, length: bytes.length, crc: crc32(bytes) };
}

/** The fields that hold a chunk; an empty one has none. */
export function fieldsOf(name: string, { save, length }: StoredChunk): string[] {
  const parts = Math.ceil(length / limits.redisBlockBytes);
  return Array.from({ length: parts }, (_, part) => `${save}/${name}/${part}`);
}

export function partsOf({ name, bytes }: SnapshotChunk, chunk: StoredChunk): Part[] {
  return fieldsOf(name, chunk).map((field, i) => {
    const from = i * limits.redisBlockBytes;
    return [field, Buffer.from(bytes.subarray(from, from + limits.redisBlockBytes))];
  });
}

/** The chunk's bytes out of its parts, or `null` when they are not there whole. */
export function joined(parts: readonly (Buffer | null)[], chunk: StoredChunk): Uint8Array | null {
  if (parts.includes(null)) return null;
  const bytes = Buffer.concat(parts as readonly Buffer[]);
  return bytes.length === chunk.length && crc32(bytes) === chunk.crc ? new Uint8Array(bytes) : null;
}

/** Cuts a list into groups whose sizes add up to at most `bytes`; one that is larger stands alone. */
export function* blocksOf<T>(items: readonly T[], sizeOf: (item: T) => number, bytes: number): Generator<readonly T[]> {
  let block: T[] = [];
  let size = 0;
  for (const item of items) {
    if (block.length > 0 && size + sizeOf(item) > bytes) {
      yield block;
      block = [];
      size = 0;
    }
    block.push(item);
    size += sizeOf(item);
  }
  if (block.length > 0) yield block;
}
