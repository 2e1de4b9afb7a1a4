/** Instants as the outside writes them, and as we answer them. */
import { limits } from '../core/domain/limits';

export type ParsedTime = { readonly ms: number } | { readonly error: string };

const units = [
  { name: 'seconds', below: 1e11, perMs: 1e-3 },
  { name: 'milliseconds', below: 1e14, perMs: 1 },
  { name: 'microseconds', below: 1e17, perMs: 1e3 },
  { name: 'nanoseconds', below: Number.POSITIVE_INFINITY, perMs: 1e6 },
] as const;

const range = 'must be a time from 1970-01-02 to 2100-01-01';
const numeric = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const digitsPattern = /^(\d+)(?:\.(\d*))?$/;
const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?(?:\s?(Z|[+-]\d{2}(?::?\d{2})?))?)?$/i;
/** The longest text that can be a time: bounds the work of the patterns. */
const textChars = 64;

/**
 * An instant as integer milliseconds since the epoch, from a number (seconds, milliseconds, microseconds or nanoseconds,
 * told apart by size; fractions are cut to the millisecond), the same as text, or ISO 8601. A date-time without an
 * offset is read as UTC; a date alone is its midnight UTC. Outside 1970-01-02 … 2100-01-01 the error names the unit
 * that was read and, where another one would fit, that one.
 */
export function parseTimestamp(value: unknown): ParsedTime {
  if (typeof value === 'number') {
    // Almost every sender's form, answered without allocating more than the result.
    if (value >= 1e11 && value < 1e14) return checked(Math.floor(value), value);
    return parseNumber(value);
  }
  if (typeof value === 'string') return parseText(value);
  return { error: `${range}: a number or ISO 8601 text` };
}

function parseText(text: string): ParsedTime {
  const own = parseOwnForm(text);
  if (own !== null) return { ms: own };
  if (text.length <= textChars) {
    if (numeric.test(text)) return digitsPattern.test(text) ? cutDecimal(text) : parseNumber(Number(text));
    const parts = iso.exec(text);
    if (parts) return parseIso(parts);
  }
  return { error: `${range}: a number of seconds, milliseconds, microseconds or nanoseconds, or ISO 8601` };
}

function parseNumber(value: number): ParsedTime {
  if (!Number.isFinite(value)) return { error: `${range}, not ${value}` };
  if (value < 0) return outOfRange(value);
  if (value < 1e11) {
    if (Number.isInteger(value)) return checked(value * 1_000, value);
    const ms = value * 1_000;
    // Near a whole millisecond the product's rounding decides; the number's own decimals do not have that error.
    return Math.abs(ms - Math.round(ms)) > 1e-2 ? checked(Math.floor(ms), value) : cutDecimal(String(value));
  }
  if (value < 1e14) return checked(Math.floor(value), value);
  if (value < 1e17) return checked(Math.floor(value / 1e3), value);
  return value < 1e21 ? cutDecimal(String(value)) : outOfRange(value);
}

/** Cuts a decimal text to milliseconds digit by digit: exact where a double is not (nanoseconds, fractions). */
function cutDecimal(text: string): ParsedTime {
  const match = digitsPattern.exec(text);
  const value = Number(text);
  if (!match || !Number.isFinite(value)) return outOfRange(value);
  const [, whole = '0', fraction = ''] = match;
  if (value < 1e11) return checked(Number(whole) * 1_000 + Number(fraction.slice(0, 3).padEnd(3, '0')), value);
  if (value < 1e14) return checked(Number(whole), value);
  return checked(Number(BigInt(whole) / (value < 1e17 ? 1_000n : 1_000_000n)), value);
}

