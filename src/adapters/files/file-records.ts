/** Text to records: lines of CSV or of JSON, or the elements of one JSON array. Nothing is held but the open record. */
import { parse } from 'csv-parse/sync';
import { limits } from '../../core/domain/limits';

/** One row as it stands in the file. `cells` of a JSON object are its properties by name. */
export interface FileRecord {
  /** Line it begins on, counted from 1. */
  readonly line: number;
  readonly raw: string;
  readonly cells: readonly unknown[] | ReadonlyMap<string, unknown> | null;
  /** Why there are no cells. */
  readonly error: string | null;
}

export type FileForm = 'csv' | 'json-lines' | 'json-array';

/** Takes text as it comes and answers the records that it completes. */
export interface RecordReader {
  push(text: string): FileRecord[];
  /** What was still open when the file ended. */
  end(): FileRecord[];
}

function refused(line: number, raw: string, error: string): FileRecord {
  return { line, raw, cells: null, error };
}

function jsonRecord(line: number, raw: string): FileRecord {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    return refused(line, raw, 'is not JSON');
  }
  if (Array.isArray(value)) return { line, raw, cells: value, error: null };
  if (typeof value === 'object' && value !== null)
    return { line, raw, cells: new Map(Object.entries(value)), error: null };
  return refused(line, raw, 'must be a JSON object or array');
}

function csvRecord(line: number, raw: string, delimiter: string): FileRecord {
  if (!raw.includes('"')) return { line, raw, cells: raw.split(delimiter), error: null };
  try {
    const rows: string[][] = parse(raw, { delimiter, relax_column_count: true });
    return { line, raw, cells: rows[0] ?? [], error: null };
  } catch {
    return refused(line, raw, 'has a quote that does not close');
  }
}

function quotesAreOpen(text: string): boolean {
  let open = false;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) open = !open;
  return open;
}

/** Lines, each made into a record by `read`; a quoted cell may run over several lines where `joins` says so. */
function lineReader(read: (line: number, raw: string) => FileRecord, joins: boolean): RecordReader {
  let rest = '';
  let line = 0;
  /** Set while the remainder of a line that is too long is skipped. */
  let skipping = false;
  let joined: { line: number; raw: string } | null = null;

  function complete(raw: string, out: FileRecord[]): void {
    line++;
    const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (joined) {
      joined.raw += `\n${text}`;
      if (quotesAreOpen(joined.raw) && joined.raw.length <= limits.fileRecordChars) return;
      out.push(read(joined.line, joined.raw));
      joined = null;
    } else if (joins && text.includes('"') && quotesAreOpen(text)) joined = { line, raw: text };
    else if (text.trim() !== '') out.push(read(line, text));
  }

  function push(text: string): FileRecord[] {
    const out: FileRecord[] = [];
    const all = rest + text;
    let from = 0;
    for (let at = all.indexOf('\n'); at !== -1; at = all.indexOf('\n', from)) {
      if (skipping) line++;
      else complete(all.slice(from, at), out);
      skipping = false;
      from = at + 1;
    }
    rest = skipping ? '' : all.slice(from);
    if (rest.length > limits.fileRecordChars) {
      out.push(refused(line + 1, rest, `is longer than ${limits.fileRecordChars} characters`));
      rest = '';
      skipping = true;
    }
    return out;
  }

  function end(): FileRecord[] {
    const out: FileRecord[] = [];
    if (!skipping && rest !== '') complete(rest, out);
    if (joined) out.push(read(joined.line, joined.raw));
    rest = '';
    joined = null;
    return out;
  }
  return { push, end };
}

const newline = 10;
const space = 32;
const quote = 34;
const comma = 44;
const backslash = 92;
const squareOpen = 91;
const curlyOpen = 123;
const squareClose = 93;
const curlyClose = 125;

/** The elements of each array of records: the whole file, a property of an object, or one array after another. */
class ArrayReader implements RecordReader {
  private rest = '';
  private line = 1;
  private depth = 0;
  /** Depth inside the array of records; 0 outside of one. */
  private base = 0;
  private inText = false;
  private escaped = false;
  private startLine = 1;
  private strayLine = 0;
  private given = false;
  private overflow = false;

  /** Whether the character is part of the JSON's structure rather than of a string. */
  private isStructure(code: number): boolean {
    if (this.inText) {
      if (this.escaped) this.escaped = false;
      else if (code === backslash) this.escaped = true;
      else if (code === quote) this.inText = false;
      return false;
    }
    if (code === quote) this.inText = true;
    return true;
  }

  push(text: string): FileRecord[] {
    const out: FileRecord[] = [];
    if (this.overflow) return out;
    const all = this.rest + text;
    let start = this.rest === '' ? -1 : 0;
    for (let at = this.rest.length; at < all.length; at++) {
      const code = all.charCodeAt(at);
      if (code === newline) this.line++;
      if (!this.isStructure(code) || code <= space) continue;
      if (code === squareOpen || code === curlyOpen) {
        if (this.base > 0 && this.depth === this.base) {
          start = at;
          this.startLine = this.line;
        } else if (this.base === 0 && code === squareOpen) this.base = this.depth + 1;
        this.depth++;
      } else if (code === squareClose || code === curlyClose) {
        this.depth--;
        if (start >= 0 && this.depth === this.base) {
          out.push(jsonRecord(this.startLine, all.slice(start, at + 1)));
          start = -1;
        } else if (this.depth < this.base) this.base = 0;
      } else if (start < 0 && code !== comma && (this.base > 0 || this.depth === 0) && this.strayLine !== this.line) {
        this.strayLine = this.line;
        out.push(refused(this.line, all.charAt(at), 'must be a JSON object or array'));
      }
    }
    this.given = true;
    this.rest = start >= 0 ? all.slice(start) : '';
    if (this.rest.length > limits.fileRecordChars) {
      const message = `is longer than ${limits.fileRecordChars} characters; the rest of the file is not read`;
      out.push(refused(this.startLine, this.rest, message));
      this.overflow = true;
    }
    return out;
  }

  end(): FileRecord[] {
    if (this.overflow || !this.given || (this.depth === 0 && !this.inText)) return [];
    return [refused(this.line, this.rest, 'the file ends before its JSON does')];
  }
}

/** A reader of records of that form; `delimiter` is CSV's. */
export function recordReader(form: FileForm, delimiter: string): RecordReader {
  if (form === 'csv') return lineReader((line, raw) => csvRecord(line, raw, delimiter), true);
  return form === 'json-lines' ? lineReader(jsonRecord, false) : new ArrayReader();
}

const arrayOfRecords = /^\s*\[\s*(?:[[{]|\]|$)/;
const wrappedArray = /^\s*\{\s*"[^"]{1,64}"\s*:\s*\[/;

/** The form of a text by its beginning. */
export function formOf(head: string): FileForm {
  const first = head.trimStart().charAt(0);
  if (first !== '[' && first !== '{') return 'csv';
  return arrayOfRecords.test(head) || wrappedArray.test(head) ? 'json-array' : 'json-lines';
}

/** The delimiter that the first line of a CSV text has most of. */
export function delimiterOf(head: string): string {
  const first =
    head
      .slice(0, limits.fileRecordChars)
      .split('\n')
      .find((text) => text.trim() !== '') ?? '';
  let best = ',';
  for (const candidate of [';', '\t', '|']) {
    if (first.split(candidate).length > first.split(best).length) best = candidate;
  }
  return best;
}
