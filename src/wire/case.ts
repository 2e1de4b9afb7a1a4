/**
 * The one mapping between the names inside (camelCase) and the names that a user sees (snake_case). `_x` ↔ `X` is the
 * whole rule, so it is a bijection and digits need no special case: `ci95_bps` ↔ `ci95Bps`, `sma_20` ↔ `sma_20`.
 */

const camelNames = new Map<string, string>();
const snakeNames = new Map<string, string>();
/** Names remembered; they come from our own types and, for parameters, from outside, hence the bound. */
const namesKept = 2_000;
const camelPattern = /[A-Z]/g;
const snakePattern = /_([a-z])/g;
const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** `executionTimeMs` → `execution_time_ms`. */
export function snakeName(name: string): string {
  const known = snakeNames.get(name);
  if (known !== undefined) return known;
  const snake = name.replace(camelPattern, (letter) => `_${letter.toLowerCase()}`);
  if (snakeNames.size < namesKept && name.length <= 64) snakeNames.set(name, snake);
  return snake;
}

/** `execution_time_ms` → `executionTimeMs`. */
export function camelName(name: string): string {
  const known = camelNames.get(name);
  if (known !== undefined) return known;
  const camel = name.replace(snakePattern, (_, letter: string) => letter.toUpperCase());
  if (camelNames.size < namesKept && name.length <= 64) camelNames.set(name, camel);
  return camel;
}

/** Sets a key that may be any text: `__proto__` becomes data, never the prototype. */
export function putKey(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

/**
 * A camelCase body as it goes out: keys of objects become snake_case at every depth, a Map becomes an object with its
 * keys verbatim, `undefined` and functions are dropped, a number that is not finite becomes `null`.
 */
export function toWire(value: unknown): unknown {
  return convertOut(value, false);
}

/** As `toWire`, for what comes in by a program: a number that is not finite stays one, to be refused by name. */
export function inputToWire(value: unknown): unknown {
  return convertOut(value, true);
}

function convertOut(value: unknown, isInput: boolean): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return isInput || Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return undefined;
  if (Array.isArray(value)) return value.map((one) => elementToWire(one, isInput));
  if (ArrayBuffer.isView(value))
    return Array.from(value as typeof value & ArrayLike<number>, (one) => elementToWire(one, isInput));
  if (value instanceof Set) return Array.from(value, (one) => elementToWire(one, isInput));
  if (value instanceof Date) return Number.isFinite(value.getTime()) ? value.toISOString() : null;
  const out: Record<string, unknown> = {};
  if (value instanceof Map) {
    for (const [key, inner] of value) putWire(out, String(key), inner, isInput);
  } else {
    for (const key of Object.keys(value)) {
      putWire(out, snakeName(key), (value as Readonly<Record<string, unknown>>)[key], isInput);
    }
  }
  return out;
}

function putWire(out: Record<string, unknown>, key: string, value: unknown, isInput: boolean): void {
  const wire = convertOut(value, isInput);
  if (wire !== undefined) putKey(out, key, wire);
}

function elementToWire(value: unknown, isInput: boolean): unknown {
  return convertOut(value, isInput) ?? null;
}

/**
 * A value with camelCase keys at every depth. The keys directly under a name of `dataKeyed` (`members` for what comes in)
 * are ids and stay as they are. `__proto__`, `constructor` and `prototype` are dropped wherever they stand as keys. The input is not changed.
 * Its depth must have been bounded before (`limits.jsonDepth`).
 */
export function fromWire(value: unknown, dataKeyed: ReadonlySet<string> = membersOnly): unknown {
  return convertIn(value, dataKeyed, false);
}

const membersOnly: ReadonlySet<string> = new Set(['members']);

function convertIn(value: unknown, dataKeyed: ReadonlySet<string>, verbatim: boolean): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => convertIn(inner, dataKeyed, false));
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const name = verbatim ? key : camelName(key);
    if (forbidden.has(key) || forbidden.has(name)) continue;
    const inner = (value as Readonly<Record<string, unknown>>)[key];
    out[name] = convertIn(inner, dataKeyed, dataKeyed.has(key) && !verbatim);
  }
  return out;
}
