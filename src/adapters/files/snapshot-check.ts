import { join } from 'node:path';
import type { Snapshot } from '../../live/ports';
import { type SnapshotFs, snapshotFs } from './fs-port';
import { chunkFile, decodeSet, parseFile, type SnapshotSet, setFile, sliceOf } from './snapshot-set';

/** A set as it lies on the disk. */
export interface FoundSet {
  readonly name: string;
  readonly chunks: number;
  readonly snapshot: Snapshot | null;
  readonly problem: string | null;
}

/** Every set in the directory, newest first, each read whole. Beside an owner: a set that it removes is left out. */
export async function* checkSnapshots(dir: string, fs: SnapshotFs = snapshotFs): AsyncGenerator<FoundSet> {
  const files = await fs.readdir(dir).catch(() => []);
  const generations = files
    .map(parseFile)
    .flatMap((file) => (file?.kind === 'set' ? [file.generation] : []))
    .sort((a, b) => b - a);
  for (const generation of generations) {
    const found = await checkSet(dir, generation, fs);
    if (found.problem !== null && !(await fs.readdir(dir)).includes(found.name)) continue;
    yield found;
  }
}

async function checkSet(dir: string, generation: number, fs: SnapshotFs): Promise<FoundSet> {
  const name = setFile(generation);
  const bad = (problem: string, chunks = 0): FoundSet => ({ name, chunks, snapshot: null, problem });
  try {
    const set = decodeSet((await fs.readFile(join(dir, name))).toString('utf8'), generation);
    if (set === null) return bad(`snapshot ${name} is damaged: its checksum does not hold`);
    const read = await readChunks(dir, set, fs);
    if (typeof read === 'string') return bad(`snapshot ${name}: ${read}`, set.chunks.size);
    return { name, chunks: set.chunks.size, snapshot: { meta: set.meta, chunks: read }, problem: null };
  } catch (error) {
    return bad(`snapshot ${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The chunks, or which of them is not as it was written. */
async function readChunks(dir: string, set: SnapshotSet, fs: SnapshotFs): Promise<Map<string, Uint8Array> | string> {
  const files = new Map<number, Uint8Array | undefined>();
  const chunks = new Map<string, Uint8Array>();
  for (const [key, ref] of set.chunks) {
    const file = chunkFile(ref.generation);
    if (!files.has(ref.generation)) {
      files.set(ref.generation, await fs.readFile(join(dir, file)).catch(() => undefined));
    }
    const bytes = sliceOf(files.get(ref.generation), ref);
    if (bytes === null) return `chunk "${key}" in ${file} is damaged or missing`;
    chunks.set(key, bytes);
  }
  return chunks;
}
