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

const TIME = 0;
const PRICE = 1;
const VOLUME = 2;
const SOURCE = 3;
/** Doubles of one entry: half a cache line, so that one entry is one miss. */
const stride = 4;

/** A ring: entry `cursor` is the next to be overwritten. */
export interface DuplicateWindow {
  used: number;
  cursor: number;
  /** Largest event time of an item without an id: a later one is no repetition, and need not be looked up. */
  newestMs: number;
  hash: Int32Array;
  /** Entry + 1 of the next older item of the same bucket; 0 ends the chain. */
  next: Int16Array;
  heads: Int16Array;
  rows: Float64Array;
  /** '' for an item that carries none; empty until the first that does. */
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
    newestMs: 0,
    hash: new Int32Array(size),
    next: new Int16Array(size),
    heads: new Int16Array(size),
    rows: new Float64Array(size * stride),
    ids: [],
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

/** The newest entry from `entry` on (entry + 1, 0 = none) with that hash, likewise; ages grow along a chain. */
function match(window: DuplicateWindow, entry: number, hash: number): number {
  const mask = window.hash.length - 1;
  let at = entry;
  let age = -1;
  while (at > 0) {
    // An entry that is not older than the one before was overwritten since, and all behind it are gone too.
    const entryAge = (window.cursor - at) & mask;
    if (entryAge <= age || entryAge >= window.used) return 0;
    if (window.hash[at - 1] === hash) return at;
    age = entryAge;
    at = window.next[at - 1] as number;
  }
  return 0;
}

function idOf(window: DuplicateWindow, entry: number): string {
  return window.ids.length === 0 ? '' : (window.ids[entry] as string);
}

/** Whether the id of that source is remembered. */
export function knowsId(window: DuplicateWindow, hash: number, source: number, id: string): boolean {
  if (window.ids.length === 0) return false;
  const mask = window.hash.length - 1;
  let at = match(window, window.heads[hash & mask] as number, hash);
  while (at > 0) {
    if (window.ids[at - 1] === id && window.rows[(at - 1) * stride + SOURCE] === source) return true;
    at = older(window, at, hash);
  }
  return false;
}

/** The next older entry with the same hash. */
function older(window: DuplicateWindow, at: number, hash: number): number {
  const mask = window.hash.length - 1;
  const next = window.next[at - 1] as number;
  const isOlder = next > 0 && ((window.cursor - next) & mask) > ((window.cursor - at) & mask);
  return isOlder ? match(window, next, hash) : 0;
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
  if (timeMs > window.newestMs) return false;
  const mask = window.hash.length - 1;
  const rows = window.rows;
  let at = match(window, window.heads[hash & mask] as number, hash);
  while (at > 0) {
    const row = (at - 1) * stride;
    const isSame = rows[row + TIME] === timeMs && rows[row + PRICE] === price && rows[row + VOLUME] === volume;
    if (isSame && rows[row + SOURCE] === source && idOf(window, at - 1) === '') return true;
    at = older(window, at, hash);
  }
  return false;
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
  if (id !== '' && window.ids.length === 0) window.ids = new Array<string>(mask + 1).fill('');
  if (window.ids.length !== 0) window.ids[entry] = id;
  if (id === '' && timeMs > window.newestMs) window.newestMs = timeMs;
  const row = entry * stride;
  window.rows[row + TIME] = timeMs;
  window.rows[row + PRICE] = price;
  window.rows[row + VOLUME] = volume;
  window.rows[row + SOURCE] = source;
  const bucket = hash & mask;
  window.hash[entry] = hash;
  window.next[entry] = window.heads[bucket] as number;
  window.heads[bucket] = entry + 1;
  window.cursor = (entry + 1) & mask;
  if (window.used <= mask) window.used++;
}

function replayInto(window: DuplicateWindow, grown: DuplicateWindow): void {
  const mask = window.hash.length - 1;
  for (let age = window.used; age > 0; age--) {
    const entry = (window.cursor - age) & mask;
    const [timeMs, price, volume, source] = window.rows.subarray(entry * stride, (entry + 1) * stride);
    const hash = window.hash[entry] as number;
    put(grown, hash, source as number, idOf(window, entry), timeMs as number, price as number, volume as number);
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
    const keepMs = idOf(window, oldest) === '' ? latenessMs : limits.duplicateIdMs;
    if (size < limits.duplicatesMin || (window.rows[oldest * stride + TIME] as number) >= timeMs - keepMs) {
      const grown = createDuplicateWindow(size * 2);
      replayInto(window, grown);
      Object.assign(window, { ...grown, newestMs: window.newestMs });
    }
  }
  put(window, hash, source, id, timeMs, price, volume);
}

/** Writes the remembered items, oldest first; buckets are rebuilt on reading. */
export function writeDuplicates(window: DuplicateWindow, writer: StateWriter): void {
  const mask = window.hash.length - 1;
  writer.u32(window.hash.length);
  writer.u32(window.used);
  writer.f64(window.newestMs);
  const hasIds = window.ids.length > 0;
  writer.bool(hasIds);
  for (let age = window.used; age > 0; age--) {
    const entry = (window.cursor - age) & mask;
    writer.u32((window.hash[entry] as number) >>> 0);
    for (let i = 0; i < stride; i++) writer.f64(window.rows[entry * stride + i] as number);
    if (hasIds) writer.str(window.ids[entry] as string);
  }
}

/** Reads what `writeDuplicates` wrote. */
export function readDuplicates(reader: StateReader): DuplicateWindow {
  const window = createDuplicateWindow(reader.u32());
  const used = reader.u32();
  const newestMs = reader.f64();
  const hasIds = reader.bool();
  if (hasIds) window.ids = new Array<string>(window.hash.length).fill('');
  for (let i = 0; i < used; i++) {
    const hash = reader.u32() | 0;
    const [timeMs, price, volume, source] = [reader.f64(), reader.f64(), reader.f64(), reader.f64()];
    put(window, hash, source, hasIds ? reader.str() : '', timeMs, price, volume);
  }
  window.newestMs = newestMs;
  return window;
}
