/** Rates over the recent past, in fixed slots: ticks per second, and the share of requests that were our failure. */
import type { Clock } from './ports';

const slots = 60;
const slotMs = 5_000;
/** Ticks per second are told over the last two whole slots. */
const tickSlots = 2;

export interface Rates {
  ticks(count: number): void;
  request(httpStatus: number): void;
  ticksPerS(): number;
  /** 5xx over all, in the last five minutes; 0 without requests. */
  errorRate(): number;
}

export function createRates(clock: Clock): Rates {
  const ticks = new Float64Array(slots);
  const requests = new Float64Array(slots);
  const failures = new Float64Array(slots);
  let current = Math.floor(clock.monotonicMs() / slotMs);

  /** Moves to the present slot, emptying those skipped. */
  function roll(): number {
    const now = Math.floor(clock.monotonicMs() / slotMs);
    for (let i = Math.max(current + 1, now - slots + 1); i <= now; i++) {
      ticks[i % slots] = 0;
      requests[i % slots] = 0;
      failures[i % slots] = 0;
    }
    current = Math.max(current, now);
    return current % slots;
  }

  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);

  return {
    ticks(count) {
      const at = roll();
      ticks[at] = (ticks[at] as number) + count;
    },
    request(httpStatus) {
      const at = roll();
      requests[at] = (requests[at] as number) + 1;
      if (httpStatus >= 500) failures[at] = (failures[at] as number) + 1;
    },
    ticksPerS() {
      roll();
      let sum = 0;
      for (let i = 1; i <= tickSlots; i++) sum += ticks[(current - i + slots) % slots] as number;
      return sum / ((tickSlots * slotMs) / 1_000);
    },
    errorRate() {
      roll();
      const all = total(requests);
      return all === 0 ? 0 : total(failures) / all;
    },
  };
}
