import { join } from 'node:path';
import { type TapeFs, tapeFs } from './fs-port';
import { headerBytes } from './tape-codec';
import { isWhole, recordLength, TapeWindow } from './tape-decode';
import { stepOf } from './tape-open';
import { parseSegmentFile, readSegmentHeader, SegmentCursor, segmentHeaderBytes } from './tape-segment';

/** One segment as it lies on the disk. */
export interface FoundStretch {
  readonly name: string;
  readonly records: number;
  readonly bytes: number;
  readonly problem: string | null;
  readonly note: string | null;
}

/** How often the newest segment is read again while its owner writes on. */
const readings = 3;

interface Walk extends FoundStretch {
  /** Position of its last record, and of the last one before it; `null` when that cannot be known. */
  readonly last: number | null;
  readonly previousLast: number | null;
}

/** Every record of every segment by its checksum, and that no segment in between is missing. Changes nothing. */
export async function* checkTape(dir: string, fs: TapeFs = tapeFs): AsyncGenerator<FoundStretch> {
  const names = namesIn(dir, fs);
  let before: number | null = null;
  for (const [i, name] of names.entries()) {
    const isNewest = i === names.length - 1;
    let walk = walkSegment(fs, dir, name, isNewest);
    for (let reading = 1; walk.last === null && isNewest && reading < readings; reading++) {
      const again = walkSegment(fs, dir, name, true);
      if (again.bytes === walk.bytes && again.records === walk.records) break;
      walk = again;
    }
    const { last, previousLast, ...found } = walk;
    const isGap = before !== null && previousLast !== null && before !== previousLast;
    // One that its owner dropped meanwhile, being old, is no loss.
    if (found.problem === null || namesIn(dir, fs).includes(name)) {
      yield isGap ? { ...found, problem: `the tape misses records ${Number(before) + 1} to ${previousLast}` } : found;
    }
    before = last;
  }
}

function namesIn(dir: string, fs: TapeFs): readonly string[] {
  try {
    return fs
      .readdirSync(dir)
      .filter((file) => parseSegmentFile(file) !== null)
      .sort();
  } catch {
    return [];
  }
}

function walkSegment(fs: TapeFs, dir: string, name: string, isNewest: boolean): Walk {
  const nothing = { name, records: 0, bytes: 0, problem: null, note: null, last: null, previousLast: null };
  let fd: number;
  try {
    fd = fs.openSync(join(dir, name), 'r');
  } catch (error) {
    return { ...nothing, problem: `tape ${name} cannot be opened: ${String(error)}` };
  }
  try {
    const bytes = fs.sizeSync(fd);
    const header = readSegmentHeader(fs, fd);
    const first = parseSegmentFile(name) ?? 0;
    if (header?.first !== first) {
      if (isNewest && bytes < segmentHeaderBytes) return { ...nothing, bytes, note: `tape ${name} was only begun` };
      return { ...nothing, bytes, problem: `the header of tape ${name} is damaged` };
    }
    const { previousLast } = header;
    const cursor = new SegmentCursor(fs, fd, bytes, first);
    let records = 0;
    let step = stepOf(cursor, Number.POSITIVE_INFINITY);
    for (; step === 'record'; step = stepOf(cursor, Number.POSITIVE_INFINITY)) if (!cursor.isMark) records++;
    const walked = { ...nothing, records, bytes, previousLast };
    if (step === 'end') return { ...walked, last: cursor.position };
    const at = `record ${cursor.position + 1} in tape ${name}`;
    if (!isNewest || isDamaged(fs, fd, cursor, bytes)) return { ...walked, problem: `${at} is damaged` };
    const note = `the last ${bytes - cursor.offset} bytes of tape ${name} are no whole record: the next start cuts them`;
    return { ...walked, note };
  } catch (error) {
    return { ...nothing, problem: `tape ${name} cannot be read: ${String(error)}` };
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Whether what stops the cursor is damage, and not an end that was never written whole: that is shorter than it says,
 * or was never filled, and nothing whole comes after it.
 */
function isDamaged(fs: TapeFs, fd: number, cursor: SegmentCursor, end: number): boolean {
  const length = end - cursor.offset;
  const window = new TapeWindow(length);
  for (let filled = 0; filled < length; ) {
    const read = fs.readSync(fd, window.bytes, filled, length - filled, cursor.offset + filled);
    if (read === 0) return true;
    filled += read;
  }
  if (window.bytes.every((byte) => byte === 0)) return false;
  if (length >= headerBytes) {
    const said = recordLength(window, 0);
    if (said === 0 || said <= length) return true;
  }
  return hasWholeRecord(window, length, cursor.position);
}

function hasWholeRecord(window: TapeWindow, length: number, after: number): boolean {
  for (let at = 8; at + headerBytes <= length; at += 8) {
    const said = recordLength(window, at);
    const position = window.f64[(at >> 3) + 1] as number;
    const isNear = position >= after && position <= after + length / headerBytes;
    if (said > 0 && at + said <= length && isNear && isWhole(window, at, said)) return true;
  }
  return false;
}
