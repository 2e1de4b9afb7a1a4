import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performanceOfSeries, type SeriesInput } from '../../../src/core/performance/series';

const folder = process.env.REFERENCES_DIR ?? join(__dirname, '../../../../shared/references');

export type Value = number | null;

/** A file of references; `null`, said loudly, where the folder is not there. */
export function load(name: string): Record<string, unknown> | null {
  const path = join(folder, name);
  if (!existsSync(path)) {
    console.warn(`    NOT RUN: ${path} is missing; set REFERENCES_DIR`);
    return null;
  }
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

/** Numbers, with NaN and ±Infinity as text. */
export const number = (value: unknown): number => (typeof value === 'number' ? value : Number(value));

/** NaN and ±Infinity of other libraries are `null` with a reason here. */
export const expectedOf = (value: unknown): Value => (Number.isFinite(number(value)) ? number(value) : null);

/** Fails unless within the tolerance; `null` equals only `null`. */
export function close(actual: Value, expected: Value, tolerance: number, id: string): void {
  if (expected === null || actual === null) assert.equal(actual, expected, id);
  else assert.ok(Math.abs(actual - expected) <= tolerance, `${id}: ${actual} is not ${expected} ± ${tolerance}`);
}

/** One metric of a series, checked to be `null` exactly where it has a reason. */
export function metric(input: SeriesInput, name: string): Value {
  const { metrics, reasons } = performanceOfSeries(input);
  const value = metrics[name];
  assert.notEqual(value, undefined, name);
  assert.equal(value === null, Object.hasOwn(reasons, name), `${name} is null exactly where it has a reason`);
  return value ?? null;
}