function parseIso(parts: RegExpExecArray): ParsedTime {
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset = 'Z'] = parts;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Date.UTC reads years below 100 as 19xx; none of them is in range anyway.
  if (Number(year) < 1970) return { error: `${range}, not ${parts[0]}` };
  const isReal = new Date(midnight).getUTCDate() === Number(day) && Number(month) >= 1 && Number(month) <= 12;
  const offsetMinutes = minutesOf(offset);
  if (!isReal || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || offsetMinutes === null) {
    return { error: `${range}: ${parts[0]} is no instant of the calendar` };
  }
  const clockMs = ((Number(hour) * 60 + Number(minute) - offsetMinutes) * 60 + Number(second)) * 1_000;
  const ms = midnight + clockMs + Number(fraction.slice(0, 3).padEnd(3, '0'));
  return isInRange(ms) ? { ms } : { error: `${range}, not ${parts[0]}` };
}

function minutesOf(offset: string): number | null {
  if (offset === 'Z' || offset === 'z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3).replace(':', '') || '0');
  if (hours > 18 || minutes > 59) return null;
  return (offset[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

function isInRange(ms: number): boolean {
  return ms >= limits.eventTimeMinMs && ms <= limits.eventTimeMaxMs;
}

function checked(ms: number, sent: number): ParsedTime {
  return isInRange(ms) ? { ms } : outOfRange(sent);
}

function outOfRange(sent: number): ParsedTime {
  if (Number.isNaN(sent)) return { error: range };
  if (sent <= 0) return { error: `${range}, not ${sent}` };
  const read = units.find((unit) => sent < unit.below) ?? units[3];
  const asRead = describe(sent / read.perMs);
  const likely = units.find((unit) => unit !== read && isInRange(sent / unit.perMs));
  const hint = likely ? `; as ${likely.name} it would be ${describe(sent / likely.perMs)}` : '';
  return { error: `${range}: by its size ${sent} is in ${read.name}, which is ${asRead}${hint}` };
}

function describe(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : 'past the calendar';
}

const dayMs = 86_400_000;
/** Where the four digits of a year end. */
const yearsEndMs = Date.UTC(10_000, 0);
const two = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
const three = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(3, '0'));

/** The calendar day met last: of many ticks in a row nearly all are of one, and only a day takes a calendar. */
let day = { number: 0, text: '1970-01-01T' };

/** ISO 8601 in UTC with milliseconds: `2026-01-01T12:00:00.000Z`. */
export function formatTimestamp(ms: number): string {
  if (!(ms >= 0 && ms < yearsEndMs && Math.floor(ms) === ms)) return new Date(ms).toISOString();
  const number = Math.floor(ms / dayMs);
  if (number !== day.number) day = { number, text: new Date(number * dayMs).toISOString().slice(0, 11) };
  const inDay = ms - number * dayMs;
  const minutes = Math.floor(inDay / 60_000);
  const inMinute = inDay - minutes * 60_000;
  const seconds = Math.floor(inMinute / 1_000);
  const hours = Math.floor(minutes / 60);
  return `${day.text}${two[hours]}:${two[minutes - hours * 60]}:${two[seconds]}.${three[inMinute - seconds * 1_000]}Z`;
}

/** What `formatTimestamp` has written, of the day met last; `null` for all else, which takes the full reading. */
function parseOwnForm(text: string): number | null {
  if (text.length !== 24 || !text.startsWith(day.text) || text[23] !== 'Z') return null;
  if (text[13] !== ':' || text[16] !== ':' || text[19] !== '.') return null;
  const hours = digits(text, 11, 2);
  const minutes = digits(text, 14, 2);
  const seconds = digits(text, 17, 2);
  const thousandths = digits(text, 20, 3);
  if (!(hours < 24 && minutes < 60 && seconds < 60 && thousandths >= 0)) return null;
  const ms = day.number * dayMs + ((hours * 60 + minutes) * 60 + seconds) * 1_000 + thousandths;
  return isInRange(ms) ? ms : null;
}

/** `NaN` where there is anything else than digits. */
function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let i = start; i < start + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** As `formatTimestamp`; `null` stays `null`. */
export function formatTimestampOrNull(ms: number | null): string | null {
  return ms === null ? null : formatTimestamp(ms);
}
