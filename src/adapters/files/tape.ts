import { join } from 'node:path';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Clock, Logger, Tape, TapeHealth, TapeRecord } from '../../live/ports';
import { type TapeFs, tapeFs } from './fs-port';
import { TapeEncoder } from './tape-codec';
import { findTape, type OpenSegment, readSegment, type Segment } from './tape-open';
import { bootId, encodeSegmentHeader, segmentFile, segmentHeaderBytes } from './tape-segment';
import { SeriesTable } from './tape-series';
import { TapeSync } from './tape-sync';

export interface TapeOptions {
  /** Directory of the segments; made when missing. One process writes to it. */
  readonly dir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bytes of one segment; default `limits.tapeSegmentBytes`. */
  readonly segmentBytes?: number;
  /** Bytes that `trim` leaves; default `limits.tapeBytes`. At twice this the tape takes no more. */
  readonly totalBytes?: number;
  /** Age of a segment that `trim` drops, ms; default `limits.tapeAgeMs`. */
  readonly ageMs?: number;
  /** The file functions used; for tests that make them fail. */
  readonly fs?: TapeFs;
}

interface Failure {
  readonly what: 'write' | 'sync';
  readonly message: string;
  readonly retryAtMs: number;
}

class FileTape implements Tape {
  private readonly dir: string;
  private readonly fs: TapeFs;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly segmentBytes: number;
  private readonly totalBytes: number;
  private readonly ageMs: number;
  private readonly encoder: TapeEncoder;
  private readonly sync: TapeSync;
  private readonly segments: Segment[];
  private readonly tornBytes: number;
  private current: OpenSegment | null;
  private olderBytes = 0;
  private last: number;
  /** Position of the next record: beyond `last + 1` where a tail may have been lost. */
  private next: number;
  private failure: Failure | null = null;
  private shed = 0;
  /** Records that reading had to leave out, by segment. */
  private readonly unreadable = new Map<string, number>();
  private closing: Promise<void> | null = null;

  constructor(options: TapeOptions) {
    this.dir = options.dir;
    this.fs = options.fs ?? tapeFs;
    this.clock = options.clock;
    this.logger = options.logger;
    this.segmentBytes = options.segmentBytes ?? limits.tapeSegmentBytes;
    this.totalBytes = options.totalBytes ?? limits.tapeBytes;
    this.ageMs = options.ageMs ?? limits.tapeAgeMs;
    this.sync = new TapeSync(this.fs, this.clock, (error) => this.syncEnded(error));
    const found = findTape(this.fs, this.dir, this.clock.nowMs());
    this.segments = found.segments;
    for (const segment of found.segments) this.olderBytes += segment.bytes;
    this.current = found.current;
    this.encoder = new TapeEncoder(found.series ?? new SeriesTable());
    // A process that was killed may have left it to the system to write its last records.
    if (this.current) this.sync.touch(this.current.fd);
    this.tornBytes = found.tornBytes;
    this.last = found.last;
    this.next = found.last + 1 + (found.mayHaveLost ? limits.tapeJump : 0);
    if (found.tornBytes > 0)
      this.logger.warn('the end of the tape was torn and is cut', { bytes: found.tornBytes, lastPosition: this.last });
  }

  append(record: TapeRecord): number | null {
    const now = this.clock.monotonicMs();
    if (this.refusal(now) !== null || (this.failure?.what === 'write' && now < this.failure.retryAtMs)) {
      this.shed++;
      return null;
    }
    const position = this.next;
    let startedMs = now;
    try {
      const length = this.prepare(record, position);
      startedMs = this.clock.monotonicMs();
      this.current ??= this.begin(position);
      this.put(this.current, this.encoder.bytes, length);
    } catch (error) {
      this.encoder.rollback();
      this.shed++;
      if (error instanceof EngineError) this.logger.error('a record does not fit the tape', { error });
      else this.failed('write', error instanceof Error ? error.message : String(error));
      return null;
    }
    this.last = position;
    this.next = position + 1;
    const tookMs = this.clock.monotonicMs() - startedMs;
    if (tookMs > limits.diskStallMs) this.failed('write', `a write took ${Math.round(tookMs)} ms`);
    else if (this.failure?.what === 'write') this.recovered();
    return position;
  }

  *read(afterPosition: number): Generator<{ readonly position: number; readonly record: TapeRecord }> {
    const segments: (Segment | OpenSegment)[] = [...this.segments];
    if (this.current) segments.push({ ...this.current });
    const lastNow = this.last;
    for (const segment of segments) {
      const last = 'last' in segment ? segment.last : lastNow;
      const lost = (from: number): void => this.cannotRead(segment.path, from, last);
      if (last > afterPosition) yield* readSegment(this.fs, segment, last, afterPosition, lost);
    }
  }

  lastPosition(): number {
    return this.last;
  }

  trim(keepAfter: number, nowMs: number): void {
    for (let oldest = this.segments[0]; oldest; oldest = this.segments[0]) {
      const due = this.bytes() > this.totalBytes || nowMs - oldest.endMs > this.ageMs;
      if (!due || oldest.last > keepAfter) break;
      this.segments.shift();
      this.olderBytes -= oldest.bytes;
      const { path } = oldest;
      this.fs.unlink(path, (error) => {
        if (error) this.logger.warn('an old tape segment could not be removed', { path, error });
      });
    }
  }

  async synced(): Promise<boolean> {
    return this.closing === null && (await this.sync.safe());
  }

