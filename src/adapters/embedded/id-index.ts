import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/*
 * Which event has which id. On disk an index by id would dirty one page per event (measured: a third of the rate), so
 * there only 6-byte digests lie, in blocks in the order of the events, and the index is built from them when opening.
 */
const digestBytes = 6;
const blockEvents = 256;

/** 48 bits of an id's hash: unequal ids may share it, so every hit is confirmed with the event itself. */
export function digestOf(id: string): number {
  return Number.parseInt(hash('sha256', JSON.stringify(id), 'hex').slice(0, 2 * digestBytes), 16);
}

/** What the index needs of the store: the blocks as they are committed. */
export interface DigestBlocks {
  get(block: number): Buffer | undefined;
}

/** What the index needs of the log: the id of a committed event. */
export type IdOf = (seq: number) => string;

/** The block of digests as it is after these events; `before` is its content so far. */
function grown(before: Buffer | null, from: number, digests: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + (from + digests.length) * digestBytes);
  before?.copy(bytes, 4, 0, from * digestBytes);
  for (const [i, digest] of digests.entries()) bytes.writeUIntBE(digest, 4 + (from + i) * digestBytes, digestBytes);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

function opened(stored: Buffer | undefined): Buffer | null {
  if (!stored || stored.length < 4) return null;
  const digests = stored.subarray(4);
  return stored.readUInt32LE(0) === crc32(digests) ? digests : null;
}

/** The first of these consecutive events that its block does not hold the digest of; `null` when none is. */
export function firstUnindexed(
  blocks: DigestBlocks,
  events: readonly { readonly seq: number; readonly id: string }[],
): number | null {
  let number = -1;
  let digests: Buffer | null = null;
  for (const { seq, id } of events) {
    const block = Math.floor((seq - 1) / blockEvents);
    if (block !== number) digests = opened(blocks.get(block));
    number = block;
    const at = (seq - 1 - block * blockEvents) * digestBytes;
    if (digests === null || at + digestBytes > digests.length) return seq;
    if (digests.readUIntBE(at, digestBytes) !== digestOf(id)) return seq;
  }
  return null;
}

/** The last `kept` ids and their events. */
export class IdIndex {
  private readonly blocks: DigestBlocks;
  private readonly idOf: IdOf;
  private readonly kept: number;
  private readonly seqs = new Map<number, number>();
  // Ids whose digest another one had already; practically empty.
  private readonly shared = new Map<string, number>();
  private last = 0;

  constructor(blocks: DigestBlocks, kept: number, idOf: IdOf) {
    this.blocks = blocks;
    this.kept = kept;
    this.idOf = idOf;
  }

  /** Takes in the events up to `lastSeq` that it does not know; a missing or damaged block is made from the events. */
  catchUp(lastSeq: number): void {
    for (let seq = Math.max(this.last + 1, lastSeq - this.kept + 1); seq <= lastSeq; ) {
      const block = Math.floor((seq - 1) / blockEvents);
      const digests = opened(this.blocks.get(block));
      const end = Math.min(lastSeq, (block + 1) * blockEvents);
      for (; seq <= end; seq++) {
        const at = (seq - 1 - block * blockEvents) * digestBytes;
        const known = digests !== null && at + digestBytes <= digests.length;
        this.add(known ? digests.readUIntBE(at, digestBytes) : digestOf(this.idOf(seq)), seq);
      }
    }
  }

  /** The event that has this id, or `null`. */
  find(id: string, digest: number): number | null {
    const seq = this.seqs.get(digest);
    if (seq !== undefined && this.idOf(seq) === id) return seq;
    return this.shared.get(id) ?? null;
  }

  /** The blocks to be written with new events: `digests[i]` is of event `firstSeq + i`. */
  blocksFor(firstSeq: number, digests: readonly number[]): (readonly [number, Buffer])[] {
    const written: (readonly [number, Buffer])[] = [];
    for (let i = 0; i < digests.length; ) {
      const block = Math.floor((firstSeq + i - 1) / blockEvents);
      const from = firstSeq + i - 1 - block * blockEvents;
      const count = Math.min(digests.length - i, blockEvents - from);
      const before = from === 0 ? null : this.before(block, from);
      written.push([block, grown(before, from, digests.slice(i, i + count))]);
      i += count;
    }
    return written;
  }

  /** Remembers events that are committed now, and forgets those that are too old for it. */
  committed(firstSeq: number, digests: readonly number[]): void {
    for (const [i, digest] of digests.entries()) this.add(digest, firstSeq + i);
  }

  private before(block: number, from: number): Buffer {
    const digests = opened(this.blocks.get(block));
    if (digests && digests.length >= from * digestBytes) return digests;
    const first = block * blockEvents + 1;
    const again = Array.from({ length: from }, (_, i) => digestOf(this.idOf(first + i)));
    return grown(null, 0, again).subarray(4);
  }

  private add(digest: number, seq: number): void {
    if (this.seqs.has(digest)) this.shared.set(this.idOf(seq), seq);
    else this.seqs.set(digest, seq);
    this.last = seq;
    this.forget(seq - this.kept);
  }

  private forget(seq: number): void {
    const id = seq < 1 ? null : this.idOrNull(seq);
    if (id === null) return;
    const digest = digestOf(id);
    if (this.seqs.get(digest) === seq) this.seqs.delete(digest);
    if (this.shared.get(id) === seq) this.shared.delete(id);
  }

  /** A damaged event may be remembered for too long, but must not stop new ones. */
  private idOrNull(seq: number): string | null {
    try {
      return this.idOf(seq);
    } catch {
      return null;
    }
  }
}
