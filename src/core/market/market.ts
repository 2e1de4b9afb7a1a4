/**
 * The market side of one tick, in the order of its life: admit → reorder → bars → features → regime. State is per
 * symbol and plain; these functions never know about strategies.
 */
import type { Bar } from '../domain/bar';
import type { Regime } from '../domain/regime';
import type { MarketItem } from '../domain/tick';

/** Every item of a batch ends in exactly one of these, and is counted there. */
export const outcomes = [
  'accepted',
  /** Same id (or same row of a feed) as one seen before. */
  'duplicate',
  /** Identical tuple with a sent timestamp; used, and flagged, by default. */
  'accepted_duplicate',
  'late',
  'accepted_late',
  'off_market',
  'accepted_off_market',
  /** Held back as off-market and released when further ticks agreed. */
  'accepted_released',
  /** A bar that is not closed yet. */
  'forming_bar',
  /** More symbols than the engine follows. */
  'symbol_limit',
] as const;
export type Outcome = (typeof outcomes)[number];

export type AdmissionPolicy = 'drop' | 'flag' | 'accept';

export interface MarketPolicies {
  readonly late: AdmissionPolicy;
  /** The same `id`. */
  readonly duplicateId: AdmissionPolicy;
  /** Without an id: an identical tuple whose timestamp was sent. Real trades do repeat. */
  readonly duplicateTuple: AdmissionPolicy;
  /** `drop` holds back until 3 further ticks or a second source agree; never agreed to = dropped. */
  readonly offMarket: AdmissionPolicy;
  /** Allowed lateness of live doors, ms. */
  readonly latenessMs: number;
  /** Robust band: this many robust deviations of recent log returns, and at least `bandMinRatio` of the price. */
  readonly bandDeviations: number;
  readonly bandMinRatio: number;
}

export const defaultPolicies: MarketPolicies = {
  late: 'drop',
  duplicateId: 'drop',
  duplicateTuple: 'flag',
  offMarket: 'drop',
  latenessMs: 2_000,
  bandDeviations: 20,
  bandMinRatio: 0.2,
};

/** An item the admission let through, with what was noticed about it. */
export interface Admitted {
  readonly item: MarketItem;
  readonly outcome: Outcome;
}

/** A bar that closed, with whether it was built here from ticks or came from outside. */
export interface ClosedBar {
  readonly bar: Bar;
  readonly origin: 'ticks' | 'bars';
  /** Of its series when this bar closed: the series itself may be further already, when several closed at once. */
  readonly regime: Regime;
}
