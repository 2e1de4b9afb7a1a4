/**
 * Admission: what may go on to the strategies, and what is noticed about it. Every item ends in exactly one outcome,
 * counted in `sm.counts`; an item held back gets its outcome when it is released or dropped.
 *
 * Order of the checks: the same id → late → identical tuple → off the market. When an item is admitted although several
 * things were noticed, its outcome is the last of them in that order. Late is what is older than its source's watermark
 * (largest event time − allowed lateness) or than the time that was told. A tick of a slow source that is not late by
 * that, but behind what the bars of its symbol have settled, is `accepted_late` whatever the policy: it is used, and a
 * bar that has closed does not hold it.
 */
import { limits } from '../domain/limits';
import type { MarketItem, PartialBar, Tick } from '../domain/tick';
import { bandWidth, distance, follow } from './band';
import { idHash, knowsId, knowsTuple, remember, tupleHash } from './duplicates';
import { type AdmissionPolicy, type Admitted, type Outcome, outcomes } from './market';
import { admitBar } from './outside-bars';
import type { TickItem } from './reorder';
import { cappedMs, latenessOf, sourceOf } from './sources';
import type { SourceState, SymbolMarket } from './symbol-state';

const outcomeIndex: ReadonlyMap<Outcome, number> = new Map(outcomes.map((outcome, i) => [outcome, i]));
const ACCEPTED = outcomes.indexOf('accepted');

function count(sm: SymbolMarket, outcome: Outcome): void {
  // The common outcome without a look-up.
  const at = outcome === 'accepted' ? ACCEPTED : (outcomeIndex.get(outcome) as number);
  sm.counts[at] = (sm.counts[at] as number) + 1;
}

/**
 * Judges one item. Appends to `out` what may be used now, in order: the item itself, or held-back ones that it releases
 * and then itself. Answers the item's own outcome, or `held` while that is open. Nothing else is appended for a refused
 * item; held-back ones that are dropped by this item go to `dropped`, where one is handed in, with their outcome.
 *
 * `arrivalMs` matters at live doors only: a stamp ahead of it moves no watermark past it.
 */
export function admit(
  sm: SymbolMarket,
  item: MarketItem,
  door: 'live' | 'ordered',
  arrivalMs: number,
  out: Admitted[],
  dropped?: Admitted[],
): Outcome | 'held' {
  sm.arrivalMs = door === 'live' ? arrivalMs : 0;
  if (item.kind === 'bar') {
    const outcome = admitBar(sm, item, latenessOf(sm, door));
    count(sm, outcome);
    if (outcome === 'accepted') out.push({ item, outcome });
    return outcome;
  }
  return admitTick(sm, item, latenessOf(sm, door), out, dropped);
}

function use(sm: SymbolMarket, item: TickItem, outcome: Outcome, out: Admitted[]): Outcome {
  count(sm, outcome);
  out.push({ item, outcome });
  return outcome;
}

function refuse(sm: SymbolMarket, outcome: Outcome): Outcome {
  count(sm, outcome);
  return outcome;
}

/** What an item that the policy lets through is called. */
function flagged(policy: AdmissionPolicy, flag: Outcome, before: Outcome): Outcome {
  return policy === 'flag' ? flag : before;
}

function admitTick(
  sm: SymbolMarket,
  item: TickItem,
  latenessMs: number,
  out: Admitted[],
  dropped: Admitted[] | undefined,
): Outcome | 'held' {
  const policies = sm.policies;
  const source = sourceOf(sm, item.source);
  const repeats = item.kind === 'tick' && isRepeated(sm, item, source.number, latenessMs);
  const hasId = item.kind === 'tick' && item.extras !== null && item.extras.id !== undefined;
  let outcome: Outcome = 'accepted';
  if (repeats && hasId) {
    if (policies.duplicateId === 'drop') return refuse(sm, 'duplicate');
    outcome = flagged(policies.duplicateId, 'accepted_duplicate', outcome);
  }
  if (item.timestampMs < source.maxMs - latenessMs || item.timestampMs < sm.toldMs) {
    if (policies.late === 'drop') return refuse(sm, 'late');
    return use(sm, item, flagged(policies.late, 'accepted_late', outcome), out);
  }
  if (item.timestampMs < sm.watermarkMs) outcome = 'accepted_late';
  if (repeats && !hasId) {
    if (policies.duplicateTuple === 'drop') return refuse(sm, 'duplicate');
    outcome = flagged(policies.duplicateTuple, 'accepted_duplicate', outcome);
  }
  if (policies.offMarket !== 'accept') {
    const band = sm.band;
    const close = item.kind === 'tick' ? item.price : item.close;
    const price = item.kind === 'tick' ? close : farthest(item, band.level);
    const away = distance(price, band.level);
    if (away > policies.bandMinRatio && band.ticks >= limits.bandWarmupTicks && away > bandWidth(band, policies)) {
      return offMarket(sm, item, source, price, repeats, out, dropped);
    }
    if (band.agreeing >= 0) dropHeld(sm, dropped);
    follow(band, close, item.kind === 'tick' ? away : distance(close, band.level));
  }
  moveSource(sm, source, item.timestampMs);
  return use(sm, item, outcome, out);
}

