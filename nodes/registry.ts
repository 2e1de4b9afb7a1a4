/**
 * What must outlive a redeploy: engines and servers, kept per process under a key. Node-RED closes every node and opens
 * it again; whoever asks for the same thing within the grace gets it as it was, running.
 */
import { createHash } from 'node:crypto';
import { EngineError, limits } from '../src/index';

/** A share in something that is kept. */
export interface Lease<T> {
  readonly value: Promise<T>;
  /** Whether it was opened by another with other settings than asked for; the first one's hold. */
  readonly settingsDiffer: boolean;
  /** The last one to leave has it closed after the grace; with 0 at once, and the promise waits for that. */
  release(graceMs?: number): Promise<void>;
}

interface Entry<T> {
  readonly fingerprint: string;
  readonly value: Promise<T>;
  users: number;
  timer: NodeJS.Timeout | null;
}

/** Of settings, secrets included, so that they need not be kept to be compared. */
export function fingerprint(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex');
}

let goingOn = true;

/** Told by the runtime, before it stops nodes, whether it will start them again. */
export function flowsStopping(willGoOn: boolean): void {
  goingOn = willGoOn;
}

/** False while Node-RED shuts down: nothing is worth keeping then, and everything must be closed in order. */
export function isGoingOn(): boolean {
  return goingOn;
}

/** How long what is released now may wait for its next user. */
export function releaseGraceMs(): number {
  return goingOn ? limits.deployGraceMs : 0;
}

export class Registry<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly closing = new Map<string, Promise<void>>();
  private readonly shut: (value: T) => Promise<void>;

  constructor(shut: (value: T) => Promise<void>) {
    this.shut = shut;
  }

  get size(): number {
    return this.entries.size + this.closing.size;
  }

  /** Shares what lives under `key`, or opens it. One that nobody uses gives way to other settings at once. */
  acquire(key: string, settings: unknown, open: () => Promise<T>): Lease<T> {
    const print = fingerprint(settings);
    const found = this.entries.get(key);
    if (found && (found.users > 0 || found.fingerprint === print)) return this.share(key, found, print);
    if (found) void this.dispose(key, found);
    if (this.size >= limits.sharedEngines)
      throw new EngineError('ConnectionError', `more than ${limits.sharedEngines} engines or servers in one process`);
    const entry: Entry<T> = {
      fingerprint: print,
      value: (this.closing.get(key) ?? Promise.resolve()).then(open),
      users: 0,
      timer: null,
    };
    // One that could not be opened is forgotten, so that asking again tries again.
    entry.value.catch(() => {
      if (this.entries.get(key) === entry) this.entries.delete(key);
    });
    this.entries.set(key, entry);
    return this.share(key, entry, print);
  }

  private share(key: string, entry: Entry<T>, print: string): Lease<T> {
    if (entry.timer) clearTimeout(entry.timer);
    entry.timer = null;
    entry.users++;
    let released = false;
    return {
      value: entry.value,
      settingsDiffer: entry.fingerprint !== print,
      release: async (graceMs = limits.deployGraceMs) => {
        if (released) return;
        released = true;
        entry.users--;
        if (entry.users > 0 || this.entries.get(key) !== entry) return;
        if (graceMs === 0) return this.dispose(key, entry);
        entry.timer = setTimeout(() => void this.dispose(key, entry), graceMs);
      },
    };
  }

  private dispose(key: string, entry: Entry<T>): Promise<void> {
    if (entry.timer) clearTimeout(entry.timer);
    if (this.entries.get(key) === entry) this.entries.delete(key);
    const closed = entry.value.then(this.shut).then(
      () => undefined,
      () => undefined,
    );
    const settled = closed.then(() => {
      if (this.closing.get(key) === settled) this.closing.delete(key);
    });
    this.closing.set(key, settled);
    return settled;
  }
}
