/** The feeds of one symbol, and the time before which none of them is waited for any more. */
import { limits } from '../domain/limits';
import type { SourceState, SymbolMarket } from './symbol-state';

/** Allowed lateness of a door, in ms: files and streams are in order. */
export function latenessOf(sm: SymbolMarket, door: 'live' | 'ordered'): number {
  return door === 'live' ? sm.policies.latenessMs : 0;
}

/** The state of a feed; a new one takes the place of the one unheard for longest when there are too many. */
export function sourceOf(sm: SymbolMarket, name: string): SourceState {
  const sources = sm.sources;
  const last = sources[sm.sourceAt];
  if (last !== undefined && last.name === name) return last;
  let at = sources.findIndex((source) => source.name === name);
  if (at < 0) {
    at = sources.length;
    if (at >= limits.sourcesPerSymbol) {
      at = 0;
      for (let i = 1; i < sources.length; i++) {
        if ((sources[i] as SourceState).maxMs < (sources[at] as SourceState).maxMs) at = i;
      }
    }
    sources[at] = { name, number: sm.sourcesSeen++, maxMs: 0, fedMs: 0, latenessMs: 0 };
  }
  sm.sourceAt = at;
  return sources[at] as SourceState;
}

/** A stamp ahead of its live arrival moves watermarks only up to the arrival: one bad clock must not make all others late. */
export function cappedMs(sm: SymbolMarket, timestampMs: number): number {
  return sm.arrivalMs > 0 && timestampMs > sm.arrivalMs ? sm.arrivalMs : timestampMs;
}

/**
 * The symbol's watermark after its sources moved. One source: its largest event time less the lateness. Several: the
 * slowest one's, but a slower source is waited for at most `latenessMs` of event time beyond the leader's own lateness,
 * and not at all once it is `limits.sourceIdleMs` behind.
 */
export function watermarkOf(sm: SymbolMarket): number {
  const sources = sm.sources;
  const only = sources[0];
  if (only === undefined) return 0;
  if (sources.length === 1) return only.fedMs - only.latenessMs;
  let leadMs = 0;
  let leadLatenessMs = 0;
  for (const source of sources) {
    if (source.fedMs <= leadMs) continue;
    leadMs = source.fedMs;
    leadLatenessMs = source.latenessMs;
  }
  let slowestMs = leadMs - leadLatenessMs;
  for (const source of sources) {
    const isWaitedFor = source.fedMs >= leadMs - limits.sourceIdleMs;
    if (isWaitedFor && source.fedMs - source.latenessMs < slowestMs) slowestMs = source.fedMs - source.latenessMs;
  }
  return Math.max(slowestMs, leadMs - leadLatenessMs - sm.policies.latenessMs);
}
