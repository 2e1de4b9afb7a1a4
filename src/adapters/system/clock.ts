import type { Clock } from '../../live/ports';

/** The longest delay a timer of the runtime takes; longer ones would fire at once. */
const timerMaxMs = 2_147_483_647;

/** The machine's time. Timers never keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), timerMaxMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
