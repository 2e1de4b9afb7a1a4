import { limits } from '../../core/domain/limits';
import type { Clock } from '../../live/ports';
import type { TapeFs } from './fs-port';

/**
 * Brings what was written to the disk, in the background and with one sync in flight: a disk that does not answer then
 * costs one thread, and is noticed by how long that one is out.
 */
export class TapeSync {
  private readonly fs: TapeFs;
  private readonly clock: Clock;
  private readonly settled: (error: Error | null) => void;
  private readonly retired: { readonly fd: number; readonly writes: number }[] = [];
  private current: number | null = null;
  private dirty = false;
  private startedMs: number | null = null;
  private cancelTimer: (() => void) | null = null;
  private drained: (() => void) | null = null;
  /** Writes so far: a sync covers all that were made before it began. */
  private writes = 0;
  private readonly waiting = new Set<{ readonly writes: number; readonly settle: (isSafe: boolean) => void }>();
  /** A sync failed while nobody asked. */
  private failedUnheard = false;

  /** `settled` hears of every sync that came back. */
  constructor(fs: TapeFs, clock: Clock, settled: (error: Error | null) => void) {
    this.fs = fs;
    this.clock = clock;
    this.settled = settled;
  }

  /** Files written to the end that are not on the disk yet. */
  get retiring(): number {
    return this.retired.length;
  }

  /** How long the sync in flight has been out, ms; 0 when there is none. */
  outMs(nowMs: number): number {
    return this.startedMs === null ? 0 : nowMs - this.startedMs;
  }

  /** Something was written to `fd`. */
  touch(fd: number): void {
    this.current = fd;
    this.dirty = true;
    this.writes++;
    this.schedule();
  }

  /** `fd` is complete: it is synced once more and closed. */
  retire(fd: number): void {
    if (this.current === fd) this.current = null;
    this.retired.push({ fd, writes: this.writes });
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.start();
  }

  /** Syncs and closes what was retired, without pause. Resolves when nothing is left. */
  drain(): Promise<void> {
    this.cancelTimer?.();
    this.cancelTimer = null;
    return new Promise((resolve) => {
      this.drained = resolve;
      this.start();
    });
  }

  /**
   * Settles once all that was written before is on the disk: `false` when a sync failed since it was last asked for, or
   * the disk does not answer.
   */
  safe(): Promise<boolean> {
    if (this.failedUnheard) {
      this.failedUnheard = false;
      return Promise.resolve(false);
    }
    if (!this.dirty && this.retired.length === 0 && this.startedMs === null) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (isSafe: boolean) => {
        cancel();
        this.waiting.delete(waiter);
        resolve(isSafe);
      };
      const waiter = { writes: this.writes, settle };
      const cancel = this.clock.after(limits.diskStallMs, () => settle(false));
      this.waiting.add(waiter);
    });
  }

  private tell(error: Error | null, writes: number): void {
    if (error && this.waiting.size === 0) this.failedUnheard = true;
    for (const waiter of [...this.waiting]) if (error || waiter.writes <= writes) waiter.settle(!error);
  }

  private schedule(): void {
    if (this.startedMs !== null || this.cancelTimer || this.drained) return;
    this.cancelTimer = this.clock.after(limits.tapeSyncMs, () => {
      this.cancelTimer = null;
      this.start();
    });
  }

  private start(): void {
    // One may be out already: whoever heard of the last one may have retired a file.
    if (this.startedMs !== null) return;
    const retired = this.retired[0];
    const fd = retired?.fd ?? (this.dirty ? this.current : null);
    if (fd === null) {
      this.drained?.();
      return;
    }
    const writes = retired?.writes ?? this.writes;
    if (!retired) this.dirty = false;
    this.startedMs = this.clock.monotonicMs();
    this.fs.fdatasync(fd, (error) => {
      this.startedMs = null;
      if (retired) {
        this.retired.shift();
        this.fs.close(fd, () => {});
      }
      this.settled(error ?? null);
      this.tell(error ?? null, writes);
      if (this.drained || this.retired.length > 0) this.start();
      else if (this.dirty) this.schedule();
    });
  }
}
