/** What insights are made from. */
import type { Regime } from '../domain/regime';
import type { LedgerView } from '../performance/ledger';
import type { LedgerRow } from '../performance/row';
import type { AuditTrail } from './audit';
import type { Edge, TradeSample } from './trade-sample';

export interface InsightsInput {
  readonly asOfMs: number;
  /** Only what concerns this symbol. */
  readonly symbol?: string;
  /** The headline regime of every followed symbol. */
  readonly regimes: ReadonlyMap<string, Regime>;
  /** Strategies that are not archived. */
  readonly strategies: readonly InsightStrategy[];
  /** All strategies together. */
  readonly together: LedgerView;
  readonly audit: AuditTrail;
}

export interface InsightStrategy {
  readonly strategyId: string;
  readonly strategyType: string;
  readonly family: string;
  readonly view: LedgerView;
}

/** A strategy with what its trades say. */
export interface Candidate {
  readonly strategy: InsightStrategy;
  readonly rows: readonly LedgerRow[];
  readonly sample: TradeSample;
  readonly status: 'ranked' | 'too_few' | 'mixed_currencies';
  /** `null` unless ranked. */
  readonly edge: Edge | null;
}
