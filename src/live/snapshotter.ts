/** Keeps snapshots coming: after so much time or so many ticks, one at a time, and one last on close. */
import { limits } from '../core/domain/limits';
import { capture, foldVersion, markAllDirty, takeBack } from '../core/snapshot';
import type { CoreState } from '../core/state';
import type { Health } from './health';
import type { Clock, Logger, Snapshots, Tape } from './ports';

export interface Snapshotter {
  /** Told what happened since, in ticks and in events. */
  moved(ticks: number): void;
  now(): Promise<void>;
  close(): void;
}

export interface SnapshotterDeps {
  readonly core: CoreState;
  readonly snapshots: Snapshots;
  readonly tape: Tape;
  readonly tapeId: string;
  readonly clock: Clock;
  readonly health: Health;
  readonly logger: Logger;
}

export function createSnapshotter(deps: SnapshotterDeps): Snapshotter {
  const { core, snapshots, tape, tapeId, clock, health, logger } = deps;
  let ticks = 0;
  let changed = false;
  let running: Promise<void> | null = null;
  let closed = false;
  /** The ledger's bytes can be many, and it catches up from the log: it is written less often than the rest. */
  let ledgerDueAt = 0;
  /** Position of the snapshot before the last: the tape from there on is what a fallback needs. */
  let keptPosition = 0;
  let lastPosition = 0;
  let cancel = clock.after(limits.snapshotMs, due);

  function due(): void {
    if (closed) return;
    cancel();
    cancel = clock.after(limits.snapshotMs, due);
    if (changed) take(false).catch(() => undefined);
  }

  function take(isWhole: boolean): Promise<void> {
    running ??= save(isWhole || clock.monotonicMs() >= ledgerDueAt).finally(() => {
      running = null;
    });
    return running;
  }

  async function save(withLedger: boolean): Promise<void> {
    const tapePosition = tape.lastPosition();
    const { dirty, removed } = capture(core, withLedger);
    if (withLedger) ledgerDueAt = clock.monotonicMs() + limits.ledgerSnapshotMs;
    const meta = { logSeq: core.logSeq, tapePosition, tapeId, foldVersion, atMs: clock.nowMs() };
    ticks = 0;
    changed = false;
    try {
      await snapshots.save(meta, dirty, removed);
      keptPosition = lastPosition;
      lastPosition = tapePosition;
      tape.trim(keptPosition, clock.nowMs());
      health.report('snapshots', 'up', `last at ${new Date(meta.atMs).toISOString()}`);
    } catch (error) {
      // What was captured as clean is not kept: the next one has to carry it again.
      markAllDirty(core);
      takeBack(core, removed);
      ledgerDueAt = 0;
      changed = true;
      logger.error('a snapshot could not be kept', { error: String(error) });
      health.report('snapshots', 'degraded', 'the last one could not be kept; the log and tape are whole');
      throw error;
    }
  }

  return {
    moved(count) {
      changed = true;
      ticks += count;
      if (ticks >= limits.snapshotTicks) due();
    },
    async now() {
      if (running !== null) await running.catch(() => undefined);
      await take(true);
    },
    close() {
      closed = true;
      cancel();
    },
  };
}
