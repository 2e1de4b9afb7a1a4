import { limits } from '../../core/domain/limits';
import type { Tape, TapeRecord } from '../../live/ports';

export interface MemoryTapeOptions {
  /** Items kept at the most; default `limits.tapeMemoryItems`. */
  readonly items?: number;
}

const itemsOf = (record: TapeRecord): number => (record.kind === 'batch' ? record.batch.items.length + 1 : 1);

/** A tape that ends with the process and keeps the newest items only. */
export function createMemoryTape(options: MemoryTapeOptions = {}): Tape {
  const itemsMax = options.items ?? limits.tapeMemoryItems;
  const records = new Map<number, TapeRecord>();
  let first = 1;
  let last = 0;
  let items = 0;
  let shed = 0;
  let closed = false;

  function dropWhile(droppable: (position: number) => boolean): void {
    // By number: a Map walks over all that was deleted before it finds its first entry.
    for (; first <= last && droppable(first); first++) {
      items -= itemsOf(records.get(first) as TapeRecord);
      records.delete(first);
    }
  }

  return {
    append(record) {
      if (closed) {
        shed++;
        return null;
      }
      records.set(++last, record);
      items += itemsOf(record);
      if (items > itemsMax) dropWhile((position) => items > itemsMax && position < last);
      return last;
    },
    *read(afterPosition) {
      for (const [position, record] of records) if (position > afterPosition) yield { position, record };
    },
    lastPosition: () => last,
    trim(keepAfter) {
      if (items > itemsMax / 2) dropWhile((position) => items > itemsMax / 2 && position <= keepAfter);
    },
    synced: async () => !closed,
    health: () => ({
      health: closed ? 'down' : 'up',
      message: closed ? 'closed' : `in memory, the last ${itemsMax} items`,
      records: records.size,
      bytes: 0,
      tornBytes: 0,
      shed,
    }),
    async close() {
      closed = true;
    },
  };
}
