/** JSON text from outside, bounded before it is parsed. */
import { EngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';

const quoteCode = 0x22;
const backslashCode = 0x5c;
const commaCode = 0x2c;

/** What keeps a text from being parsed. */
export type TextProblem = 'too deep' | 'too many entries';

/** Fewer characters cannot hold more entries than `limits.ticksPerRequest`. */
const fewChars = 2 * limits.ticksPerRequest;
/**
 * An object without brackets or escapes in it: as an item of market data is. Its strings hold no bracket, so an opening
 * bracket is never taken together with one that stands in a string; at most one level of nesting goes with it.
 */
const flatObject = /\{(?:[^{}[\]"]|"[^"\\{}[\]]*")*\}/g;

/**
 * Whether brackets nest deeper than `limits.jsonDepth`, or one of them holds more than `limits.ticksPerRequest` entries,
 * read off the text (what stands inside strings does not count). It is asked before parsing: what is deep overflows the
 * stack of whoever clones or prints it later, and parsing megabytes only to count them stalls the loop.
 */
export function textProblem(text: string): TextProblem | null {
  if (text.length > fewChars) return scan(text);
  return !hasManyBrackets(text) || !hasManyBrackets(text.replace(flatObject, '')) ? null : scan(text);
}

/** Few opening brackets cannot nest deep: the search is native, the scan is not. */
function hasManyBrackets(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('{'); at !== -1; at = text.indexOf('{', at + 1)) {
    if (++count >= limits.jsonDepth) return true;
  }
  for (let at = text.indexOf('['); at !== -1; at = text.indexOf('[', at + 1)) {
    if (++count >= limits.jsonDepth) return true;
  }
  return false;
}

function scan(text: string): TextProblem | null {
  const commas = new Int32Array(limits.jsonDepth + 1);
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quoteCode) {
      i = endOfString(text, i);
    } else if (code === commaCode) {
      const count = (commas[depth] ?? 0) + 1;
      if (count >= limits.ticksPerRequest) return 'too many entries';
      commas[depth] = count;
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > limits.jsonDepth) return 'too deep';
      commas[depth] = 0;
    } else if (code === 0x7d || code === 0x5d) {
      if (depth > 0) depth--;
    }
  }
  return null;
}

/** Index of the closing quote of the string that starts at `start` (the text's length when it has none). */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quoteCode) return i;
    if (code === backslashCode) i++;
  }
  return text.length;
}

/** Whether the text takes more bytes than that in UTF-8. */
function isLongerThan(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes);
}

/**
 * The value of a JSON text whose size and depth are within bounds.
 * @throws EngineError `PayloadTooLargeError`, `JSONDecodeError`.
 */
export function parseJson(text: string, maxBytes: number = limits.bodyBytesMax): unknown {
  if (isLongerThan(text, maxBytes)) {
    throw new EngineError('PayloadTooLargeError', `the body must have at most ${maxBytes} bytes`);
  }
  const problem = textProblem(text);
  if (problem === 'too deep') {
    throw new EngineError('JSONDecodeError', `the body must not be nested deeper than ${limits.jsonDepth}`);
  }
  if (problem === 'too many entries') {
    throw new EngineError('PayloadTooLargeError', `a list must have at most ${limits.ticksPerRequest} entries`);
  }
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (thrown) {
    const where = thrown instanceof SyntaxError ? /at position \d+/.exec(thrown.message)?.[0] : undefined;
    const empty = text.trim() === '';
    const message = empty ? 'the body is empty; JSON is expected' : `the body is not JSON${where ? ` (${where})` : ''}`;
    throw new EngineError('JSONDecodeError', message);
  }
}
