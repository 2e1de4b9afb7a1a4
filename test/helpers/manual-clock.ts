import type { Clock } from '../../src/live/ports';

/** A clock that moves only when the test says so, and then fires the timers that are due, in order. */
export interface ManualClock extends Clock {
  /** Moves calendar and monotonic time together and fires what falls due on the way. */
  advance(ms: number): void;
  /** Steps the calendar alone, forwards or backwards, as a time server does. */
  setNow(nowMs: number): void;
  /** Timers not fired yet. */
  pending(): number;
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let nowMs = startMs;
  let monotonicMs = 0;
  let order = 0;
  const timers = new Set<Timer>();
  const due = (untilMs: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.atMs > untilMs) continue;
      if (!first || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) first = timer;
    }
    return first;
  };
  return {
    nowMs: () => nowMs,
    monotonicMs: () => monotonicMs,
    after(delayMs, callback) {
      const timer = { atMs: monotonicMs + Math.max(0, delayMs), order: order++, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const until = monotonicMs + ms;
      for (let timer = due(until); timer; timer = due(until)) {
        timers.delete(timer);
        nowMs += timer.atMs - monotonicMs;
        monotonicMs = timer.atMs;
        timer.callback();
      }
      nowMs += until - monotonicMs;
      monotonicMs = until;
    },
    setNow(value) {
      nowMs = value;
    },
    pending: () => timers.size,
  };
}
