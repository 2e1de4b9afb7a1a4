import type { Figures, Reason } from '../figures';

/** What a metric needs to be defined at all; the registry refuses it otherwise, with the reason. */
export type Need =
  /** Counts of any currency. */
  | 'counts'
  /** Amounts of one currency. */
  | 'money'
  /** The order of trades. */
  | 'order'
  /** Amounts in order. */
  | 'drawdown'
  /** Daily values. */
  | 'days'
  /** A benchmark beside the daily values. */
  | 'benchmark';

export type Unit = 'count' | 'fraction' | 'ratio' | 'money' | 'money_or_fraction' | 'ms' | 'periods';

/**
 * One metric: a pure function of the figures that the ledger folds. It answers a finite number, or why there is none;
 * never NaN, never a stand-in.
 */
export interface Metric {
  /** camelCase here, snake_case on the wire. */
  readonly name: string;
  readonly unit: Unit;
  readonly need: Need;
  /** The formula in words. */
  readonly describe: string;
  /** Reads the whole series: left out of the answer to one tracked execution. */
  readonly isSlow?: true;
  value(figures: Figures): number | Reason;
}
