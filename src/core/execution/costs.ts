import type { AssetType } from '../domain/tick';

/** What trading costs, as fractions of the price or of the notional. */
export interface Costs {
  /** Full bid-ask spread over price; half is paid on each fill. */
  readonly spreadRatio: number;
  /** Adverse movement between decision and fill. */
  readonly slippageRatio: number;
  readonly commissionRatio: number;
}

/**
 * Presets that are not zero, so that nothing looks better than it is: taker fees and typical spreads of liquid
 * instruments, rounded up. A user's own costs replace them.
 */
export const presetCosts: Readonly<Record<AssetType, Costs>> = {
  crypto: { spreadRatio: 0.0002, slippageRatio: 0.0002, commissionRatio: 0.001 },
  forex: { spreadRatio: 0.0001, slippageRatio: 0.00005, commissionRatio: 0.00003 },
  commodity: { spreadRatio: 0.0003, slippageRatio: 0.0002, commissionRatio: 0.0002 },
  index: { spreadRatio: 0.0002, slippageRatio: 0.0001, commissionRatio: 0.0001 },
  equity: { spreadRatio: 0.0002, slippageRatio: 0.0002, commissionRatio: 0.0005 },
};

/** The price a market order fills at: half the spread and the slippage against it. `side` 1 buys, -1 sells. */
export function marketFillPrice(price: number, side: number, costs: Costs): number {
  return price * (1 + side * (costs.spreadRatio / 2 + costs.slippageRatio));
}
