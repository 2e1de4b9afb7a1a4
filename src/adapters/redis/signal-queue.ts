/** Signals on their way out: first in, first out, bounded by count and by age. */

import { limits } from '../../core/domain/limits';
import type { Signal } from '../../core/domain/signal';

/** What became of a signal; `fenced`: another process speaks for the engine. */
export type SignalOutcome = 'published' | 'duplicate' | 'shed' | 'stale' | 'fenced';

export interface WaitingSignal {
  readonly signalId: string;
  readonly text: string;
  /** Monotonic time at which it is too old to be sent. */
  readonly expiresAtMs: number;
  /** A call that carried it ended without an answer, so it may be out already. */
  attempted: boolean;
  readonly settle: (outcome: SignalOutcome) => void;
}

/**
 * How long a signal may wait, in ms. Its validity runs from when it was handed over, not against the calendar: a signal
 * of historical data has a `valid_until` long past and is not old.
 */
export function waitableMs(signal: Signal): number {
  if (signal.validUntilMs === null) return limits.signalWaitMs;
  return Math.max(0, signal.validUntilMs - signal.timestampMs);
}

export class SignalQueue {
  private readonly waiting: WaitingSignal[] = [];

  get length(): number {
    return this.waiting.length;
  }

  /** Adds one; at the bound the oldest makes room. */
  push(signal: WaitingSignal): void {
    if (this.waiting.length >= limits.signalsWaiting) this.waiting.shift()?.settle('shed');
    this.waiting.push(signal);
  }

  /** Takes up to a call's worth from the front, dropping what became too old. */
  take(nowMs: number): WaitingSignal[] {
    this.dropStale(nowMs);
    return this.waiting.splice(0, limits.signalsPerPublish);
  }

  /** Puts back what could not be sent, before everything else; past the bound the oldest are shed. */
  putBack(signals: readonly WaitingSignal[]): void {
    this.waiting.unshift(...signals);
    const over = Math.max(0, this.waiting.length - limits.signalsWaiting);
    for (const signal of this.waiting.splice(0, over)) signal.settle('shed');
  }

  dropStale(nowMs: number): void {
    let kept = 0;
    for (const signal of this.waiting) {
      if (nowMs > signal.expiresAtMs) signal.settle('stale');
      else this.waiting[kept++] = signal;
    }
    this.waiting.length = kept;
  }

  clear(): void {
    for (const signal of this.waiting.splice(0)) signal.settle('shed');
  }
}
