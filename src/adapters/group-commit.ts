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

class CallQueue implements GroupCommit {
  private readonly clock: Clock;
  private readonly commit: GroupCommitOptions['commit'];
  private readonly waiting = new Set<Call>();
  private readonly idle: (() => void)[] = [];
  private inFlight = false;
  private scheduled = false;
  private closed = false;

  constructor(options: GroupCommitOptions) {
    this.clock = options.clock;
    this.commit = options.commit;
  }

  append(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    if (this.closed) return Promise.reject(refused('the store is closed'));
    if (events.length === 0) return Promise.resolve([]);
    if (events.length > limits.eventsPerAppend)
      return Promise.reject(valueError('events', `must be at most ${limits.eventsPerAppend}`, events.length));
    if (this.waiting.size >= limits.appendsWaiting)
      return Promise.reject(refused(`the store is behind: ${this.waiting.size} writes are waiting`));
    return new Promise((resolve, reject) => {
      const cancelDeadline = this.clock.after(limits.storeMs, () => {
        this.waiting.delete(call);
        const message = `the store did not answer within ${limits.storeMs} ms`;
        reject(new EngineError('TimeoutError', message, { retryAfterS: 1 }));
      });
      const call: Call = { events, resolve, reject, cancelDeadline };
      this.waiting.add(call);
      this.schedule();
    });
  }

  async close(): Promise<boolean> {
    this.closed = true;
    if (!this.inFlight && !this.scheduled && this.waiting.size === 0) return true;
    const settled = await new Promise<boolean>((resolve) => {
      const cancel = this.clock.after(limits.closeMs, () => resolve(false));
      this.idle.push(() => {
        cancel();
        resolve(true);
      });
    });
    for (const call of this.waiting) {
      this.waiting.delete(call);
      call.cancelDeadline();
      call.reject(refused('the store is closed'));
    }
    return settled;
  }

  private schedule(): void {
    if (this.scheduled || this.inFlight) return;
    this.scheduled = true;
    // After the sockets were read, so that callers who arrive together are written together.
    setImmediate(() => {
      this.scheduled = false;
      void this.run();
    });
  }

  private takeGroup(): Call[] {
    const group: Call[] = [];
    let events = 0;
    for (const call of this.waiting) {
      events += call.events.length;
      if (events > limits.eventsPerAppend) break;
      group.push(call);
      this.waiting.delete(call);
    }
    return group;
  }

  private async run(): Promise<void> {
    const group = this.takeGroup();
    if (group.length > 0) await this.write(group);
    if (this.waiting.size > 0) this.schedule();
    else for (const resolve of this.idle.splice(0)) resolve();
  }

  private async write(group: readonly Call[]): Promise<void> {
    this.inFlight = true;
    try {
      const outcomes = await this.commit(group.flatMap((call) => call.events));
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
    this.inFlight = false;
  }
}

/** Gathers the appends of many callers into few writes, one in flight at a time. */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  return new CallQueue(options);
}
