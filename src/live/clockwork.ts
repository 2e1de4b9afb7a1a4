/** The engine's heartbeat: tells the time to quiet symbols, and keeps the tape's health in view. */
import { limits } from '../core/domain/limits';
import { isTimeDue } from '../core/engine';
import type { CoreState } from '../core/state';
import type { Health } from './health';
import type { Intake } from './intake';
import type { MarketRun } from './market-run';
import type { Clock, Logger, Tape } from './ports';

/** A quarter of the shortest bar: a bar of a quiet market closes at most this late. */
const beatMs = 250;

/** What the heart of an engine is connected to. */
export interface ClockworkDeps {
  readonly core: CoreState;
  readonly run: MarketRun;
  readonly intake: Pick<Intake, 'oldestArrivalMs'>;
  readonly tape: Tape;
  readonly health: Health;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Starts the heart. When the calendar steps (against the monotonic clock), that is told, and for a while no time is:
 * a symbol whose ticks do not agree with the new calendar says so with its next one, and is then left to its own time.
 */
export function startClockwork(deps: ClockworkDeps): { stop(): void } {
  const { core, run, intake, tape, health, clock, logger } = deps;
  let stopped = false;
  let offsetMs = clock.nowMs() - clock.monotonicMs();
  let trustedAt = 0;
  let beatAt = clock.monotonicMs();
  let cancel = clock.after(beatMs, beat);

  function noticeStep(): void {
    const nowOffsetMs = clock.nowMs() - clock.monotonicMs();
    const stepMs = nowOffsetMs - offsetMs;
    if (Math.abs(stepMs) < limits.clockStepMs) return;
    offsetMs = nowOffsetMs;
    trustedAt = clock.monotonicMs() + limits.clockStepHoldMs;
    const text = `the clock was set ${stepMs > 0 ? 'forward' : 'back'} by ${(Math.abs(stepMs) / 1_000).toFixed(1)} s`;
    health.alert('clock_step', 'warning', 'clock', text);
  }

  function tellTime(): void {
    noticeStep();
    const at = clock.monotonicMs();
    // A loop that stood still has messages before it that came in time: they are read first.
    const isLate = at - beatAt > beatMs + limits.beatLateMs;
    beatAt = at;
    const nowMs = Math.min(clock.nowMs(), intake.oldestArrivalMs() ?? Number.POSITIVE_INFINITY);
    if (!isLate && at >= trustedAt && isTimeDue(core, nowMs)) run.advance(nowMs, 'live');
    const state = tape.health();
    health.report('tape', state.health, state.message);
    health.beat();
  }

  function beat(): void {
    if (stopped) return;
    try {
      tellTime();
    } catch (error) {
      // A defect of ours; nothing may leave a callback of the loop, and the heart goes on.
      logger.error('the time could not be told', { error: String(error) });
    }
    cancel = clock.after(beatMs, beat);
  }

  return {
    stop() {
      stopped = true;
      cancel();
    },
  };
}
