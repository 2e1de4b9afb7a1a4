/**
 * Dates as market files write them. A time without an offset is read as UTC: files rarely say their zone, and guessing
 * one would shift every bar. Dates with slashes are month first, as US vendors write them; a day-first date is refused
 * as soon as its "month" exceeds 12, never swapped silently.
 */

/** Milliseconds since the epoch; a number in the file's own unit; or why the text is neither. */
export type FileDate =
  | { readonly kind: 'ms'; readonly ms: number }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'bad'; readonly message: string };

const yearFirst =
  /^(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[T ]{1,2}(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,]?(\d{1,9}))?)?)? ?(Z|UTC|[+-]\d{2}:?\d{2})?$/;
const compact =
  /^((?:19|20)\d{2})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]?(\d{1,9}))?)?)? ?(Z|UTC|[+-]\d{2}:?\d{2})?$/;
const slashes =
  /^(\d{1,2})\/(\d{1,2})\/(\d{4}|\d{2})(?:[T ]{1,2}(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,]?(\d{1,9}))?)?)? ?(Z|UTC|[+-]\d{2}:?\d{2})?$/;
const plainNumber = /^[+-]?\d+(?:\.\d+)?$/;
/** Digits alone that are a date: year, month and day, with or without the minute or second. */
const dateDigits = /^(?:\d{8}|\d{12}|\d{14})$/;
const offsetMs = /^([+-])(\d{2}):?(\d{2})$/;

/** No date in a market file is longer; the cut also bounds the work of the patterns above. */
const dateChars = 40;

function bad(message: string): FileDate {
  return { kind: 'bad', message };
}

function offsetOf(text: string | undefined): number {
  const parts = text === undefined ? null : offsetMs.exec(text);
  if (!parts) return 0;
  const ms = (Number(parts[2]) * 60 + Number(parts[3])) * 60_000;
  return parts[1] === '-' ? -ms : ms;
}

const monthDays: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (monthDays[month - 1] ?? 0);
}

function instant(year: number, month: number, day: number, parts: RegExpExecArray): FileDate {
  const hour = Number(parts[4] ?? 0);
  const minute = Number(parts[5] ?? 0);
  const second = Number(parts[6] ?? 0);
  const fractionMs = parts[7] === undefined ? 0 : Math.floor(Number(`0.${parts[7]}`) * 1_000 + 1e-7);
  const dayMs = Date.UTC(year, month - 1, day);
  if (month < 1 || month > 12)
    return bad(`has no month ${month}; dates are read month first (MM/DD/YYYY) or as ISO 8601`);
  if (day < 1 || day > daysIn(year, month)) return bad(`has no day ${day} in month ${month} of ${year}`);
  if (hour > 23 || minute > 59 || second > 59) return bad('has no such time of day');
  return { kind: 'ms', ms: dayMs + ((hour * 60 + minute) * 60 + second) * 1_000 + fractionMs - offsetOf(parts[8]) };
}

/**
 * Reads `YYYY-MM-DD`, `YYYY/MM/DD`, `YYYY.MM.DD`, `MM/DD/YYYY`, `M/D/YY`, `YYYYMMDD`, each with or without a time
 * (`HH:MM`, seconds, fraction) and offset; `YYYYMMDD HHMMSSmmm`; and plain numbers, whose unit the caller decides.
 */
export function parseFileDate(cell: string): FileDate {
  const text = cell.trim();
  if (text === '') return bad('is required');
  if (text.length > dateChars) return bad('is not a date');
  if (plainNumber.test(text)) {
    const parts = dateDigits.test(text) ? compact.exec(text) : null;
    const date = parts ? instant(Number(parts[1]), Number(parts[2]), Number(parts[3]), parts) : null;
    return date?.kind === 'ms' ? date : { kind: 'number', value: Number(text) };
  }
  const iso = yearFirst.exec(text) ?? compact.exec(text);
  if (iso) return instant(Number(iso[1]), Number(iso[2]), Number(iso[3]), iso);
  const us = slashes.exec(text);
  if (!us) return bad('is not a date');
  // POSIX's rule for two digits: 69-99 are 19xx.
  const short = Number(us[3]);
  const year = (us[3] ?? '').length === 4 ? short : short >= 69 ? 1900 + short : 2000 + short;
  return instant(year, Number(us[1]), Number(us[2]), us);
}
