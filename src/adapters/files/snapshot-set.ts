import { crc32 } from 'node:zlib';
import type { SnapshotMeta } from '../../live/ports';
import { seal, unseal } from '../log-record';

/** Where the bytes of a chunk lie. */
export interface ChunkRef {
  /** The save that wrote it: names the chunk file. */
  readonly generation: number;
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
}

/** One complete set: what a manifest file says. */
export interface SnapshotSet {
  readonly generation: number;
  readonly meta: SnapshotMeta;
  readonly chunks: ReadonlyMap<string, ChunkRef>;
}

const digits = (generation: number): string => String(generation).padStart(12, '0');

export const setFile = (generation: number): string => `set-${digits(generation)}.json`;
export const chunkFile = (generation: number): string => `chunks-${digits(generation)}.bin`;

const name = /^(?:set-([0-9]{12})\.json|chunks-([0-9]{12})\.bin)$/;

/** What a file of the directory is, by its name; `null` for what is not ours. */
export function parseFile(file: string): { readonly kind: 'set' | 'chunks'; readonly generation: number } | null {
  const match = name.exec(file);
  if (!match) return null;
  return { kind: match[1] === undefined ? 'chunks' : 'set', generation: Number(match[1] ?? match[2]) };
}

export function encodeSet(set: SnapshotSet): string {
  const chunks = [...set.chunks].map(([key, ref]) => [key, ref.generation, ref.offset, ref.length, ref.crc]);
  return seal(JSON.stringify({ v: 1, generation: set.generation, meta: set.meta, chunks }));
}

/** The set, or `null` when its checksum does not hold or it is of another generation or version. */
export function decodeSet(text: string, generation: number): SnapshotSet | null {
  const json = unseal(text);
  if (json === null) return null;
  const body = JSON.parse(json) as {
    readonly v: number;
    readonly generation: number;
    readonly meta: SnapshotMeta;
    readonly chunks: readonly (readonly [string, number, number, number, number])[];
  };
  if (body.v !== 1 || body.generation !== generation) return null;
  const chunks = new Map<string, ChunkRef>();
  for (const [key, from, offset, length, crc] of body.chunks)
    chunks.set(key, { generation: from, offset, length, crc });
  return { generation, meta: body.meta, chunks };
}

export function refOf(generation: number, offset: number, bytes: Uint8Array): ChunkRef {
  return { generation, offset, length: bytes.length, crc: crc32(bytes) };
}

/** The chunk's bytes out of its file, or `null` when they are not there whole. */
export function sliceOf(file: Uint8Array | undefined, ref: ChunkRef): Uint8Array | null {
  if (!file || ref.offset + ref.length > file.length) return null;
  const bytes = new Uint8Array(file.subarray(ref.offset, ref.offset + ref.length));
  return crc32(bytes) === ref.crc ? bytes : null;
}

/**
 * The chunk files that are worth rewriting: those of which less than half is still referred to, and the emptiest beyond
 * `filesMax`. Keeps carrying over cheap without letting dead bytes or files pile up.
 */
export function filesToRewrite(
  chunks: ReadonlyMap<string, ChunkRef>,
  sizes: ReadonlyMap<number, number>,
  filesMax: number,
) {
  const live = new Map<number, number>();
  for (const ref of chunks.values()) live.set(ref.generation, (live.get(ref.generation) ?? 0) + ref.length);
  const byFill = [...live].map(([generation, bytes]) => ({
    generation,
    bytes,
    sparse: bytes * 2 < (sizes.get(generation) ?? 0),
  }));
  byFill.sort((a, b) => a.bytes - b.bytes || a.generation - b.generation);
  const excess = byFill.length - filesMax;
  return new Set(byFill.filter((file, i) => file.sparse || i < excess).map((file) => file.generation));
}
