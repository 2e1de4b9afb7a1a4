/** Entries of a stream as batches of market data: whole entries, in order, of about one moment. */
import type { MarketDataInput, Rejection } from '../core/domain/bodies';
import { asEngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import type { EntryPosition, MarketItem } from '../core/domain/tick';
import { addedMs, isLaterEntry } from '../core/domain/tick';
import { refusedText } from '../wire/refused-text';
import type { IntakeOrigin, StreamEntry, StreamRefusal } from './ports';

/** The border: text of one entry to market data that is in order. Throws an EngineError for what is none. */
export type ParseEntry = (text: string, origin: IntakeOrigin) => MarketDataInput;

export interface StreamBatch {
  readonly input: MarketDataInput & { readonly position: EntryPosition };
  readonly refusals: readonly StreamRefusal[];
}

interface ReadEntry {
  readonly id: string;
  readonly items: readonly MarketItem[];
  readonly rejected: readonly Rejection[];
  readonly refusals: readonly StreamRefusal[];
}

/** Ticks without a timestamp take the time at which their entry was added: read again, they are the same. */
export function readEntry({ id, text, attempts }: StreamEntry, source: string, parse: ParseEntry): ReadEntry {
  const refusal = (raw: string, reason: string): StreamRefusal => ({ entry: id, text: raw, reason, attempts });
  const whole = (message: string, raw: string): ReadEntry => ({
    id,
    items: [],
    rejected: [{ index: 0, path: 'market_data', message }],
    refusals: [refusal(raw, message)],
  });
  if (text === null) return whole('the entry has no field data', '');
  try {
    const { items, rejected } = parse(text, { source, arrivalMs: addedMs(id) });
    const first = rejected[0];
    if (first === undefined) return { id, items, rejected, refusals: [] };
    const reason = `some ticks were refused: ${first.path} ${first.message}`;
    return { id, items, rejected, refusals: [refusal(refusedText(text, rejected), reason)] };
  } catch (thrown) {
    return whole(asEngineError(thrown).message, text);
  }
}

/**
 * The batches of `entries` that come after `after`. Consecutive ones that were added within `limits.streamBatchMs` are one
 * batch of at most `limits.ticksPerBatch` ticks; an entry of more is a batch of its own.
 */
export function* batchesOf(
  entries: readonly StreamEntry[],
  feed: string,
  after: string,
  parse: ParseEntry,
): Generator<StreamBatch> {
  let open: ReadEntry[] = [];
  let ticks = 0;
  let before = after;
  const close = (): StreamBatch => {
    const batch = batchOf(open, feed, before);
    before = batch.input.position.entry;
    open = [];
    ticks = 0;
    return batch;
  };
  for (const entry of entries) {
    if (!isLaterEntry(entry.id, after)) continue;
    const read = readEntry(entry, feed, parse);
    const first = open[0];
    if (first !== undefined) {
      const isFull = ticks + read.items.length > limits.ticksPerBatch;
      if (isFull || addedMs(read.id) - addedMs(first.id) > limits.streamBatchMs) yield close();
    }
    open.push(read);
    ticks += read.items.length;
  }
  if (open.length > 0) yield close();
}

function batchOf(entries: readonly ReadEntry[], feed: string, after: string): StreamBatch {
  const items = entries.flatMap((entry) => entry.items);
  const rejected = entries.flatMap((entry) => entry.rejected);
  const last = entries[entries.length - 1] as ReadEntry;
  return {
    input: {
      items,
      indexes: items.map((_, i) => i),
      rejected,
      received: items.length + rejected.length,
      door: 'ordered',
      arrivalMs: addedMs((entries[0] as ReadEntry).id),
      position: { feed, entry: last.id, after },
    },
    refusals: entries.flatMap((entry) => entry.refusals),
  };
}
