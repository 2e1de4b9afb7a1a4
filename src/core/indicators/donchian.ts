import { addRollingExtreme, createRollingExtreme, type RollingExtremeState } from './rolling-extreme';

/** The state of a Donchian channel; warm when `n >= warmup`. */
export type DonchianState = {
  n: number;
  warmup: number;
  upper: number;
  middle: number;
  lower: number;
  /** 1 when the bar just added belongs to its own channel. */
  includesCurrent: number;
  highs: RollingExtremeState;
  lows: RollingExtremeState;
};

/**
 * Highest high and lowest low of `period` bars. By default of the bars before the one just added (Skender), since a bar
 * cannot break out of a channel that it is part of; `includesCurrent` counts it in (LEAN).
 */
export function createDonchian(period: number, includesCurrent = false): DonchianState {
  const channel = { upper: 0, middle: 0, lower: 0, includesCurrent: includesCurrent ? 1 : 0 };
  const highs = createRollingExtreme(period, 1);
  return {
    n: 0,
    warmup: includesCurrent ? period : period + 1,
    ...channel,
    highs,
    lows: createRollingExtreme(period, -1),
  };
}

export function addDonchian(state: DonchianState, high: number, low: number): void {
  state.n++;
  if (state.includesCurrent === 0) read(state);
  addRollingExtreme(state.highs, high);
  addRollingExtreme(state.lows, low);
  if (state.includesCurrent === 1) read(state);
}

function read(state: DonchianState): void {
  if (state.n < state.warmup) return;
  state.upper = state.highs.value;
  state.lower = state.lows.value;
  state.middle = (state.upper + state.lower) / 2;
}
