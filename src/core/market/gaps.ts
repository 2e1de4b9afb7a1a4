/**
 * Numbers missing from a producer's `seq`: the one proof of loss that a feed without replay can give.
 *
 * A producer counts either over its whole feed or per symbol. While a source has sent one symbol there is no difference.
 * When the second appears the source is taken for a feed counter if its number goes on above the highest so far, else
 * for per-symbol counters; a source that shows itself to be of the other kind afterwards is corrected: a number that
 * went back over the feed but follows its symbol's last, or three that follow the feed's but not their symbol's.
 *
 * A gap is reported once it is older than the lateness of live doors, so numbers that only came in another order are not
 * called lost. A counter that starts again (back to 0 or 1, or by more than `limits.sequenceBack`) is reported with
 * `lost: null`: what was lost in between cannot be known.
 */
import { limits } from '../domain/limits';
import type { StateReader, StateWriter } from '../domain/state-codec';

/** A stretch of missing numbers. */
export interface SequenceGap {
  readonly source: string;
  /** The symbol whose counter it is; `null` when the source counts over its whole feed. */
  readonly symbol: string | null;
  /** Messages missing; `null` when the counter started again. */
  readonly lost: number | null;
  /** Event times of the last message before and the first after it. */
  readonly fromMs: number;
  readonly toMs: number;
}

interface Counter {
  last: number;
  lastMs: number;
  /** The open gap: numbers `[first, end)`, of which `missing` have not come; 0 = none open. */
  missing: number;
  first: number;
  end: number;
  fromMs: number;
  toMs: number;
}

interface SourceSequence {
  mode: 'single' | 'feed' | 'symbol';
  /** Highest number of the feed, whatever the mode. */
  readonly feed: Counter;
  readonly symbols: Map<string, Counter>;
  /** Evidence in a row that numbers follow the feed though counters were taken for per symbol. */
  feedEvidence: number;
}

export interface GapTracker {
  readonly sources: Map<string, SourceSequence>;
  /** Numbered messages that could not be followed: more sources or symbols than the limits. */
  untracked: number;
  /** Numbers that came again. */
  repeated: number;
}

/** A tracker that has seen nothing. */
export function createGapTracker(): GapTracker {
  return { sources: new Map(), untracked: 0, repeated: 0 };
}

function createCounter(seq: number, ms: number): Counter {
  return { last: seq, lastMs: ms, missing: 0, first: 0, end: 0, fromMs: 0, toMs: 0 };
}

/** Takes in one numbered message; appends the gaps that are certain by now to `gaps`, which it does not clear. */
export function trackSequence(
  tracker: GapTracker,
  source: string,
  symbol: string,
  seq: number,
  timestampMs: number,
  gaps: SequenceGap[],
): void {
  let state = tracker.sources.get(source);
  if (state === undefined) {
    if (tracker.sources.size >= limits.sequenceSources) {
      tracker.untracked++;
      return;
    }
    state = { mode: 'single', feed: createCounter(seq, timestampMs), symbols: new Map(), feedEvidence: 0 };
    state.symbols.set(symbol, createCounter(seq, timestampMs));
    tracker.sources.set(source, state);
    return;
  }
  const counter = state.symbols.get(symbol);
  if (counter === undefined && state.symbols.size >= limits.symbols) {
    tracker.untracked++;
    return;
  }
  if (state.mode === 'single' && counter === undefined) state.mode = seq > state.feed.last ? 'feed' : 'symbol';
  correctMode(state, counter, seq, timestampMs);
  const isPerSymbol = state.mode === 'symbol';
  if (isPerSymbol && seq > state.feed.last) state.feed.last = seq;
  if (!isPerSymbol && counter !== undefined && seq > counter.last) counter.last = seq;
  if (counter === undefined) state.symbols.set(symbol, createCounter(seq, timestampMs));
  const followed = isPerSymbol ? counter : state.feed;
  if (followed === undefined) return;
  const gap = step(tracker, followed, source, isPerSymbol ? symbol : null, seq, timestampMs);
  if (gap !== null) gaps.push(gap);
}

