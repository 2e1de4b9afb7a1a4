/**
 * The last entries of a log in a folder of this process, each written before its event is acknowledged: a Redis that dies
 * in the same moment as the engine may come back without them, and then nobody else knows them. Not synced, because what
 * the system has taken survives a kill; in two files, because one grows while the other is dropped.
 */
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../../core/domain/limits';
import type { Clock, Logger } from '../../live/ports';
import { isWhole, type LogEntry } from './log-entry';

/** The file functions used, so that a test can make them fail. */
export interface RecallFs {
  openSync(path: string, flags: 'a'): number;
  writeSync(fd: number, bytes: Uint8Array): number;
}

export interface RecallOptions {
  /** Folder of this process alone; it is there. */
  readonly dir: string;
  /** Names the log, in one line. What lies here of another one is dropped. */
  readonly of: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told why it cannot be written, and `null` when it is written again. */
  readonly onProblem: (problem: string | null) => void;
  readonly fs?: RecallFs;
}

const newest = 'recall.log';
const older = 'recall.old';

const textOf = (entries: readonly LogEntry[]): string =>
  entries.map(({ seq, version, seal, body }) => `${seq} ${version} ${seal} ${body}\n`).join('');

/** `null` for a line that is torn or damaged. */
function readLine(line: string): LogEntry | null {
  const [, seq, version, seal, body] = /^(\d+) (\d+) ([0-9a-f]{40}) (\{.*\})$/.exec(line) ?? [];
  if (seal === undefined || body === undefined) return null;
  const entry = { seq: Number(seq), version: Number(version), seal, body };
  return isWhole(entry) ? entry : null;
}

export class RecallFile {
  private readonly options: RecallOptions;
  private readonly fs: RecallFs;
  private found: readonly LogEntry[];
  private fd: number | null = null;
  private written = 0;
  private lastSeq = 0;
  private problem: string | null = null;
  private retryAtMs = 0;
  private isClosed = false;

  constructor(options: RecallOptions) {
    this.options = options;
    this.fs = options.fs ?? { openSync, writeSync };
    this.found = this.read();
    this.attempt(() => this.rewrite(this.found));
  }

  /** Hands over what the last life left: the last entries, oldest first; others' may be missing between. */
  take(): readonly LogEntry[] {
    const { found } = this;
    this.found = [];
    return found;
  }

  /** Adds what comes next. */
  add(entries: readonly LogEntry[]): void {
    const fresh = entries.filter(({ seq }) => seq > this.lastSeq);
    const last = fresh.at(-1);
    if (last === undefined || this.isClosed) return;
    if (this.problem !== null && this.options.clock.monotonicMs() < this.retryAtMs) return;
    this.attempt(() => {
      // What was written last may be torn, and must not swallow what comes now.
      if (this.fd === null) this.rewrite(this.read());
      if (this.written >= limits.eventsRecalled) this.turn();
      this.write(textOf(fresh));
      this.written += fresh.length;
      this.lastSeq = last.seq;
    });
  }

  /** Begins anew; what these entries say is kept beside it, and the answer says where: `null` when it cannot be written. */
  setAside(entries: readonly LogEntry[]): string | null {
    const name = `recall.lost-${entries.at(-1)?.seq ?? 0}`;
    let aside = this.path(name);
    // A log that went on differently comes to the same numbers again.
    for (let more = 2; existsSync(aside); more++) aside = this.path(`${name}-${more}`);
    let isKept = false;
    this.attempt(() => {
      writeFileSync(aside, textOf(entries), { flag: 'wx' });
      isKept = true;
      this.rewrite([]);
    });
    return isKept ? aside : null;
  }

  close(): void {
    this.isClosed = true;
    this.leave();
  }

  private leave(): void {
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }

  private read(): LogEntry[] {
    const entries: LogEntry[] = [];
    for (const name of [older, newest]) {
      const [of, ...lines] = this.text(name).split('\n');
      if (of !== this.options.of) continue;
      for (const line of lines) {
        const entry = readLine(line);
        if (entry !== null && entry.seq > (entries.at(-1)?.seq ?? 0)) entries.push(entry);
      }
    }
    return entries.slice(-limits.eventsRecalled);
  }

  /** All in one file, without a torn end; until it has its place, what was there stays. */
  private rewrite(entries: readonly LogEntry[]): void {
    this.leave();
    const made = this.path('recall.new');
    writeFileSync(made, `${this.options.of}\n${textOf(entries)}`);
    renameSync(made, this.path(newest));
    rmSync(this.path(older), { force: true });
    this.fd = this.fs.openSync(this.path(newest), 'a');
    this.written = entries.length;
    this.lastSeq = entries.at(-1)?.seq ?? 0;
  }

  private turn(): void {
    this.leave();
    if (existsSync(this.path(newest))) renameSync(this.path(newest), this.path(older));
    this.fd = this.fs.openSync(this.path(newest), 'a');
    this.written = 0;
    this.write(`${this.options.of}\n`);
  }

  private write(text: string): void {
    const bytes = Buffer.from(text);
    if (this.fd === null || this.fs.writeSync(this.fd, bytes) !== bytes.length) throw new Error('the disk is full');
  }

  /** A disk that fails costs what it would have kept, never the write itself: Redis has that. */
  private attempt(action: () => void): void {
    const { clock, logger, onProblem } = this.options;
    try {
      action();
      if (this.problem === null) return;
      this.problem = null;
      logger.info('the last events are kept in the folder of this process again', {});
      onProblem(null);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.leave();
      this.retryAtMs = clock.monotonicMs() + limits.tapeRetryMs;
      if (this.problem === why) return;
      this.problem = why;
      logger.error('the last events cannot be kept in the folder of this process', { why });
      onProblem(why);
    }
  }

  private text(name: string): string {
    try {
      return readFileSync(this.path(name), 'utf8');
    } catch {
      return '';
    }
  }

  private path(name: string): string {
    return join(this.options.dir, name);
  }
}
