/** Quantile of sorted values, linearly interpolated between the two nearest ranks. */
export function quantile(sorted: Float64Array, q: number): number {
  const place = (sorted.length - 1) * q;
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (place - below);
}

/** Mean of the lowest values up to the rank ⌊(n − 1)·q⌋, inclusive. */
export function meanOfTail(sorted: Float64Array, q: number): number {
  const count = Math.floor((sorted.length - 1) * q) + 1;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += sorted[i] as number;
  return sum / count;
}
