/**
 * Who tells signals. The process that leads tells them at once; a standby makes the same ones and keeps silent, and when
 * it takes over it tells those that the one before may not have got out any more, each once.
 */
import { limits } from '../core/domain/limits';
import type { Signal } from '../core/domain/signal';
import type { Listeners } from './listeners';
import type { Clock, Lease, Output } from './ports';

export interface SpeakerDeps {
  readonly lease: Lease;
  readonly outputs: readonly Output[];
  readonly listeners: Pick<Listeners, 'emit'>;
  readonly clock: Clock;
  readonly failed: (output: Output, error: unknown) => void;
}

export interface Speaker {
  isSpeaking(): boolean;
  /** Tells them, or keeps them; answers whether they were told. */
  say(signals: readonly Signal[]): boolean;
  /** Called when this process has begun to lead. */
  takeOver(): Promise<void>;
}

interface Kept {
  readonly signal: Signal;
  readonly keptMs: number;
}

/** The one before may have died this long after it was last heard. */
const unsureMs = limits.leaseBeatMs * 2;

export function createSpeaker(deps: SpeakerDeps): Speaker {
  const { lease, outputs, listeners, clock } = deps;
  let kept: Kept[] = [];

  function keep(signals: readonly Signal[]): void {
    const keptMs = clock.nowMs();
    for (const signal of signals) kept.push({ signal, keptMs });
    const fromMs = keptMs - limits.unspokenMs;
    if (kept.length > limits.unspokenSignals || (kept[0]?.keptMs ?? keptMs) < fromMs)
      kept = kept.filter((one) => one.keptMs >= fromMs).slice(-limits.unspokenSignals);
  }

  /** Whether any output has it only now; without outputs nobody can know, and it is told. */
  async function publishAlone(signal: Signal): Promise<boolean> {
    if (outputs.length === 0) return true;
    const answers = await Promise.all(
      outputs.map((output) =>
        output.publish([signal]).then(
          ({ published, duplicates }) => published > 0 || duplicates === 0,
          (error: unknown) => {
            deps.failed(output, error);
            return true;
          },
        ),
      ),
    );
    return answers.includes(true);
  }

  return {
    isSpeaking: () => lease.role() === 'leader',
    say(signals) {
      const speaks = lease.role() === 'leader';
      // Nearly every batch says nothing; outputs are not called for it.
      if (signals.length === 0) return speaks;
      if (!speaks) {
        keep(signals);
        return false;
      }
      for (const signal of signals) listeners.emit('signal', signal);
      for (const output of outputs) output.publish(signals).catch((error: unknown) => deps.failed(output, error));
      return true;
    },
    async takeOver() {
      const due = kept;
      kept = [];
      const nowMs = clock.nowMs();
      const fromMs = Math.max(nowMs - limits.unspokenMs, (lease.predecessorMs() ?? 0) - unsureMs);
      for (const { signal, keptMs } of due) {
        if (keptMs < fromMs || isOld(signal, nowMs - keptMs)) continue;
        if (await publishAlone(signal)) listeners.emit('signal', signal);
      }
    },
  };
}

/** Its validity runs from when it was made, whatever the time of its data. */
function isOld({ validUntilMs, timestampMs }: Signal, ageMs: number): boolean {
  return validUntilMs !== null && ageMs > validUntilMs - timestampMs;
}

/** Of an engine that no other process can share. */
export const soleLease: Lease = {
  start: async () => undefined,
  role: () => 'leader',
  message: () => 'leads: no other process can hold this store',
  predecessorMs: () => null,
  close: async () => undefined,
};
