/** The contract's `market_regime`, in the order in which the first that matches is taken. */
export const marketRegimes = [
  'unknown',
  'stress',
  'volatile_trending_up',
  'volatile_trending_down',
  'volatile_ranging',
  'trending_up',
  'trending_down',
  'ranging',
] as const;
export type MarketRegime = (typeof marketRegimes)[number];

export type VolatilityLabel = 'low' | 'normal' | 'high';
export type TrendLabel = 'weak' | 'moderate' | 'strong';

/** The regime of one symbol on one timeframe, with what it was concluded from. */
export interface Regime {
  readonly label: MarketRegime;
  /** `null` while warming. */
  readonly volatility: VolatilityLabel | null;
  readonly trendStrength: TrendLabel | null;
  /** Fast over slow EWMA volatility; 1 = as usual. */
  readonly volatilityRatio: number | null;
  /** t statistic of the mean log return over the window; its sign is the direction. */
  readonly trendT: number | null;
  /** Event time since when the label holds. */
  readonly sinceMs: number;
  /** Bars seen so far and needed before the label is anything but `unknown`. */
  readonly bars: number;
  readonly warmupBars: number;
}
