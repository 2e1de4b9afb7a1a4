import type { PageQuery } from '../core/domain/bodies';
import { valueError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';

/** An entry with the number that it keeps for ever, whatever comes or goes beside it. */
export interface Numbered<T> {
  /** Rises along the list; of one that is shown newest first it is negative. */
  readonly number: number;
  readonly item: T;
}

/** Entries by their place in a list that only grows at its end. */
export function numbered<T>(list: readonly T[]): readonly Numbered<T>[] {
  return list.map((item, number) => ({ number, item }));
}

/** Entries of a list that is shown newest first, of which there ever were `total`. */
export function numberedNewest<T>(list: readonly T[], total: number): readonly Numbered<T>[] {
  return list.map((item, i) => ({ number: i - total, item }));
}

/**
 * One page of a list in the order of its numbers. The cursor is the number of the next entry, so a list that grows or
 * shrinks under the reader neither repeats an entry nor skips one.
 */
export function page<T>(
  list: readonly Numbered<T>[],
  query: PageQuery = {},
): { items: readonly T[]; cursor: string | null } {
  const limit = query.limit ?? limits.pageDefault;
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.pageMax) {
    throw valueError('limit', `must be an integer from 1 to ${limits.pageMax}`, query.limit);
  }
  const from = query.cursor === undefined ? 0 : placeOf(list, query.cursor);
  const next = list[from + limit];
  const items = list.slice(from, from + limit).map(({ item }) => item);
  return { items, cursor: next === undefined ? null : String(Math.abs(next.number)) };
}

/** Index of the first entry that is not before the cursor. */
function placeOf<T>(list: readonly Numbered<T>[], cursor: string): number {
  const number = Number(cursor);
  if (cursor.trim() === '' || !Number.isSafeInteger(number) || number < 0) {
    throw valueError('cursor', 'is not one of ours', cursor);
  }
  const isNewestFirst = (list[0]?.number ?? 0) < 0;
  const at = list.findIndex((one) => one.number >= (isNewestFirst ? -number : number));
  return at === -1 ? list.length : at;
}
