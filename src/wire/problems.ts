/** What a schema says about bad input, in the contract's words and bounds. */
import type { z } from 'zod';
import { EngineError, type ErrorDetail } from '../core/domain/errors';
import { limits } from '../core/domain/limits';

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

const kinds: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a finite number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['object', 'an object'],
  ['record', 'an object'],
  ['array', 'an array'],
]);

/** Messages that complete `<path> …`; a schema's own message wins. */
export function issueMessage(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${kinds.get(issue.expected) ?? issue.expected}`;
    case 'invalid_value':
      return issue.input === undefined ? 'is required' : `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return bound('at least', issue.origin, issue.minimum);
    case 'too_big':
      return bound('at most', issue.origin, issue.maximum);
    case 'invalid_union':
      return issue.input === undefined ? 'is required' : 'has a form that is not accepted here';
    default:
      return 'is not valid';
  }
}

function bound(words: string, origin: string, count: number | bigint): string {
  if (origin === 'string') return `must have ${words} ${count} characters`;
  if (origin === 'array') return `must have ${words} ${count} entries`;
  return `must be ${words} ${count}`;
}

/** `['market_data', 3, 'price']` → `market_data[3].price`. */
export function pathText(path: readonly PropertyKey[], prefix = ''): string {
  let text = prefix;
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? String(part) : `.${String(part)}`;
  }
  return text.slice(0, 200);
}

/** A received value as an error may repeat it: short, and only its kind when it is a collection. */
export function receivedOf(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, limits.receivedChars);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return `array of ${value.length}`;
  return typeof value;
}

/** Issues of a schema as details, at most `limits.errorDetails`. */
export function detailsOf(issues: readonly z.core.$ZodIssue[], prefix = ''): ErrorDetail[] {
  return issues.slice(0, limits.errorDetails).map((issue) => ({
    path: pathText(issue.path, prefix),
    message: issue.message,
    received: receivedOf(issue.input),
  }));
}

/** A `ValueError` that says the first problem and lists them (at most `limits.errorDetails`). */
export function valueErrorOf(details: readonly ErrorDetail[]): EngineError {
  const first = details[0];
  const message = first ? `${first.path === '' ? 'the body' : first.path} ${first.message}` : 'the input is not valid';
  // A rejection of market data is a detail with more fields than the contract's error body has.
  const listed = details
    .slice(0, limits.errorDetails)
    .map(({ path, message, received }) => ({ path, message, received }));
  return new EngineError('ValueError', message, { details: listed });
}

/**
 * What the schema makes of a value from outside.
 * @throws EngineError `ValueError` with a detail for each problem.
 */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown, prefix = ''): z.output<T> {
  const result = schema.safeParse(value, { error: issueMessage, reportInput: true });
  if (result.success) return result.data;
  throw valueErrorOf(detailsOf(result.error.issues, prefix));
}
