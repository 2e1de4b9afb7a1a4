import { limits } from '../../core/domain/limits';
import type { Clock, Logger } from '../../live/ports';
import { systemClock } from './clock';

/** From talkative to quiet. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface ConsoleLoggerOptions {
  /** Least level that is written; default `info`. */
  readonly level?: LogLevel;
  /** One JSON object a line for machines, or a readable line; default `text`. */
  readonly format?: 'json' | 'text';
  readonly clock?: Clock;
  /** Takes a whole line without its end; default standard error, so that standard output stays for results. */
  readonly write?: (line: string) => void;
}

const hidden = '[redacted]';
const secretKey = /token|password|passwd|secret|authorization|api_?key|credential/i;
// Starts at a literal, so it is linear on hostile text; up to the last @ because passwords are often left unescaped.
const credentialsInUrl = /\/\/[^\s/]*@/g;
// Control characters and line separators: what a forged log line is made of.
const control = /[\p{Cc}\u2028\u2029]/gu;

/** The text without `user:password` in any URL of it, cut to `limits.logValueChars`. */
export function redactText(text: string): string {
  const cut = text.length > limits.logValueChars ? `${text.slice(0, limits.logValueChars)}…` : text;
  return cut.replace(credentialsInUrl, `//${hidden}@`);
}

/** A copy that is safe to write down: secrets hidden, cycles and depth bounded, every value one that JSON has. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= limits.logDepth) return '[…]';
  if (value instanceof Error) {
    const cause = value.cause === undefined ? {} : { cause: redact(value.cause, depth + 1) };
    return { name: value.name, message: redactText(value.message), stack: redactText(value.stack ?? ''), ...cause };
  }
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, 100).map((entry) => redact(entry, depth + 1));
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
  const safe: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of entries.slice(0, 100)) {
    const name = String(key);
    safe[name] = secretKey.test(name) && entry !== null && entry !== undefined ? hidden : redact(entry, depth + 1);
  }
  return safe;
}

function textLine(at: string, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `${at} ${level.toUpperCase().padEnd(5)} ${message}${rest.join('')}`.replace(control, ' ');
}

/**
 * Writes one line an event. Passwords in URLs and anything under a key that speaks of a token, password or secret never
 * reach the line, and no text sent by others can start a second one. Never throws.
 */
export function createConsoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const least = logLevels.indexOf(options.level ?? 'info');
  const clock = options.clock ?? systemClock;
  const write = options.write ?? ((line: string) => process.stderr.write(`${line}\n`));
  const log = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    if (logLevels.indexOf(level) < least) return;
    try {
      const at = new Date(clock.nowMs()).toISOString();
      const safe = redact(fields) as Readonly<Record<string, unknown>>;
      const text = redactText(message);
      write(
        options.format === 'json'
          ? JSON.stringify({ ...safe, timestamp: at, level, message: text })
          : textLine(at, level, text, safe),
      );
    } catch {
      // A log that cannot be written must not take the engine with it, and there is nowhere left to say so.
    }
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
  };
}
