import type { PageQuery } from '../core/domain/bodies';
import { valueError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';

/** One page of a list that does not change under the reader; the cursor is the next index. */
export function page<T>(list: readonly T[], query: PageQuery = {}): { items: readonly T[]; cursor: string | null } {
  const limit = query.limit ?? limits.pageDefault;
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.pageMax) {
    throw valueError('limit', `must be an integer from 1 to ${limits.pageMax}`, query.limit);
  }
  const from = query.cursor === undefined ? 0 : Number(query.cursor);
  if (!Number.isInteger(from) || from < 0) throw valueError('cursor', 'is not one of ours', query.cursor);
  const items = list.slice(from, from + limit);
  return { items, cursor: from + limit < list.length ? String(from + limit) : null };
}
