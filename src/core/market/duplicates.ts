/**
 * What was seen of a symbol, to tell a repetition: the last items as numeric hashes in typed columns, looked up through
 * chained buckets and confirmed on a hit by the values themselves, so a collision of hashes is never a duplicate.
 *
 * The window is the last `limits.duplicatesMin` items of the symbol, and it grows up to `limits.duplicatesMax` while
 * the item about to be forgotten could still be told from a late one: an item with an id for `limits.duplicateIdMs` of
 * event time, one without for the allowed lateness (older ones are late anyway).
 */
import { limits } from '../domain/limits';
import type { StateReader, StateWriter } from '../domain/state-codec';
import type { Quote } from '../domain/tick';

/** The columns are a ring: entry `cursor` is the next to be overwritten. */
export interface DuplicateWindow {
  used: number;
  cursor: number;
  hash: Int32Array;
  /** Entry + 1 of the next older item of the same bucket; 0 ends the chain. */
  next: Int16Array;
  heads: Int16Array;
  timeMs: Float64Array;
  price: Float64Array;
  volume: Float64Array;
  source: Int32Array;
  /** '' for an item that carries none. */
  ids: string[];
}

const startSize = 16;
const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

/** An empty window. */
export function createDuplicateWindow(size: number = startSize): DuplicateWindow {
  return {
    used: 0,
    cursor: 0,
    hash: new Int32Array(size),
    next: new Int16Array(size),
    heads: new Int16Array(size),
    timeMs: new Float64Array(size),
    price: new Float64Array(size),
    volume: new Float64Array(size),
    source: new Int32Array(size),
    ids: new Array<string>(size).fill(''),
  };
}

function mix(hash: number, value: number): number {
  double[0] = value;
  let mixed = Math.imul(hash ^ (words[0] as number), 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed ^ (words[1] as number), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** FNV-1a over the id's UTF-16 units, seeded with the source: an id is unique per source. */
export function idHash(id: string, source: number): number {
  let hash = 0x811c9dc5 ^ source;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Murmur-style mix of what makes two prints equal, quote included. */
export function tupleHash(source: number, timeMs: number, price: number, volume: number, quote: Quote | null): number {
  const hash = mix(mix(mix(source, timeMs), price), volume);
  return quote === null ? hash : mix(mix(hash, quote.bid), quote.ask);
}

function find(window: DuplicateWindow, hash: number, source: number, id: string, timeMs: number): number {
  const mask = window.hash.length - 1;
  let entry = (window.heads[hash & mask] as number) - 1;
  let age = -1;
  while (entry >= 0) {
    // Ages grow along a chain; one that does not is an entry overwritten since, and all behind it are gone too.
    const entryAge = (window.cursor - 1 - entry) & mask;
    if (entryAge <= age || entryAge >= window.used) return -1;
    if (window.hash[entry] === hash && window.source[entry] === source && window.ids[entry] === id) {
      if (id !== '' || window.timeMs[entry] === timeMs) return entry;
    }
    age = entryAge;
    entry = (window.next[entry] as number) - 1;
  }
  return -1;
}

/** Whether the id of that source is remembered. */
export function knowsId(window: DuplicateWindow, hash: number, source: number, id: string): boolean {
  return find(window, hash, source, id, 0) >= 0;
}

/** Whether an identical print without an id is remembered. */
export function knowsTuple(
  window: DuplicateWindow,
  hash: number,
  source: number,
  timeMs: number,
  price: number,
  volume: number,
): boolean {
  const entry = find(window, hash, source, '', timeMs);
  return entry >= 0 && window.price[entry] === price && window.volume[entry] === volume;
}

function put(
  window: DuplicateWindow,
  hash: number,
  source: number,
  id: string,
  timeMs: number,
  price: number,
  volume: number,
): void {
  const mask = window.hash.length - 1;
  const entry = window.cursor;
  window.hash[entry] = hash;
  window.source[entry] = source;
  window.ids[entry] = id;
  window.timeMs[entry] = timeMs;
  window.price[entry] = price;
  window.volume[entry] = volume;
  const bucket = hash & mask;
  window.next[entry] = window.heads[bucket] as number;
  window.heads[bucket] = entry + 1;
  window.cursor = (entry + 1) & mask;
  if (window.used <= mask) window.used++;
}

function replayInto(window: DuplicateWindow, grown: DuplicateWindow): void {
  const mask = window.hash.length - 1;
  for (let age = window.used; age > 0; age--) {
    const e = (window.cursor - age) & mask;
    put(
      grown,
      window.hash[e] as number,
      window.source[e] as number,
      window.ids[e] as string,
      window.timeMs[e] as number,
      window.price[e] as number,
      window.volume[e] as number,
    );
  }
}

/** Remembers an item; `latenessMs` is how long one without an id has to be remembered. */
export function remember(
  window: DuplicateWindow,
  hash: number,
  source: number,
  id: string,
  timeMs: number,
  price: number,
  volume: number,
  latenessMs: number,
): void {
  const size = window.hash.length;
  if (window.used === size && size < limits.duplicatesMax) {
    const oldest = window.cursor;
    const keepMs = window.ids[oldest] === '' ? latenessMs : limits.duplicateIdMs;
    if (size < limits.duplicatesMin || (window.timeMs[oldest] as number) >= timeMs - keepMs) {
      const grown = createDuplicateWindow(size * 2);
      replayInto(window, grown);
      Object.assign(window, grown);
    }
  }
  put(window, hash, source, id, timeMs, price, volume);
}

/** Writes the remembered items, oldest first; buckets are rebuilt on reading. */
export function writeDuplicates(window: DuplicateWindow, writer: StateWriter): void {
  const mask = window.hash.length - 1;
  writer.u32(window.hash.length);
  writer.u32(window.used);
  for (let age = window.used; age > 0; age--) {
    const e = (window.cursor - age) & mask;
    writer.u32((window.hash[e] as number) >>> 0);
    writer.u32(window.source[e] as number);
    writer.str(window.ids[e] as string);
    writer.f64(window.timeMs[e] as number);
    writer.f64(window.price[e] as number);
    writer.f64(window.volume[e] as number);
  }
}

/** Reads what `writeDuplicates` wrote. */
export function readDuplicates(reader: StateReader): DuplicateWindow {
  const window = createDuplicateWindow(reader.u32());
  const used = reader.u32();
  for (let i = 0; i < used; i++) {
    const hash = reader.u32() | 0;
    const source = reader.u32();
    const id = reader.str();
    put(window, hash, source, id, reader.f64(), reader.f64(), reader.f64());
  }
  return window;
}