/** The price of a conflated stretch that lies farthest from the level: one bad print in it must not slip through. */
function farthest(partial: PartialBar, level: number): number {
  return distance(partial.high, level) > distance(partial.low, level) ? partial.high : partial.low;
}

function moveSource(sm: SymbolMarket, source: SourceState, timestampMs: number): void {
  if (timestampMs <= source.maxMs) return;
  const ms = cappedMs(sm, timestampMs);
  if (ms > source.maxMs) source.maxMs = ms;
}

/** Whether this tick was seen before; if not it is remembered. One without id and sent timestamp is never a repetition. */
function isRepeated(sm: SymbolMarket, tick: Tick, source: number, latenessMs: number): boolean {
  const id = tick.extras === null ? undefined : tick.extras.id;
  const { timestampMs, price, volume } = tick;
  if (id !== undefined) {
    const hash = idHash(id, source);
    if (knowsId(sm.duplicates, hash, source, id)) return true;
    remember(sm.duplicates, hash, source, id, timestampMs, price, volume, latenessMs);
    return false;
  }
  if (!tick.stamped) return false;
  const hash = tupleHash(source, timestampMs, price, volume, tick.quote);
  if (knowsTuple(sm.duplicates, hash, source, timestampMs, price, volume)) return true;
  remember(sm.duplicates, hash, source, '', timestampMs, price, volume, latenessMs);
  return false;
}

/** Held-back ticks whose level nobody agreed with. */
function dropHeld(sm: SymbolMarket, dropped: Admitted[] | undefined): void {
  sm.band.agreeing = -1;
  for (const item of sm.held) {
    count(sm, 'off_market');
    dropped?.push({ item, outcome: 'off_market' });
  }
  sm.held.length = 0;
}

function offMarket(
  sm: SymbolMarket,
  item: TickItem,
  source: SourceState,
  price: number,
  repeats: boolean,
  out: Admitted[],
  dropped: Admitted[] | undefined,
): Outcome | 'held' {
  const band = sm.band;
  if (band.agreeing < 0 || distance(price, band.candidate) > bandWidth(band, sm.policies)) {
    dropHeld(sm, dropped);
    band.candidate = price;
    band.candidateSource = source.number;
    band.agreeing = 0;
  } else if (!repeats) {
    // The same print sent again is no second witness.
    band.agreeing = source.number === band.candidateSource ? band.agreeing + 1 : limits.heldAgreeing;
  }
  const isMarket = band.agreeing >= limits.heldAgreeing;
  if (isMarket) {
    band.agreeing = -1;
    band.level = item.kind === 'tick' ? item.price : item.close;
  }
  if (sm.policies.offMarket === 'flag') {
    moveSource(sm, source, item.timestampMs);
    return use(sm, item, 'accepted_off_market', out);
  }
  if (isMarket) return release(sm, item, source, out, dropped);
  if (sm.held.length >= limits.heldTicks) return refuse(sm, 'off_market');
  sm.held.push(item);
  return 'held';
}

/** The market is there: what was held goes on in order. What time has passed by meanwhile is late. */
function release(
  sm: SymbolMarket,
  item: TickItem,
  source: SourceState,
  out: Admitted[],
  dropped: Admitted[] | undefined,
): Outcome {
  for (const held of sm.held) {
    if (held.timestampMs < sm.toldMs && sm.policies.late === 'drop') {
      count(sm, 'late');
      dropped?.push({ item: held, outcome: 'late' });
      continue;
    }
    moveSource(sm, sourceOf(sm, held.source), held.timestampMs);
    use(sm, held, 'accepted_released', out);
  }
  sm.held.length = 0;
  moveSource(sm, source, item.timestampMs);
  return use(sm, item, 'accepted_released', out);
}
