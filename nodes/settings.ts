/** Settings of nodes: what an editor saves as text, read as what it means. */
import { z } from 'zod';
import type { ErrorDetail } from '../src/index';
import { EngineError, limits } from '../src/index';

/** The kinds of settings: what an editor saves as text, read as what it means; empty is the default or nothing. */
export const setting = {
  text: (fallback = '') => z.string().trim().default(fallback),
  /** Words separated by commas or spaces. */
  words: () =>
    z
      .string()
      .default('')
      .transform((text) => text.split(/[\s,]+/).filter((word) => word !== '')),
  flag: (fallback = false) => z.union([z.boolean(), z.stringbool()]).default(fallback),
  number: (min: number, max: number, fallback: number) =>
    z.preprocess(blankIs(fallback), z.coerce.number().min(min).max(max)),
  /** `null` when left empty. */
  optional: (min: number, max: number) =>
    z.preprocess(blankIs(null), z.union([z.null(), z.coerce.number().min(min).max(max)])),
  choice: <const T extends readonly [string, ...string[]]>(options: T, fallback: T[number]) =>
    z.preprocess(blankIs(fallback), z.enum(options)),
};

function blankIs(fallback: unknown): (value: unknown) => unknown {
  // An environment variable that is not set leaves its own name behind.
  return (value) =>
    value === undefined || value === null || value === '' || (typeof value === 'string' && /^\$\{\w+\}$/.test(value))
      ? fallback
      : value;
}

/** The settings that all nodes have. */
export const common = {
  name: setting.text(),
  version: z.coerce.number().int().default(0),
  engine: setting.text(),
};

/** The first problem of a zod error, as an error of the catalogue. */
export function problem(error: z.ZodError, prefix: string): EngineError {
  const details: ErrorDetail[] = error.issues.slice(0, limits.errorDetails).map((issue) => ({
    path: [prefix, ...issue.path.map(String)].filter((part) => part !== '').join('.'),
    message: issue.message,
  }));
  const first = details[0];
  return new EngineError('ValueError', first ? `${first.path}: ${first.message}` : 'invalid', { details });
}