function correctMode(state: SourceSequence, counter: Counter | undefined, seq: number, ms: number): void {
  if (counter === undefined || state.mode === 'single') return;
  if (state.mode === 'feed') {
    const isInGap = state.feed.missing > 0 && seq >= state.feed.first && seq < state.feed.end;
    if (seq > state.feed.last || isInGap || seq !== counter.last + 1) return;
    state.mode = 'symbol';
    state.feed.missing = 0;
    for (const each of state.symbols.values()) each.lastMs = Math.max(each.lastMs, ms);
    return;
  }
  if (seq === counter.last + 1) state.feedEvidence = 0;
  else if (seq === state.feed.last + 1) state.feedEvidence++;
  if (state.feedEvidence < 3) return;
  state.mode = 'feed';
  state.feedEvidence = 0;
  state.feed.lastMs = ms;
  for (const each of state.symbols.values()) each.missing = 0;
}

function step(
  tracker: GapTracker,
  counter: Counter,
  source: string,
  symbol: string | null,
  seq: number,
  ms: number,
): SequenceGap | null {
  const isSettled = counter.missing > 0 && ms > counter.toMs + limits.latenessLiveMs;
  let gap: SequenceGap | null = null;
  if (seq > counter.last) {
    const skips = seq > counter.last + 1;
    if (isSettled || skips) gap = report(counter, source, symbol);
    if (skips) {
      counter.missing = seq - counter.last - 1;
      counter.first = counter.last + 1;
      counter.end = seq;
      counter.fromMs = counter.lastMs;
      counter.toMs = ms;
    }
  } else if (counter.missing > 0 && seq >= counter.first && seq < counter.end) {
    counter.missing--;
    return null;
  } else if (seq > 1 && counter.last - seq <= limits.sequenceBack) {
    tracker.repeated++;
    return null;
  } else {
    gap = { source, symbol, lost: null, fromMs: counter.missing > 0 ? counter.fromMs : counter.lastMs, toMs: ms };
    counter.missing = 0;
  }
  counter.last = seq;
  counter.lastMs = ms;
  return gap;
}

function report(counter: Counter, source: string, symbol: string | null): SequenceGap | null {
  if (counter.missing === 0) return null;
  const gap = { source, symbol, lost: counter.missing, fromMs: counter.fromMs, toMs: counter.toMs };
  counter.missing = 0;
  return gap;
}

/** Reports the gaps still open that are older than the lateness of live doors at `nowMs` of event time: a feed fell silent. */
export function settleGaps(tracker: GapTracker, nowMs: number, gaps: SequenceGap[]): void {
  const settle = (counter: Counter, source: string, symbol: string | null): void => {
    const gap = nowMs > counter.toMs + limits.latenessLiveMs ? report(counter, source, symbol) : null;
    if (gap !== null) gaps.push(gap);
  };
  for (const [source, state] of tracker.sources) {
    if (state.mode !== 'symbol') settle(state.feed, source, null);
    else for (const [symbol, counter] of state.symbols) settle(counter, source, symbol);
  }
}

/** Writes all counters. */
export function writeGapTracker(tracker: GapTracker, writer: StateWriter): void {
  const sources = [...tracker.sources].map(([name, state]) => [name, { ...state, symbols: [...state.symbols] }]);
  writer.json({ sources, untracked: tracker.untracked, repeated: tracker.repeated });
}

/** Reads what `writeGapTracker` wrote. */
export function readGapTracker(reader: StateReader): GapTracker {
  type Written = Omit<SourceSequence, 'symbols'> & { readonly symbols: [string, Counter][] };
  const plain = reader.json() as { sources: [string, Written][]; untracked: number; repeated: number };
  const sources = plain.sources.map(([name, state]) => [name, { ...state, symbols: new Map(state.symbols) }] as const);
  return { sources: new Map(sources), untracked: plain.untracked, repeated: plain.repeated };
}
