/** What a long test measured, kept beside the repository until it is written into PRODUCTION.md. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository';

/** Merged by id: the figures of the last run of each test. Not part of the repository. */
export const figuresFile = process.env.FIGURES_FILE ?? join(root, 'long-results.json');

/** Per commit, nightly, before a release. */
export type Tier = 'C' | 'N' | 'R';

export interface Figure {
  /** Of the test, as `T8`; a test with several figures numbers them: `T8.gap`. */
  readonly id: string;
  readonly what: string;
  readonly value: string;
  /** What it has to be. */
  readonly goal: string;
  readonly met: boolean;
}

export interface Measured extends Figure {
  readonly date: string;
  readonly node: string;
  readonly redis: string;
  readonly tier: Tier;
  readonly seed: number | null;
}

export interface Circumstances {
  readonly tier?: Tier;
  readonly seed?: number;
}

let redis: string | null = null;

function redisVersion(): string {
  if (redis !== null) return redis;
  try {
    const found = JSON.parse(execFileSync(process.execPath, [join(root, '.ci/redis.mjs')], { encoding: 'utf8' }));
    const env = found.libraryPath === '' ? process.env : { ...process.env, LD_LIBRARY_PATH: found.libraryPath };
    const said = execFileSync(found.bin, ['--version'], { encoding: 'utf8', env });
    redis = /v=([\d.]+)/.exec(said)?.[1] ?? 'unknown';
  } catch {
    redis = 'none';
  }
  return redis;
}

/** The figures kept so far; none when the file is missing or is not what was written. */
export function keptFigures(file = figuresFile): readonly Measured[] {
  if (!existsSync(file)) return [];
  const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return Array.isArray(kept) ? (kept as Measured[]) : [];
}

/** Tells a figure and keeps it in place of the one that had its id. Answers `met`, so that a test can assert on it. */
export function figure(
  id: string,
  what: string,
  value: string | number,
  goal: string,
  met: boolean,
  { tier = 'N', seed }: Circumstances = {},
  file = figuresFile,
): boolean {
  const shown = typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 3 }) : value;
  console.log(`      ${met ? 'met' : 'MISSED'} ${id} ${what}: ${shown} (goal: ${goal})`);
  const date = new Date().toISOString().slice(0, 10);
  const circumstances = { date, node: process.version, redis: redisVersion(), tier, seed: seed ?? null };
  const others = keptFigures(file).filter((kept) => kept.id !== id);
  const all = [...others, { id, what, value: shown, goal, met, ...circumstances }];
  all.sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
  // A run that is killed in mid-write must not cost the figures of the others.
  writeFileSync(`${file}.new`, `${JSON.stringify(all, null, 2)}\n`);
  renameSync(`${file}.new`, file);
  return met;
}
