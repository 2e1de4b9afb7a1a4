import { join } from 'node:path';
import type { TapeRecord } from '../../live/ports';
import type { TapeFs } from './fs-port';
import {
  bootId,
  parseSegmentFile,
  readSegmentHeader,
  SegmentCursor,
  type SegmentHeader,
  type SegmentStep,
  segmentHeaderBytes,
} from './tape-segment';
import type { SeriesTable } from './tape-series';

/** A segment that is complete. */
export interface Segment {
  readonly path: string;
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  /** When the one after it was begun, ms since the epoch. */
  readonly endMs: number;
}

/** The segment that is being written. */
export interface OpenSegment {
  readonly path: string;
  readonly fd: number;
  readonly first: number;
  /** Where the next record goes. */
  offset: number;
}

export interface FoundTape {
  readonly segments: Segment[];
  /** The newest segment, when it can be continued, with its table. */
  readonly current: OpenSegment | null;
  readonly series: SeriesTable | null;
  readonly last: number;
  readonly tornBytes: number;
  /** Whether records that had been given a position may be gone. */
  readonly mayHaveLost: boolean;
}

interface FoundFile {
  readonly path: string;
  readonly first: number;
  readonly bytes: number;
  readonly header: SegmentHeader | null;
}

function inspect(fs: TapeFs, path: string, first: number): FoundFile {
  const fd = fs.openSync(path, 'r');
  try {
    const header = readSegmentHeader(fs, fd);
    return { path, first, bytes: fs.sizeSync(fd), header: header?.first === first ? header : null };
  } finally {
    fs.closeSync(fd);
  }
}

/** One step of a cursor; a file that cannot be read is as bad as a damaged one. */
export function stepOf(cursor: SegmentCursor, skipTo: number): SegmentStep {
  try {
    return cursor.next(skipTo);
  } catch {
    return 'bad';
  }
}

function complete(files: readonly FoundFile[], nowMs: number): Segment[] {
  return files.map((file, i) => {
    const next = files[i + 1];
    const last = next ? (next.header?.previousLast ?? next.first - 1) : file.first - 1;
    return { path: file.path, first: file.first, last, bytes: file.bytes, endMs: next?.header?.createdMs ?? nowMs };
  });
}

/** Walks the newest segment and cuts it after its last whole record. */
function recoverNewest(fs: TapeFs, file: FoundFile, header: SegmentHeader) {
  const fd = fs.openSync(file.path, 'r+');
  const cursor = new SegmentCursor(fs, fd, file.bytes, file.first);
  let step: SegmentStep = 'end';
  do step = stepOf(cursor, Number.POSITIVE_INFINITY);
  while (step === 'record');
  const tornBytes = file.bytes - cursor.offset;
  if (tornBytes > 0) fs.ftruncateSync(fd, cursor.offset);
  const sameBoot = header.boot !== '' && header.boot === bootId();
  const mayHaveLost = tornBytes > 0 || !(cursor.isMark || sameBoot);
  return { fd, cursor, tornBytes, mayHaveLost, canContinue: sameBoot && !mayHaveLost };
}

/**
 * Finds the tape in a directory and repairs its end: a torn tail is cut to the last whole record. Older segments are
 * not read here; damage in them shows when they are.
 */
export function findTape(fs: TapeFs, dir: string, nowMs: number): FoundTape {
  fs.mkdirSync(dir);
  const firsts = fs
    .readdirSync(dir)
    .map((file) => ({ path: join(dir, file), first: parseSegmentFile(file) }))
    .filter((file): file is { path: string; first: number } => file.first !== null)
    .sort((a, b) => a.first - b.first);
  const files = firsts.map((file) => inspect(fs, file.path, file.first));
  const newest = files[files.length - 1];
  const nothing = { current: null, series: null };
  if (!newest) return { ...nothing, segments: [], last: 0, tornBytes: 0, mayHaveLost: false };
  if (!newest.header) {
    // Its number says what came before it at the least; whatever it held has no readable position.
    const last = newest.first - 1;
    const found = { ...nothing, last, tornBytes: newest.bytes, mayHaveLost: true };
    if (newest.bytes >= segmentHeaderBytes) return { ...found, segments: complete(files, nowMs) };
    fs.unlinkSync(newest.path);
    return { ...found, segments: complete(files, nowMs).slice(0, -1) };
  }
  const { fd, cursor, tornBytes, mayHaveLost, canContinue } = recoverNewest(fs, newest, newest.header);
  const older = complete(files, nowMs).slice(0, -1);
  const { position: last, offset, series } = cursor;
  if (canContinue) {
    const current = { path: newest.path, fd, first: newest.first, offset };
    return { segments: older, current, series, last, tornBytes, mayHaveLost };
  }
  fs.closeSync(fd);
  const ended = { path: newest.path, first: newest.first, last, bytes: offset, endMs: nowMs };
  return { ...nothing, segments: [...older, ended], last, tornBytes, mayHaveLost };
}

/**
 * The records of one segment behind `afterPosition`, up to `last`. When not all of them can be read, `lost` hears the
 * first position that is missing.
 */
export function* readSegment(
  fs: TapeFs,
  segment: Segment | OpenSegment,
  last: number,
  afterPosition: number,
  lost: (from: number) => void,
): Generator<{ readonly position: number; readonly record: TapeRecord }> {
  const fd = attempt(() => fs.openSync(segment.path, 'r'));
  let reached = Math.max(afterPosition, segment.first - 1);
  try {
    const header = fd === null ? null : attempt(() => readSegmentHeader(fs, fd));
    const end = 'offset' in segment ? segment.offset : segment.bytes;
    const cursor =
      fd === null || header?.first !== segment.first ? null : new SegmentCursor(fs, fd, end, segment.first);
    while (cursor && stepOf(cursor, afterPosition) === 'record') {
      const { position, record } = cursor;
      reached = Math.max(reached, position);
      if (record && position > afterPosition) yield { position, record };
    }
    if (reached < last) lost(reached + 1);
  } finally {
    if (fd !== null) attempt(() => fs.closeSync(fd));
  }
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
