/**
 * Market and strategy state as bytes: typed-array doubles with a small header, because a snapshot of many symbols as
 * JSON is ten times larger and stalls the loop. Little-endian whatever the machine.
 */
import { EngineError } from './errors';
import { limits } from './limits';

/**
 * Serialisable state: numbers, windows of numbers, and the same again one level down (a strategy holds indicators, a
 * family its members). Plain objects, every field set when created and never added or deleted, so that one type has one
 * hidden class. At most `limits.stateDepth` levels. State types are written as `type`, not `interface`.
 */
export interface StateShape {
  [field: string]: number | Float64Array | StateShape;
}

/** What follows a field's name. */
const tag = { NUMBER: 0, WINDOW: 1, NESTED: 2 } as const;

/** Up to here a loop is quicker than the encoder. */
const shortChars = 64;
const utf8 = new TextEncoder();
const text = new TextDecoder('utf-8', { fatal: true });

/** Appends values to one growing buffer. `bytes()` answers a copy, so one writer serves many chunks after `reset`. */
export class StateWriter {
  private buffer = new Uint8Array(4_096);
  private view = new DataView(this.buffer.buffer);
  private length = 0;

  reset(): void {
    this.length = 0;
  }

  bytes(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  private reserve(extra: number): void {
    if (this.length + extra <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + extra));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  bool(value: boolean): void {
    this.u32(value ? 1 : 0);
  }

  str(value: string): void {
    // No character of UTF-16 takes more than three bytes of UTF-8.
    this.reserve(4 + value.length * 3);
    const from = this.length + 4;
    let written = value.length <= shortChars ? this.ascii(value, from) : null;
    written ??= utf8.encodeInto(value, this.buffer.subarray(from)).written;
    this.view.setUint32(this.length, written, true);
    this.length = from + written;
  }

  /** Bytes written, or `null` when the text is more than ASCII. Names of fields are short, and there are very many. */
  private ascii(value: string, from: number): number | null {
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) return null;
      this.buffer[from + i] = code;
    }
    return value.length;
  }

  f64s(values: Float64Array): void {
    this.u32(values.length);
    this.reserve(values.length * 8);
    for (let i = 0; i < values.length; i++) {
      this.view.setFloat64(this.length, values[i] as number, true);
      this.length += 8;
    }
  }

  /** Rarely used parts, as JSON text. Maps are not JSON: hand over arrays of entries. */
  json(value: unknown): void {
    this.str(JSON.stringify(value));
  }

  /** A state: field names with numbers, windows of numbers, or further states. */
  shape(state: Readonly<StateShape>, depth = 1): void {
    if (depth > limits.stateDepth) throw new EngineError('InternalError', 'a state is nested too deep');
    const keys = Object.keys(state);
    this.u32(keys.length);
    for (const key of keys) {
      const value = state[key] as StateShape[string];
      this.str(key);
      if (typeof value === 'number') {
        this.u32(tag.NUMBER);
        this.f64(value);
      } else if (value instanceof Float64Array) {
        this.u32(tag.WINDOW);
        this.f64s(value);
      } else {
        this.u32(tag.NESTED);
        this.shape(value, depth + 1);
      }
    }
  }
}

/** Reads in the order in which it was written; anything out of bounds throws and nothing is half-loaded. */
export class StateReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private take(count: number): number {
    const at = this.at;
    if (at + count > this.bytes.length) throw new EngineError('InternalError', 'a snapshot chunk is cut short');
    this.at = at + count;
    return at;
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  bool(): boolean {
    return this.u32() !== 0;
  }

  str(): string {
    const length = this.u32();
    const at = this.take(length);
    return text.decode(this.bytes.subarray(at, at + length));
  }

  /** A text that is nearly always this one: comparing bytes costs a tenth of decoding them, and states have many fields. */
  private expected(likely: string | undefined): string {
    const start = this.at;
    const length = this.u32();
    if (likely !== undefined && likely.length === length && start + 4 + length <= this.bytes.length) {
      let same = 0;
      while (same < length && this.bytes[this.at + same] === likely.charCodeAt(same)) same++;
      if (same === length) {
        this.at += length;
        return likely;
      }
    }
    this.at = start;
    return this.str();
  }

  f64s(): Float64Array {
    const length = this.u32();
    const at = this.take(length * 8);
    const values = new Float64Array(length);
    for (let i = 0; i < length; i++) values[i] = this.view.getFloat64(at + i * 8, true);
    return values;
  }

  json(): unknown {
    return JSON.parse(this.str());
  }

  /**
   * Fills a freshly created state. A field the state does not know, or knows as something else (a window of another
   * length included), is skipped and one it misses keeps its initial value; `complete` is false then, and the owner
   * decides whether to warm up again.
   */
  shape(state: StateShape, depth = 1): { readonly complete: boolean } {
    if (depth > limits.stateDepth) throw new EngineError('InternalError', 'a snapshot chunk is nested too deep');
    const count = this.u32();
    const names = Object.keys(state);
    let known = 0;
    for (let i = 0; i < count; i++) {
      const key = this.expected(names[i]);
      const current = Object.hasOwn(state, key) ? state[key] : undefined;
      if (this.field(state, key, current, depth)) known++;
    }
    return { complete: known === count && count === names.length };
  }

  private field(state: StateShape, key: string, current: StateShape[string] | undefined, depth: number): boolean {
    const kind = this.u32();
    if (kind === tag.NESTED) {
      const nested = typeof current === 'object' && !(current instanceof Float64Array);
      const { complete } = this.shape(nested ? current : {}, depth + 1);
      return nested && complete;
    }
    if (kind === tag.WINDOW) {
      const values = this.f64s();
      if (!(current instanceof Float64Array) || current.length !== values.length) return false;
      current.set(values);
      return true;
    }
    const value = this.f64();
    if (typeof current !== 'number') return false;
    state[key] = value;
    return true;
  }

  end(): boolean {
    return this.at === this.bytes.length;
  }
}
