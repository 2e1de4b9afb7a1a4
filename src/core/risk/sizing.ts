/** How much: from the risk a strategy may take to an exposure, and what is then really at risk. */

export interface RiskSettings {
  /** Fraction of equity one trade may lose at its stop when `risk_tolerance` is 1. */
  readonly maxRiskPerTrade: number;
  /** Largest |exposure| (notional over equity) of one position. */
  readonly maxExposure: number;
  /** Largest sum of |exposure| over all positions of the engine. */
  readonly maxTotalExposure: number;
  /** Positions open at once. */
  readonly maxOpenPositions: number;
  /** Tracked loss of one UTC day, in money, from which on no strategy opens; `null` = no limit. */
  readonly dailyLossLimit: number | null;
}

export const defaultRisk: RiskSettings = {
  maxRiskPerTrade: 0.02,
  maxExposure: 1,
  maxTotalExposure: 20,
  maxOpenPositions: 1_000,
  dailyLossLimit: null,
};

/** Without a stop, a trade is taken to risk this many bars' volatility. */
const volatilityStop = 2;
/** And when not even volatility is known, this fraction of the price. */
const unknownStop = 0.02;

export interface Size {
  /** |notional| over equity. */
  readonly exposure: number;
  /** Fraction of equity lost at the stop (or at `volatilityStop` bars' volatility). */
  readonly riskRatio: number;
}

/**
 * Fixed-fractional sizing: exposure = risk / distance to the stop, capped; the risk is what the cap leaves. So
 * `risk_tolerance` 0.5 loses half of `maxRiskPerTrade` at the stop, and 0 opens nothing.
 */
export function sizeOf(
  price: number,
  stopLoss: number | null,
  volatilityRatio: number,
  riskTolerance: number,
  risk: RiskSettings,
): Size {
  const distance = stopLoss === null ? volatilityRatio * volatilityStop : Math.abs(price - stopLoss) / Math.abs(price);
  const stopRatio = distance > 0 ? distance : unknownStop;
  const exposure = Math.min(risk.maxExposure, (risk.maxRiskPerTrade * riskTolerance) / stopRatio);
  return { exposure, riskRatio: exposure * stopRatio };
}
