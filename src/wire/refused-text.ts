/** What of a message was refused, as a message of its own: put back, it brings nothing that was used already. */
import type { Rejection } from '../core/domain/bodies';

type Raw = Readonly<Record<string, unknown>>;

/** `text` is a message some of whose items were used; `rejections` are the others. */
export function refusedText(text: string, rejections: readonly Rejection[]): string {
  const value: unknown = JSON.parse(text);
  const refused = (items: unknown) =>
    Array.isArray(items) ? rejections.flatMap(({ index }) => (index in items ? [items[index] as unknown] : [])) : items;
  if (Array.isArray(value)) return JSON.stringify(refused(value));
  const { market_data: data, asset_types: types } = value as Raw;
  if (data === undefined) return text;
  return JSON.stringify({ market_data: refused(data), ...(types === undefined ? {} : { asset_types: types }) });
}
