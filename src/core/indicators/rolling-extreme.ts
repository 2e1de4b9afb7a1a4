/** The state of a rolling maximum or minimum; warm when `n >= warmup`. */
export type RollingExtremeState = {
  n: number;
  warmup: number;
  period: number;
  /** 1 for a maximum, -1 for a minimum (kept as the maximum of the negated values). */
  sign: number;
  head: number;
  size: number;
  value: number;
  indexes: Float64Array;
  values: Float64Array;
};

/**
 * The largest (`sign` 1) or smallest (-1) of the last `period` values. A monotonic queue in two rings: whatever can no
 * longer become the extreme is dropped when a value arrives, so each value is written and dropped once.
 */
export function createRollingExtreme(period: number, sign: 1 | -1): RollingExtremeState {
  const counts = { n: 0, warmup: period, period, sign: sign as number, head: 0, size: 0, value: 0 };
  return { ...counts, indexes: new Float64Array(period), values: new Float64Array(period) };
}

export function addRollingExtreme(state: RollingExtremeState, value: number): void {
  const { period, n, indexes, values } = state;
  const signed = value * state.sign;
  let { head, size } = state;
  if (size > 0 && (indexes[head] as number) <= n - period) {
    head = head + 1 === period ? 0 : head + 1;
    size--;
  }
  while (size > 0 && (values[(head + size - 1) % period] as number) <= signed) size--;
  const tail = (head + size) % period;
  indexes[tail] = n;
  values[tail] = signed;
  state.head = head;
  state.size = size + 1;
  state.n = n + 1;
  state.value = (values[head] as number) * state.sign;
}
