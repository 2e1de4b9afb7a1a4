import type { MarketRegime } from './regime';

/** Why nothing was said, or `signal` when something was. Every silence has one of these names. */
export const decisionCodes = [
  'signal',
  'warming_up',
  'no_setup',
  'below_threshold',
  'cooldown',
  'regime_filter',
  'risk_limit',
  'stale_data',
  'missing_input',
  'short_not_allowed',
  'already_positioned',
  'paused',
  'shadow',
  'asset_filter',
] as const;
export type DecisionCode = (typeof decisionCodes)[number];

/** One kept decision: everything that is not "hold", and every change of reason. */
export interface Decision {
  readonly strategyId: string;
  readonly strategyVersion: number;
  readonly symbol: string;
  readonly timestampMs: number;
  readonly code: DecisionCode;
  /** In words, with the values that spoke. */
  readonly reason: string;
  readonly regime: MarketRegime;
  readonly signalId: string | null;
}

/** How many evaluations ended in which way, per strategy: `evaluated` = the sum of all others. */
export interface Funnel {
  readonly evaluated: number;
  readonly outcomes: Readonly<Partial<Record<DecisionCode, number>>>;
}
