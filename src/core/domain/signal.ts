import type { MarketRegime } from './regime';
import type { AssetType } from './tick';

export type Action = 'buy' | 'sell' | 'close' | 'quote';
export type Intent = 'open' | 'add' | 'reduce' | 'close' | 'reverse';
/** 1 long, -1 short. */
export type Side = 1 | -1;

export interface FamilyMember {
  readonly strategyId: string;
  readonly weight: number;
  /** -1 … 1: direction times confidence. */
  readonly vote: number;
}

/** What a strategy asks for, after gates and sizing. Field names are the contract's, in camelCase. */
export interface Signal {
  /** Deterministic: same input, same id. */
  readonly signalId: string;
  readonly strategyId: string;
  readonly strategyType: string;
  readonly strategyVersion: number;
  readonly symbol: string;
  readonly action: Action;
  /** 0–1. */
  readonly confidence: number;
  readonly confidenceBasis: 'uncalibrated' | 'calibrated';
  /** The type's own score; its docstring states the meaning. */
  readonly score: number;
  /** The decision price. */
  readonly price: number;
  readonly priceKind: 'last' | 'close' | 'mid' | 'stop' | 'take_profit';
  /** Fraction of equity lost if `stopLoss` is hit; without a stop, of equity at risk by volatility. */
  readonly size: number;
  readonly stopLoss: number | null;
  readonly takeProfit: number | null;
  readonly reasons: readonly string[];
  readonly regime: MarketRegime;
  /** Event time of the decision. */
  readonly timestampMs: number;
  /** Arrival to emission: the one field that may differ between two runs of the same input. */
  readonly latencyMs: number;
  readonly intent: Intent;
  /** Signed notional over equity wanted after this signal. */
  readonly targetExposure: number;
  /** Units of the instrument; `null` without capital. */
  readonly quantity: number | null;
  readonly source: string;
  readonly assetType: AssetType;
  readonly currency: string | null;
  readonly timeframe: string | null;
  readonly barEndMs: number | null;
  readonly validUntilMs: number | null;
  readonly members?: readonly FamilyMember[];
  /** An exit names its entry. */
  readonly parentSignalId?: string;
  readonly conflated?: true;
}

/** A signal's fields as they stand on the wire and the tape of results: everything but `latencyMs` is deterministic. */
export type SignalDraft = Omit<Signal, 'latencyMs'>;
