/** How late the event loop runs: every timer, socket and request of this process waits as long. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoopLag } from '../../live/ports';

/** The monitor's timer: short against what matters, and fifty wake-ups a second cost nothing. */
const resolutionMs = 20;

export function createLoopLag(): LoopLag {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  /** What is measured is the time between two of its timers. */
  const late = (ns: number) => (histogram.count === 0 ? 0 : Math.max(0, ns / 1e6 - resolutionMs));
  return {
    take() {
      const lag = { p99Ms: late(histogram.percentile(99)), maxMs: late(histogram.max) };
      histogram.reset();
      return lag;
    },
    close() {
      histogram.disable();
    },
  };
}
