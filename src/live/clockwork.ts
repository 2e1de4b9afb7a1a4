/** The engine's heartbeat: tells the time to quiet symbols, and keeps the tape's health in view. */
import { isTimeDue } from '../core/engine';
import type { CoreState } from '../core/state';
import type { Health } from './health';
import type { MarketRun } from './market-run';
import type { Clock, Tape } from './ports';

/** A quarter of the shortest bar: a bar of a quiet market closes at most this late. */
const beatMs = 250;

export function startClockwork(
  core: CoreState,
  run: MarketRun,
  tape: Tape,
  health: Health,
  clock: Clock,
): { stop(): void } {
  let stopped = false;
  let cancel = clock.after(beatMs, beat);

  function beat(): void {
    if (stopped) return;
    const nowMs = clock.nowMs();
    if (isTimeDue(core, nowMs)) run.advance(nowMs, 'live');
    const state = tape.health();
    health.report('tape', state.health, state.message);
    cancel = clock.after(beatMs, beat);
  }

  return {
    stop() {
      stopped = true;
      cancel();
    },
  };
}
