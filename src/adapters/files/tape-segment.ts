import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { limits } from '../../core/domain/limits';
import type { TapeRecord } from '../../live/ports';
import type { TapeFs } from './fs-port';
import { align, headerBytes } from './tape-codec';
import { decodeTapeRecord, isWhole, recordLength, TapeWindow } from './tape-decode';
import { SeriesTable } from './tape-series';

/*
 * A segment file: a header of 80 bytes, then records.
 *   8 bytes magic · f64 first position · f64 last position of the segment before · f64 created · 40 bytes boot id · u32 crc32 · u32 0
 * Positions run on from the segment before, unless its tail may have been lost: then some are skipped so that none repeats.
 */
export const segmentHeaderBytes = 80;
const magic = 'SETAPE\u0001\n';
const bootAt = 32;
const bootBytes = 40;
const crcAt = 72;

export interface SegmentHeader {
  readonly first: number;
  readonly previousLast: number;
  readonly createdMs: number;
  readonly boot: string;
}

/** Which start of the machine this is; empty where it cannot be known. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().slice(0, bootBytes);
  } catch {
    return '';
  }
}

export const segmentFile = (first: number): string => `${String(first).padStart(16, '0')}.tape`;

/** First position of the segment with that file name; `null` for files that are not ours. */
export function parseSegmentFile(file: string): number | null {
  const match = /^([0-9]{16})\.tape$/.exec(file);
  return match ? Number(match[1]) : null;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const { bytes, f64, u32 } = new TapeWindow(segmentHeaderBytes);
  bytes.set(Buffer.from(magic, 'latin1'));
  f64[1] = header.first;
  f64[2] = header.previousLast;
  f64[3] = header.createdMs;
  bytes.set(Buffer.from(header.boot, 'latin1').subarray(0, bootBytes), bootAt);
  u32[crcAt / 4] = crc32(bytes.subarray(0, crcAt));
  return bytes;
}

/** The header, or `null` when it is cut short, damaged, or of a machine with another byte order. */
export function readSegmentHeader(fs: TapeFs, fd: number): SegmentHeader | null {
  const { bytes, f64, u32 } = new TapeWindow(segmentHeaderBytes);
  if (fs.readSync(fd, bytes, 0, segmentHeaderBytes, 0) !== segmentHeaderBytes) return null;
  if (Buffer.from(bytes.buffer, 0, 8).toString('latin1') !== magic) return null;
  if (u32[crcAt / 4] !== crc32(bytes.subarray(0, crcAt)) || u32[crcAt / 4 + 1] !== 0) return null;
  const boot = Buffer.from(bytes.buffer, bootAt, bootBytes).toString('latin1').replace(/\0+$/, '');
  return { first: f64[1] as number, previousLast: f64[2] as number, createdMs: f64[3] as number, boot };
}

export type SegmentStep = 'record' | 'end' | 'bad';

/**
 * Walks the records of one segment. It stops at the first one that is not whole: later ones may need its rows of the
 * series table, and a record read with another table would be wrong data.
 */
export class SegmentCursor {
  /** Where the next record starts. */
  offset = segmentHeaderBytes;
  readonly series = new SeriesTable();
  position: number;
  record: TapeRecord | null = null;
  private readonly fs: TapeFs;
  private readonly fd: number;
  private readonly end: number;
  private window: TapeWindow;
  private windowAt = 0;
  private windowEnd = 0;

  /** Reads from `fd` up to the byte `end`; `first` is the position of the segment's first record. */
  constructor(fs: TapeFs, fd: number, end: number, first: number) {
    this.fs = fs;
    this.fd = fd;
    this.end = end;
    this.position = first - 1;
    this.window = new TapeWindow(Math.min(end, limits.tapeReadBytes));
  }

  /** Goes to the next record; those up to `skipTo` are verified but not decoded. */
  next(skipTo: number): SegmentStep {
    if (this.offset >= this.end) return 'end';
    if (!this.has(headerBytes)) return 'bad';
    const length = recordLength(this.window, this.offset - this.windowAt);
    if (length === 0 || !this.has(length)) return 'bad';
    const at = this.offset - this.windowAt;
    if (!isWhole(this.window, at, length)) return 'bad';
    const decoded = decodeTapeRecord(this.window, at, this.series, this.position + 1 <= skipTo);
    if (decoded?.position !== this.position + (decoded?.isMark ? 0 : 1)) return 'bad';
    this.record = decoded.record;
    this.position = decoded.position;
    this.isMark = decoded.isMark;
    this.offset += length;
    return 'record';
  }

  /** Whether the last record was the mark of an orderly close, which has no position of its own. */
  isMark = false;

  private has(bytes: number): boolean {
    if (this.offset + bytes > this.end) return false;
    if (this.offset + bytes <= this.windowEnd) return true;
    if (bytes > this.window.bytes.length) this.window = new TapeWindow(align(bytes));
    const wanted = Math.min(this.window.bytes.length, this.end - this.offset);
    let filled = 0;
    while (filled < wanted) {
      const read = this.fs.readSync(this.fd, this.window.bytes, filled, wanted - filled, this.offset + filled);
      if (read === 0) break;
      filled += read;
    }
    this.windowAt = this.offset;
    this.windowEnd = this.offset + filled;
    return filled >= bytes;
  }
}
