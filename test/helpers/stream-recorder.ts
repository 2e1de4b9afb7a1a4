/** Takes what a stream feed hands over, and keeps it: the cursor is what was taken, as an engine's is. */
import { isLaterEntry } from '../../src/core/domain/tick';
import type { FeedLag, FeedState, Gap, StreamEntry, StreamListener, StreamRefusal } from '../../src/live/ports';

export interface StreamRecorder extends StreamListener {
  readonly taken: StreamEntry[];
  readonly ids: () => string[];
  readonly states: { readonly state: FeedState; readonly message: string }[];
  readonly gaps: Gap[];
  readonly lags: FeedLag[];
  now(): FeedState | undefined;
  /** While set, nothing is taken. */
  refuseWith: Error | null;
  /** Where what is stored ends; `null` is wherever the cursor is. */
  storedUpTo: string | null;
}

/** `cursor` is where an earlier life ended. */
export function streamRecorder(cursor = ''): StreamRecorder {
  const taken: StreamEntry[] = [];
  const states: StreamRecorder['states'] = [];
  const gaps: Gap[] = [];
  const lags: FeedLag[] = [];
  let at = cursor;
  const refusals = (entries: readonly StreamEntry[]): StreamRefusal[] =>
    entries.flatMap(({ id, text, attempts }) =>
      text === null || text.startsWith('bad') ? [{ entry: id, text: text ?? '', reason: 'no data', attempts }] : [],
    );
  const recorder: StreamRecorder = {
    taken,
    ids: () => taken.map(({ id }) => id),
    states,
    gaps,
    lags,
    refuseWith: null,
    storedUpTo: null,
    now: () => states.at(-1)?.state,
    cursor: () => at,
    async take(entries) {
      if (recorder.refuseWith !== null) throw recorder.refuseWith;
      const fresh = entries.filter(({ id }) => isLaterEntry(id, at));
      taken.push(...fresh);
      at = fresh.at(-1)?.id ?? at;
      return refusals(fresh);
    },
    refusals,
    stored: async () => recorder.storedUpTo ?? at,
    state: (state, message) => void states.push({ state, message }),
    gap: (gap) => void gaps.push(gap),
    lag: (lag) => void lags.push(lag),
  };
  return recorder;
}
