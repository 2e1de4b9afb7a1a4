/** The state of an exponentially weighted volatility; warm when `n >= warmup`. */
export type EwmaVolatilityState = {
  n: number;
  warmup: number;
  decay: number;
  previous: number;
  square: number;
  weight: number;
  /** Standard deviation of one step's log return, around 0. */
  value: number;
};

/**
 * Root of the exponentially weighted mean of squared log returns (RiskMetrics 1996, zero mean); a return counts half
 * after `halfLife` further ones. Weights are normalised, so that the first estimates are unbiased rather than seeded.
 * A price that is not positive has no log return: that step is left out.
 */
export function createEwmaVolatility(halfLife: number): EwmaVolatilityState {
  const warmup = Math.ceil(halfLife) + 1;
  return { n: 0, warmup, decay: 0.5 ** (1 / halfLife), previous: 0, square: 0, weight: 0, value: 0 };
}

export function addEwmaVolatility(state: EwmaVolatilityState, price: number): void {
  const { previous, decay } = state;
  state.previous = price;
  state.n++;
  if (state.n === 1 || price <= 0 || previous <= 0) return;
  const logReturn = Math.log(price / previous);
  state.square = state.square * decay + logReturn * logReturn;
  state.weight = state.weight * decay + 1;
  state.value = Math.sqrt(state.square / state.weight);
}
