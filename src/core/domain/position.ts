/** The virtual position of one strategy in one symbol. */
export interface Position {
  readonly strategyId: string;
  readonly symbol: string;
  /** Signed notional over equity at entry; 0 = flat. */
  readonly exposure: number;
  /** Signed units; `null` when neither capital nor executions give one. */
  readonly quantity: number | null;
  readonly entryPrice: number | null;
  readonly entryMs: number | null;
  readonly stopLoss: number | null;
  readonly takeProfit: number | null;
  readonly unrealizedRatio: number | null;
  /** Last price seen. */
  readonly price: number | null;
  /** `assumed`: filled by our own signals through the fill model; `executed`: by tracked executions. */
  readonly positionSource: 'assumed' | 'executed';
  readonly signalId: string | null;
  readonly strategyVersion: number;
}