  health(): TapeHealth {
    let records = this.current ? Math.max(0, this.last - this.current.first + 1) : 0;
    for (const segment of this.segments) records += Math.max(0, segment.last - segment.first + 1);
    const refusal = this.refusal(this.clock.monotonicMs());
    const { tornBytes, shed } = this;
    const state = { records, bytes: this.bytes(), tornBytes, shed };
    if (refusal !== null) return { health: 'down', message: refusal, ...state };
    if (this.failure) {
      const health = this.failure.what === 'write' ? 'down' : 'degraded';
      return { health, message: this.failure.message, ...state };
    }
    if (this.unreadable.size > 0) {
      const damaged = [...this.unreadable.values()].reduce((sum, count) => sum + count, 0);
      return { health: 'degraded', message: `${damaged} records are damaged and cannot be read`, ...state };
    }
    return {
      health: 'up',
      message: shed > 0 ? `${shed} records could not be written since the start` : 'ok',
      ...state,
    };
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  /** Why nothing can be written at the moment, in words; `null` when it can. */
  private refusal(nowMs: number): string | null {
    if (this.closing) return 'closed';
    if (this.sync.outMs(nowMs) > limits.diskStallMs)
      return `the disk has not answered for ${Math.round(this.sync.outMs(nowMs) / 1_000)} s`;
    if (this.sync.retiring >= limits.tapeRetiring) return 'the disk is slower than the market';
    if (this.bytes() > 2 * this.totalBytes) return 'the tape is full: no snapshot lets it drop its old part';
    return null;
  }

  private bytes(): number {
    return this.olderBytes + (this.current?.offset ?? 0);
  }

  /** Encodes the record, for a new segment when the current one is full. */
  private prepare(record: TapeRecord, position: number): number {
    let length = this.encoder.encode(record, position);
    const offset = this.current?.offset ?? 0;
    const full = offset > segmentHeaderBytes && offset + (length ?? 0) > this.segmentBytes;
    if (full || this.encoder.series.size > limits.tapeSeries) {
      this.endSegment();
      length = this.encoder.encode(record, position);
    }
    if (length !== null) return length;
    throw new EngineError('InternalError', `a record is longer than ${limits.tapeRecordBytes} bytes`);
  }

  private put(segment: OpenSegment, bytes: Uint8Array, length: number): void {
    try {
      for (let done = 0; done < length; ) {
        const written = this.fs.writeSync(segment.fd, bytes, done, length - done, segment.offset + done);
        if (written === 0) throw new Error('the disk took nothing');
        done += written;
      }
    } catch (error) {
      this.quietly(() => this.fs.ftruncateSync(segment.fd, segment.offset));
      throw error;
    }
    segment.offset += length;
    this.sync.touch(segment.fd);
  }

  private begin(first: number): OpenSegment {
    const path = join(this.dir, segmentFile(first));
    const header = { first, previousLast: this.last, createdMs: this.clock.nowMs(), boot: bootId() };
    const segment = { path, fd: this.fs.openSync(path, 'w'), first, offset: 0 };
    try {
      this.put(segment, encodeSegmentHeader(header), segmentHeaderBytes);
    } catch (error) {
      this.quietly(() => this.fs.closeSync(segment.fd));
      this.quietly(() => this.fs.unlinkSync(path));
      throw error;
    }
    return segment;
  }

  private endSegment(): void {
    const { current } = this;
    this.encoder.series = new SeriesTable();
    if (!current) return;
    const { path, first, offset } = current;
    // One without a record is begun again under the same name.
    if (this.last >= first) {
      this.segments.push({ path, first, last: this.last, bytes: offset, endMs: this.clock.nowMs() });
      this.olderBytes += offset;
    }
    this.current = null;
    this.sync.retire(current.fd);
  }

  private cannotRead(path: string, from: number, to: number): void {
    this.unreadable.set(path, to - from + 1);
    this.logger.error('a part of the tape is damaged and was left out', { path, from, to });
  }

  private failed(what: 'write' | 'sync', message: string): void {
    if (!this.failure) this.logger.error('the tape cannot be written', { what, message });
    const retryAtMs = this.clock.monotonicMs() + limits.tapeRetryMs;
    this.failure = { what, message: `the disk failed: ${message}`, retryAtMs };
  }

  private recovered(): void {
    this.failure = null;
    this.logger.info('the tape is written again', { shed: this.shed });
  }

  private syncEnded(error: Error | null): void {
    if (error) {
      // What a failed sync leaves on the disk is unknown, and a later one may hide it: go on in a new file.
      if (this.failure?.what !== 'sync' && !this.closing) this.endSegment();
      this.failed('sync', error.message);
    } else if (this.failure?.what === 'sync') this.recovered();
  }

  private quietly<T>(action: () => T): T | null {
    try {
      return action();
    } catch {
      return null;
    }
  }

  private async finish(): Promise<void> {
    const { current } = this;
    if (current && this.last >= current.first) {
      const length = this.encoder.encode({ kind: 'closed' }, this.last);
      if (length !== null) this.quietly(() => this.put(current, this.encoder.bytes, length));
    }
    this.endSegment();
    let cancel: () => void = () => {};
    const deadline = new Promise<void>((resolve) => {
      cancel = this.clock.after(limits.closeMs, resolve);
    });
    await Promise.race([this.sync.drain(), deadline]);
    cancel();
  }
}

/**
 * Opens the tape of one process: append-only segment files of binary records, each checksummed. A torn end is cut and
 * its bytes reported; a damaged record further back ends the reading of its segment, which goes on with the next one:
 * what is read is always as it was written, what cannot be read shows as a jump in the positions and in `health`.
 * Positions go on after a restart, and skip some where records may have been lost with the power, so none repeats.
 * Throws `ConnectionError` when the directory cannot be read or made.
 */
export function openTape(options: TapeOptions): Tape {
  try {
    return new FileTape(options);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new EngineError('ConnectionError', `the tape in "${options.dir}" cannot be opened: ${why}`, {
      cause: thrown,
    });
  }
}
