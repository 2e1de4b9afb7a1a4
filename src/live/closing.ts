/** The end of a living engine: calls under way are let finish, all is kept and closed, and none of it takes for ever. */
import { EngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import type { EngineDeps } from './engine-deps';
import type { Intake } from './intake';
import type { MarketRun } from './market-run';
import type { Clock } from './ports';
import type { Snapshotter } from './snapshotter';

export interface Calls {
  /** The verb while the engine is open; afterwards it refuses with `ConnectionError`. */
  open<A extends readonly unknown[], R>(verb: (...given: A) => Promise<R>): (...given: A) => Promise<R>;
  /** From now on calls are refused. Settles when those under way have. */
  refuse(): Promise<void>;
}

/** Keeps count of the calls under way. */
export function createCalls(): Calls {
  const underWay = new Set<Promise<unknown>>();
  let isRefusing = false;
  return {
    open:
      (verb) =>
      async (...given) => {
        if (isRefusing) throw new EngineError('ConnectionError', 'the engine is closed', { retryAfterS: 1 });
        const call = verb(...given);
        underWay.add(call);
        try {
          return await call;
        } finally {
          underWay.delete(call);
        }
      },
    async refuse() {
      isRefusing = true;
      await Promise.allSettled(underWay);
    },
  };
}

export interface ClosingParts {
  readonly deps: EngineDeps;
  readonly calls: Calls;
  readonly clockwork: { stop(): void };
  readonly stopFollowing: () => void;
  readonly intake: Intake;
  readonly run: MarketRun;
  readonly snapshotter: Snapshotter;
  readonly listeners: { clear(): void };
}

/**
 * Drain, keep, close: after this a new start has nothing to replay. Half of `limits.closeMs` may go into what is under
 * way and the last snapshot (without it the next start replays), the rest into closing; what hangs is left behind, and
 * one that fails keeps no other from being closed.
 */
export async function closeEngine(parts: ClosingParts): Promise<void> {
  const { deps, calls, intake, run, snapshotter } = parts;
  const { clock, logger } = deps;
  const startedAt = clock.monotonicMs();
  const until = (share: number) => startedAt + limits.closeMs * share;
  const step = async (name: string, share: number, act: () => Promise<unknown>) => {
    const isDone = await within(clock, until(share) - clock.monotonicMs(), act, (error) =>
      logger.warn('closing goes on without', { step: name, error: String(error) }),
    );
    if (!isDone) logger.warn('closing goes on without', { step: name, error: 'it takes too long' });
  };
  parts.clockwork.stop();
  parts.stopFollowing();
  await step('calls under way', 0.25, () => calls.refuse());
  intake.drainAll();
  intake.close();
  run.markLog();
  await step('the last snapshot', 0.5, () => snapshotter.now());
  snapshotter.close();
  await step('outputs', 0.7, () => Promise.all(deps.outputs.map((output) => output.close())));
  await step('the tape', 0.8, () => deps.tape.close());
  for (const close of deps.closing) await step('the store', 1, close);
  parts.listeners.clear();
}

/** Whether the act settled in time; its failure goes to `failed` and counts as settled. */
async function within(
  clock: Clock,
  ms: number,
  act: () => Promise<unknown>,
  failed: (error: unknown) => void,
): Promise<boolean> {
  let cancel = (): void => undefined;
  const deadline = new Promise<boolean>((resolve) => {
    cancel = clock.after(Math.max(0, ms), () => resolve(false));
  });
  const settled = act().then(
    () => true,
    (error: unknown) => {
      failed(error);
      return true;
    },
  );
  const isDone = await Promise.race([settled, deadline]);
  cancel();
  return isDone;
}
