/** The kinds of field that requests are made of. Numbers may come as text; nothing is ever coerced. */
import { z } from 'zod';
import { assetTypes } from '../../core/domain/asset-type';
import { limits } from '../../core/domain/limits';
import { timeframeNames, timeframeOf } from '../../core/domain/timeframe';
import { canonicalSymbol, symbolPattern, symbolRule } from '../symbol';
import { parseTimestamp } from '../time';

export interface NumberRule {
  readonly above?: number;
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
  readonly description?: string;
}

const numberText = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,4})?$/i;

/** A number written as text (`"50000.0"`), or NaN when the text is none. White space and `""` are none. */
export function numberOfText(text: string): number {
  return text.length <= limits.numberChars && numberText.test(text) ? Number(text) : Number.NaN;
}

/** What is wrong with a number, or `null`. */
export function numberProblem(value: number, rule: NumberRule): string | null {
  if (!Number.isFinite(value)) return 'must be a finite number';
  if (rule.integer === true && !Number.isSafeInteger(value)) return 'must be a whole number';
  if (rule.above !== undefined && !(value > rule.above)) return `must be greater than ${rule.above}`;
  if (rule.min !== undefined && value < rule.min) return `must be at least ${rule.min}`;
  if (rule.max !== undefined && value > rule.max) return `must be at most ${rule.max}`;
  return null;
}

/** A finite number, or a number as text. */
export function numeric(rule: NumberRule = {}) {
  return z
    .union([z.number(), z.string()], { error: (issue) => (issue.input === undefined ? 'is required' : notANumber) })
    .meta(numberMeta(rule))
    .transform((value, context) => {
      const number = typeof value === 'number' ? value : numberOfText(value);
      const problem =
        typeof value === 'string' && Number.isNaN(number) ? 'must be a number' : numberProblem(number, rule);
      if (problem === null) return number + 0;
      context.addIssue({ code: 'custom', message: problem, input: value });
      return z.NEVER;
    });
}

const notANumber = 'must be a finite number';

function numberMeta(rule: NumberRule): Record<string, unknown> {
  const meta: Record<string, unknown> = {};
  if (rule.description !== undefined) meta.description = rule.description;
  if (rule.above !== undefined) meta.exclusiveMinimum = rule.above;
  if (rule.min !== undefined) meta.minimum = rule.min;
  if (rule.max !== undefined) meta.maximum = rule.max;
  if (rule.integer === true) meta.multipleOf = 1;
  return meta;
}

/** Absent and `null` are the same: not said. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** Event time in any of the contract's forms → ms. */
export const timestamp = z
  .union([z.number(), z.string()], { error: (issue) => timeProblem(issue.input) })
  .meta({
    description:
      'seconds, milliseconds, microseconds or nanoseconds since the epoch (told apart by size), the same as text, or ISO 8601 (UTC when it has no offset); 1970-01-02 to 2100-01-01',
  })
  .transform((value, context) => {
    const time = parseTimestamp(value);
    if ('ms' in time) return time.ms;
    context.addIssue({ code: 'custom', message: time.error, input: value });
    return z.NEVER;
  });

function timeProblem(value: unknown): string {
  const time = parseTimestamp(value);
  return 'error' in time ? time.error : 'must be a time';
}

export const symbol = z
  .string()
  .meta({ pattern: symbolPattern.source, description: 'upper-cased when it is read' })
  .transform((value, context) => {
    const known = canonicalSymbol(value);
    if (known !== null) return known;
    context.addIssue({ code: 'custom', message: symbolRule, input: value });
    return z.NEVER;
  });

export const assetType = z.enum(assetTypes);

/** Anything but control characters (category Cc). */
export const printable = /^\P{Cc}*$/u;

/** Text of a person or another system: bounded, without control characters. */
export function text(maxChars: number = limits.idChars) {
  return z.string().min(1).max(maxChars).regex(printable, 'must not hold control characters');
}

export const strategyIdPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;
export const strategyId = z.string().regex(strategyIdPattern, `must match ${strategyIdPattern.source}`);

export const timeframe = z.string().superRefine((value, context) => {
  if (timeframeOf(value)) return;
  const message = `must be one of ${timeframeNames.join(' ')} or a tick count such as 100t`;
  context.addIssue({ code: 'custom', message, input: value });
});

/** The timeframe of a strategy: as of a bar, or `auto`, the one that its symbol's bars come in (1m of ticks). */
export const strategyTimeframe = z.string().superRefine((value, context) => {
  if (value === 'auto' || timeframeOf(value)) return;
  const message = `must be one of auto ${timeframeNames.join(' ')} or a tick count such as 100t`;
  context.addIssue({ code: 'custom', message, input: value });
});

/** A list that is asked for in pages. Query values are text. */
export const pageQuery = {
  limit: optional(numeric({ integer: true, min: 1, max: limits.pageMax })),
  cursor: optional(text(256)),
};

/** `true`/`false` in a query. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0'])])
  .transform((value) => value === true || value === 'true' || value === '1');

/** A JSON object with names of somebody else's choosing. What it holds is checked where its meaning is known. */
export const anyObject = z.record(z.string(), z.unknown());
