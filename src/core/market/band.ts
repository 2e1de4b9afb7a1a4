/**
 * The off-market band: how far a price may lie from the last accepted one. Distance is `e^|log return| - 1`, so a price
 * ten times too high and one ten times too low are equally far. The band is the wider of `bandMinRatio` and
 * `bandDeviations` robust deviations: 1.2533 times the weighted mean of recent distances (the sigma of a normal law with
 * that mean), each clipped at 8 times that mean so that an outlier cannot widen its own band.
 *
 * It judges nothing during the first `limits.bandWarmupTicks` ticks, no bar, and no price that is not positive.
 */
import type { MarketPolicies } from './market';

const weight = 1 / 64;
const clip = 8;
const sigmaPerMean = 1.2533;

/** Flat: `level` the last accepted price, `deviation` the mean distance, `ticks` how many went into it. */
export type Band = {
  level: number;
  deviation: number;
  ticks: number;
  /** The level that off-market ticks speak for, and how many agreed with the first. */
  candidate: number;
  agreeing: number;
  /** Source number of the first of them. */
  candidateSource: number;
};

/** A band that has seen nothing. */
export function createBand(): Band {
  return { level: 0, deviation: 0, ticks: 0, candidate: 0, agreeing: -1, candidateSource: 0 };
}

/** Distance of two prices; 0 where one is not positive. */
export function distance(a: number, b: number): number {
  const low = Math.min(a, b);
  return low > 0 ? Math.abs(a - b) / low : 0;
}

/** Width of the band now, as a distance. */
export function bandWidth(band: Band, policies: MarketPolicies): number {
  const robust = policies.bandDeviations * sigmaPerMean * band.deviation;
  return Math.max(robust, policies.bandMinRatio);
}

/** Takes in an accepted price at that distance from the level. */
export function follow(band: Band, price: number, away: number): void {
  const ticks = band.ticks + 1;
  band.ticks = ticks;
  band.level = price;
  if (ticks === 1) return;
  const bound = clip * band.deviation;
  const taken = ticks > 64 && away > bound && bound > 0 ? bound : away;
  band.deviation += (taken - band.deviation) * (ticks <= 64 ? 1 / (ticks - 1) : weight);
}
