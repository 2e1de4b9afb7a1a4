import { EngineError, valueError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import type { NewEvent } from '../core/domain/log-event';
import type { AppendOutcome, Clock } from '../live/ports';

export interface GroupCommitOptions {
  readonly clock: Clock;
  /**
   * Writes at most `limits.eventsPerAppend` events and answers one outcome for each once they are durable. Never called
   * again before the answer, so a store that does not answer is not piled up on.
   */
  readonly commit: (events: readonly NewEvent[]) => Promise<readonly AppendOutcome[]>;
}

export interface GroupCommit {
  /** As `EventLog.append`: settles within `limits.storeMs` whatever the store does. */
  append(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]>;
  /** Takes no more, lets what waits be written, and answers whether nothing is left in flight after `limits.closeMs`. */
  close(): Promise<boolean>;
}

interface Call {
  readonly events: readonly NewEvent[];
  readonly resolve: (outcomes: readonly AppendOutcome[]) => void;
  readonly reject: (error: EngineError) => void;
  readonly cancelDeadline: () => void;
}

const refused = (message: string): EngineError => new EngineError('ConnectionError', message, { retryAfterS: 1 });

function asStoreError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  return new EngineError('ConnectionError', 'the store could not write', { retryAfterS: 1, cause: thrown });
}

/** Gathers the appends of many callers into few writes, one in flight at a time. */
export function createGroupCommit({ clock, commit }: GroupCommitOptions): GroupCommit {
  const waiting = new Set<Call>();
  const idle: (() => void)[] = [];
  let inFlight = false;
  let scheduled = false;
  let closed = false;

  function takeGroup(): Call[] {
    const group: Call[] = [];
    let events = 0;
    for (const call of waiting) {
      events += call.events.length;
      if (events > limits.eventsPerAppend) break;
      group.push(call);
      waiting.delete(call);
    }
    return group;
  }

  function schedule(): void {
    if (scheduled || inFlight) return;
    scheduled = true;
    // After the sockets were read, so that callers who arrive together are written together.
    setImmediate(() => {
      scheduled = false;
      void run();
    });
  }

  async function run(): Promise<void> {
    const group = takeGroup();
    if (group.length > 0) {
      inFlight = true;
      try {
        const outcomes = await commit(group.flatMap((call) => call.events));
        let at = 0;
        for (const call of group) {
          call.resolve(outcomes.slice(at, at + call.events.length));
          at += call.events.length;
        }
      } catch (thrown) {
        const error = asStoreError(thrown);
        for (const call of group) call.reject(error);
      }
      for (const call of group) call.cancelDeadline();
      inFlight = false;
    }
    if (waiting.size > 0) schedule();
    else for (const resolve of idle.splice(0)) resolve();
  }

  function append(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    if (closed) return Promise.reject(refused('the store is closed'));
    if (events.length === 0) return Promise.resolve([]);
    if (events.length > limits.eventsPerAppend)
      return Promise.reject(valueError('events', `must be at most ${limits.eventsPerAppend}`, events.length));
    if (waiting.size >= limits.appendsWaiting)
      return Promise.reject(refused(`the store is behind: ${waiting.size} writes are waiting`));
    return new Promise((resolve, reject) => {
      const cancelDeadline = clock.after(limits.storeMs, () => {
        waiting.delete(call);
        reject(
          new EngineError('TimeoutError', `the store did not answer within ${limits.storeMs} ms`, { retryAfterS: 1 }),
        );
      });
      const call: Call = { events, resolve, reject, cancelDeadline };
      waiting.add(call);
      schedule();
    });
  }

  async function close(): Promise<boolean> {
    closed = true;
    if (!inFlight && !scheduled && waiting.size === 0) return true;
    const settled = await new Promise<boolean>((resolve) => {
      const cancel = clock.after(limits.closeMs, () => resolve(false));
      idle.push(() => {
        cancel();
        resolve(true);
      });
    });
    for (const call of waiting) {
      waiting.delete(call);
      call.cancelDeadline();
      call.reject(refused('the store is closed'));
    }
    return settled;
  }

  return { append, close };
}
