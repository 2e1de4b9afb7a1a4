/** What is taken out of a store, and what is put into an empty one, each checked on its way. */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent } from '../../core/domain/log-event';
import type { CoreState } from '../../core/state';
import type { Snapshot } from '../ports';
import { createLogCheck, type LogCheck } from './log-check';
import type { VerifiableStore } from './verifiable';
import type { Progress } from './verify';

export interface Taken {
  readonly snapshot: Snapshot | null;
  /** The events up to here; later ones are not of it. */
  readonly lastSeq: number;
  /** In pages. Rejects at the first event that does not fit those before it. */
  readonly events: AsyncIterable<readonly LogEvent[]>;
  /** What the events handed out so far fold to. */
  readonly core: CoreState;
}

/** The store as it is now, whoever goes on writing to it: its newest whole snapshot, and all events up to now. */
export async function take(store: VerifiableStore, progress: Progress): Promise<Taken> {
  const snapshot = await newestOf(store);
  const lastSeq = await store.log.lastSeq();
  const check = createLogCheck();
  async function* events(): AsyncGenerator<readonly LogEvent[]> {
    while (check.events < lastSeq) {
      const page = await store.log.read(check.events, Math.min(limits.eventsPerPage, lastSeq - check.events));
      if (page.length === 0) throw unfit(`event ${check.events + 1} of the log is missing`);
      takeAll(check, page);
      yield page;
      progress(check.events, lastSeq, 'events');
    }
  }
  return { snapshot, lastSeq, events: events(), core: check.core };
}

/** Asked again where there is none: its owner may have replaced every set while they were read. */
async function newestOf(store: VerifiableStore): Promise<Snapshot | null> {
  for (let reading = 0; reading < 3; reading++) {
    for await (const { snapshot } of store.sets()) if (snapshot !== null) return snapshot;
  }
  return null;
}

/** Hands the pages on; rejects at the first event that does not fit those before it. */
export function takeAll(check: LogCheck, page: readonly LogEvent[]): void {
  for (const event of page) check.take(event);
  const { numbering, versions, ids, chain } = check.found;
  const problem = numbering ?? versions ?? ids ?? chain;
  if (problem !== null) throw unfit(problem);
}

export function unfit(problem: string): EngineError {
  return new EngineError('ValueError', `it is damaged: ${problem}`);
}
