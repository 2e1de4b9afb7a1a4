/** Keeps snapshots coming: after so much time or so many ticks, one at a time, and one last on close. */
import { EngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import { capture, foldVersion, markAllDirty, takeBack } from '../core/snapshot';
import type { CoreState } from '../core/state';
import type { Health } from './health';
import type { Clock, Logger, Snapshots, Tape } from './ports';

export interface Snapshotter {
  /** Told what happened since, in ticks and in events. */
  moved(ticks: number): void;
  now(): Promise<void>;
  /** Age of the oldest change that no snapshot holds; 0 when all are held, and where another process writes them. */
  ageMs(): number;
  /** The next one holds everything and builds on nothing: another process wrote those before. */
  anew(): void;
  /** From now on none is begun; settles when none is being written. */
  hold(): Promise<void>;
  /** They are written again, the next one as after `anew`. */
  release(): void;
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
  /** Whether this process is the one that writes them. */
  readonly isWriter: () => boolean;
}

/** Since when there is something that no snapshot holds, and none but the one being written. */
class Unsaved {
  private readonly clock: Clock;
  private changedAt: number | null = null;
  private savingFrom: number | null = null;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get isEmpty(): boolean {
    return this.changedAt === null;
  }

  changed(): void {
    this.changedAt ??= this.clock.monotonicMs();
  }

  saving(): void {
    this.savingFrom = this.changedAt;
    this.changedAt = null;
  }

  ended(isSaved: boolean): void {
    if (!isSaved) this.changedAt = this.savingFrom ?? this.changedAt ?? this.clock.monotonicMs();
    this.savingFrom = null;
  }

  ageMs(): number {
    const from = this.savingFrom ?? this.changedAt;
    return from === null ? 0 : this.clock.monotonicMs() - from;
  }
}

export function createSnapshotter(deps: SnapshotterDeps): Snapshotter {
  return new TimedSnapshotter(deps);
}

class TimedSnapshotter implements Snapshotter {
  private readonly deps: SnapshotterDeps;
  private ticks = 0;
  private readonly unsaved: Unsaved;
  /** How often a whole one was asked for, and of these the last that was kept. */
  private asked = 0;
  private kept = 0;
  private isHeld = false;
  private running: Promise<void> | null = null;
  private closed = false;
  private isFailing = false;
  /** The ledger's bytes can be many, and it catches up from the log: it is written less often than the rest. */
  private ledgerDueAt = 0;
  /** Position of the snapshot before the last: the tape from there on is what a fallback needs. */
  private keptPosition = 0;
  private lastPosition = 0;
  private cancel: () => void;

  constructor(deps: SnapshotterDeps) {
    this.deps = deps;
    this.unsaved = new Unsaved(deps.clock);
    this.cancel = deps.clock.after(limits.snapshotMs, () => this.due());
  }

  moved(count: number): void {
    this.unsaved.changed();
    this.ticks += count;
    if (this.ticks >= limits.snapshotTicks) this.due();
  }

  anew(): void {
    this.asked += 1;
    this.unsaved.changed();
  }

  async hold(): Promise<void> {
    this.isHeld = true;
    await this.running?.catch(() => undefined);
  }

  release(): void {
    this.isHeld = false;
    this.anew();
  }

  async now(): Promise<void> {
    if (!this.deps.isWriter()) return;
    if (this.running !== null) await this.running.catch(() => undefined);
    if (this.isHeld) throw new EngineError('ConnectionError', 'the state is being made anew', { retryAfterS: 1 });
    await this.take(true);
  }

  ageMs(): number {
    return this.deps.isWriter() ? this.unsaved.ageMs() : 0;
  }

  close(): void {
    this.closed = true;
    this.cancel();
  }

  private due(): void {
    if (this.closed) return;
    this.cancel();
    this.cancel = this.deps.clock.after(limits.snapshotMs, () => this.due());
    if (!this.deps.isWriter()) this.leave();
    else if (!this.unsaved.isEmpty && !this.isHeld) this.take(false).catch(() => undefined);
  }

  /** What this process could not keep is another one's to keep now. */
  private leave(): void {
    if (!this.isFailing) return;
    this.isFailing = false;
    this.deps.health.report('snapshots', 'up', 'the process that leads writes them');
  }

  private take(withLedger: boolean): Promise<void> {
    this.running ??= this.save(withLedger || this.deps.clock.monotonicMs() >= this.ledgerDueAt).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async save(withLedger: boolean): Promise<void> {
    const { core, snapshots, tape, tapeId, clock, health, logger } = this.deps;
    const { asked } = this;
    const isWhole = asked > this.kept;
    if (isWhole) markAllDirty(core);
    const tapePosition = tape.lastPosition();
    const { dirty, removed } = capture(core, withLedger || isWhole);
    if (withLedger) this.ledgerDueAt = clock.monotonicMs() + limits.ledgerSnapshotMs;
    const meta = { logSeq: core.logSeq, tapePosition, tapeId, foldVersion, atMs: clock.nowMs() };
    this.ticks = 0;
    this.unsaved.saving();
    try {
      await snapshots.save(meta, dirty, removed, isWhole);
      this.unsaved.ended(true);
      this.kept = asked;
      this.isFailing = false;
      this.keptPosition = this.lastPosition;
      this.lastPosition = tapePosition;
      tape.trim(this.keptPosition, clock.nowMs());
      health.report('snapshots', 'up', `last at ${new Date(meta.atMs).toISOString()}`);
    } catch (error) {
      // What was captured as clean is not kept: the next one has to carry it again.
      markAllDirty(core);
      takeBack(core, removed);
      this.ledgerDueAt = 0;
      this.unsaved.ended(false);
      // Every few seconds the same again would only bury what else is said.
      if (!this.isFailing) logger.error('a snapshot could not be kept', { error: String(error) });
      this.isFailing = true;
      health.report('snapshots', 'degraded', 'the last one could not be kept; the log and tape are whole');
      throw error;
    }
  }
}
