/**
 * Contests between us and a ceiling or a peer, in one run: A B A B …, the first round thrown away, medians. A rate is
 * work done per second of processor time of this process, since machines are shared; a latency is in milliseconds.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../helpers/repository';
import { shortfall } from './reasons';

/** One side. `run` does a portion of the work and answers how much it was, or with `latency` the figure itself. */
export interface Side {
  readonly name: string;
  run(): Promise<number> | number;
}

export interface Contest {
  readonly name: string;
  readonly unit: string;
  readonly ours: Side;
  readonly peer: Side;
  /** Ratio ours over peer to reach; for latencies not to exceed. `null`: shown for orientation. */
  readonly goal: number | null;
  /** A latency in ms rather than a rate. */
  readonly isLatency?: boolean;
  /** Work per second of the clock on the wall, where a disk decides and not a processor. */
  readonly isWallClock?: boolean;
  /** Processor time so far, in µs, where another process than this one does the work. */
  cpuUs?(): number;
  readonly rounds?: number;
  /** What else is worth saying, once it is over. */
  note?(): string;
  close?(): Promise<void>;
}

export interface Outcome {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly goal: number | null;
  readonly met: boolean | null;
  readonly rounds: number;
  readonly note: string | null;
}

const roundsMin = 5;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

async function measure(side: Side, contest: Contest): Promise<number> {
  const used = () => contest.cpuUs?.() ?? process.cpuUsage().user + process.cpuUsage().system;
  const before = used();
  const beganAt = performance.now();
  const done = await side.run();
  const tookMs = performance.now() - beganAt;
  const tookUs = used() - before;
  if (contest.isLatency) return done;
  return contest.isWallClock ? (done * 1_000) / tookMs : (done * 1e6) / tookUs;
}

/** Runs a contest; the order of the sides alternates, so that neither always has the warmer machine. */
export async function hold(contest: Contest): Promise<Outcome> {
  const { ours, peer, isLatency = false, rounds = roundsMin } = contest;
  const results: [number, number][] = [];
  for (let round = 0; round <= rounds; round++) {
    const first = round % 2 === 0 ? ours : peer;
    const one = await measure(first, contest);
    const other = await measure(first === ours ? peer : ours, contest);
    if (round > 0) results.push(first === ours ? [one, other] : [other, one]);
  }
  const note = contest.note?.() ?? null;
  await contest.close?.();
  const ratios = results.map(([a, b]) => a / b);
  const ratio = median(ratios);
  const { goal } = contest;
  return {
    name: contest.name,
    unit: contest.unit,
    ours: median(results.map(([a]) => a)),
    peer: median(results.map(([, b]) => b)),
    peerName: peer.name,
    ratio,
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    goal,
    met: goal === null ? null : isLatency ? ratio <= goal : ratio >= goal,
    rounds,
    note,
  };
}

function figure(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 1_000)} k`;
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

/** The table, as lines. */
export function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((one) => [
    one.name,
    `${figure(one.ours)} ${one.unit}`,
    `${figure(one.peer)} (${one.peerName})`,
    `${one.ratio.toFixed(2)} (${one.ratioMin.toFixed(2)}–${one.ratioMax.toFixed(2)})`,
    one.goal === null ? '–' : one.goal.toFixed(2),
    one.met === null ? '–' : one.met ? 'yes' : 'no',
  ]);
  const head = ['name', 'ours', 'ceiling or peer', 'ratio', 'goal', 'met?'];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => (row[i] ?? '').length)));
  const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ');
  const notes = outcomes.flatMap((one) => (one.note === null ? [] : [`${one.name}: ${one.note}`]));
  const missed = outcomes.flatMap((one) => shortfall(one.name, one.ratio, one.goal, one.met) ?? []);
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(head), rule, ...rows.map(line), '', ...notes, ...missed].join('\n');
}

/** The compiled module, as users run it; `BENCH_DIST` names another build to measure. */
export function built<T>(path: string): T {
  return require(join(process.env.BENCH_DIST ?? join(root, 'dist'), 'src', path)) as T;
}

/** The commit that was measured, where git can tell. */
export function commit(): string | null {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
