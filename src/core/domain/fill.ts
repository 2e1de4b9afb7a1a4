/** What the fill model made of an order of a virtual position. */
export interface Fill {
  readonly strategyId: string;
  readonly symbol: string;
  readonly signalId: string;
  /** Signed change of exposure (notional over equity). */
  readonly exposureChange: number;
  readonly quantity: number | null;
  /** Price after spread and slippage. */
  readonly price: number;
  /** Costs as a fraction of the notional traded. */
  readonly costRatio: number;
  readonly timestampMs: number;
  readonly reason: 'market' | 'stop_loss' | 'take_profit';
}
