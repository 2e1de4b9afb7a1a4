import {
  closeSync,
  futimes,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Clock } from '../../live/ports';

/** Who holds a store: enough to tell a living owner from a dead one whose pid was given to somebody else. */
interface Owner {
  readonly pid: number;
  /** When the process started, in the kernel's ticks since boot; empty where it cannot be known. */
  readonly start: string;
  readonly boot: string;
  /** Pids mean something only inside their namespace (a container has its own). */
  readonly namespace: string;
  readonly nonce: string;
}

export interface OwnerLock {
  /** Whether the lock file is still the one we wrote: somebody may have taken over while we were suspended. */
  isOurs(): boolean;
  release(): void;
}

type Verdict = 'alive' | 'dead' | 'unknown';

function readOr(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

/** State and start of a process as Linux tells them: fields 3 and 22, counted behind the name, which may hold anything. */
function processStat(pid: number): { readonly state: string; readonly start: string } {
  const text = readOr(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? '' };
}

function self(): Owner {
  return {
    pid: process.pid,
    start: processStat(process.pid).start,
    boot: readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')),
    namespace: readOr(() => readlinkSync('/proc/self/ns/pid')),
    nonce: `${process.pid}-${process.hrtime.bigint()}`,
  };
}

function parseOwner(text: string): Owner | null {
  try {
    const owner = JSON.parse(text) as Owner;
    return typeof owner?.pid === 'number' && owner.pid > 0 ? owner : null;
  } catch {
    return null;
  }
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What can be said about the owner from here; `unknown` leaves it to whether the lock is still being touched. */
function judge(owner: Owner | null, us: Owner): Verdict {
  if (!owner) return 'unknown';
  if (owner.boot !== '' && us.boot !== '' && owner.boot !== us.boot) return 'dead';
  if (owner.namespace !== us.namespace) return 'unknown';
  if (!pidExists(owner.pid)) return 'dead';
  if (owner.start === '' || us.start === '') return 'unknown';
  const now = processStat(owner.pid);
  return now.start === owner.start && now.state !== 'Z' ? 'alive' : 'dead';
}

function inUse(path: string, owner: Owner | null): EngineError {
  const who = owner ? `process ${owner.pid}` : 'another process';
  return new EngineError(
    'ConnectionError',
    `the store at "${path}" is in use by ${who}; stop it or give this engine a path of its own`,
    { retryAfterS: Math.ceil(limits.lockStaleMs / 1_000) },
  );
}

function tryCreate(file: string, us: Owner): number | null {
  try {
    const fd = openSync(file, 'wx');
    writeSync(fd, JSON.stringify(us));
    return fd;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  }
}

/** Removes a dead owner's lock unless it changed hands since it was judged; then nothing is removed. */
function removeStale(file: string, judged: string, us: Owner): void {
  const aside = `${file}.${us.nonce}`;
  try {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8') === judged) unlinkSync(aside);
    else renameSync(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function hold(file: string, fd: number, clock: Clock): OwnerLock {
  const inode = statSync(file).ino;
  let cancel: () => void = () => {};
  const beat = (): void => {
    const now = clock.nowMs() / 1_000;
    futimes(fd, now, now, () => {});
    cancel = clock.after(limits.lockBeatMs, beat);
  };
  beat();
  const isOurs = (): boolean => {
    try {
      return statSync(file).ino === inode;
    } catch {
      return false;
    }
  };
  return {
    isOurs,
    release() {
      cancel();
      try {
        if (isOurs()) unlinkSync(file);
        closeSync(fd);
      } catch {
        // The process goes away or the directory did: a lock left behind is taken over as a dead owner's.
      }
    },
  };
}

/**
 * Makes this process the only owner of the directory. A lock left by a dead process (killed, rebooted, pid given to
 * another) is taken over; a living owner is a `ConnectionError` that names the path and the process. Where the pid says
 * nothing (another container, no `/proc`), an owner that did not touch its lock for `limits.lockStaleMs` is dead.
 */
export async function acquireOwnerLock(directory: string, clock: Clock): Promise<OwnerLock> {
  const file = join(directory, 'owner.lock');
  const us = self();
  const rounds = Math.ceil(limits.lockStaleMs / limits.lockBeatMs) + 1;
  for (let round = 0; round <= rounds; round++) {
    const fd = tryCreate(file, us);
    if (fd !== null) return hold(file, fd, clock);
    const text = readOr(() => readFileSync(file, 'utf8'));
    const owner = parseOwner(text);
    let verdict = judge(owner, us);
    if (verdict === 'alive') throw inUse(directory, owner);
    if (verdict === 'unknown') {
      const touchedMs = Number(readOr(() => String(statSync(file).mtimeMs)));
      if (clock.nowMs() - touchedMs > limits.lockStaleMs) verdict = 'dead';
      else await new Promise<void>((resolve) => clock.after(limits.lockBeatMs, resolve));
    }
    if (verdict === 'dead') removeStale(file, text, us);
  }
  throw inUse(directory, parseOwner(readOr(() => readFileSync(file, 'utf8'))));
}
