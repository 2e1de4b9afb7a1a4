import { EngineError } from '../../core/domain/errors';
import type { Snapshot, Snapshots } from '../../live/ports';

/** Snapshots that end with the process. Chunks are copied in and out, so nobody's buffer is shared. */
export function createMemorySnapshots(): Snapshots {
  let current: Snapshot | null = null;
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }

  return {
    async save(meta, dirty, removed, isWhole = false) {
      assertOpen();
      const chunks = new Map(isWhole ? undefined : current?.chunks);
      for (const name of removed) chunks.delete(name);
      for (const { name, bytes } of dirty) chunks.set(name, bytes.slice());
      current = { meta: { ...meta }, chunks };
    },
    async load() {
      assertOpen();
      if (!current) return { snapshot: null, refused: 0 };
      const chunks = new Map([...current.chunks].map(([name, bytes]) => [name, bytes.slice()] as const));
      return { snapshot: { meta: current.meta, chunks }, refused: 0 };
    },
    async close() {
      closed = true;
    },
  };
}
