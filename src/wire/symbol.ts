/** Symbols as they come in: one pattern, upper-cased, always a Map key. */
import { limits } from '../core/domain/limits';

/** The contract's pattern: no white space, no control characters, at most 32 characters. */
export const symbolPattern = /^[A-Za-z0-9^_][A-Za-z0-9._:/^=@+!&#-]{0,31}$/;

export const symbolRule =
  'must be a symbol: up to 32 letters, digits and ._:/^=@+!&#-, starting with a letter, digit, ^ or _';

const known = new Map<string, string>();

/** The symbol in its one spelling, or `null` when the text is none. */
export function canonicalSymbol(text: string): string | null {
  const seen = known.get(text);
  if (seen !== undefined) return seen;
  if (!symbolPattern.test(text)) return null;
  const symbol = text.toUpperCase();
  // Spellings come from outside: past the bound the memory starts anew.
  if (known.size >= 2 * limits.symbols) known.clear();
  known.set(text, symbol);
  return symbol;
}
