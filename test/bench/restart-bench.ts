/** P11: from the start of the process to the first evaluated tick after kill -9, with what an engine at work holds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNode } from '../helpers/child';
import { until } from '../helpers/until';
import type { Contest } from './harness';

const script = join(__dirname, 'restart-child.ts');
const symbols = 1_000;

async function started(path: string): Promise<number> {
  const child = startNode([script, path, '1', 'start'], { env: { STARTED_MS: String(Date.now()) } });
  await until('it trades', () => child.stdout().includes('ready'), 30_000);
  child.kill('SIGKILL');
  await child.ended;
  return Number(child.stdout().split(' ')[1]);
}

export async function p11(): Promise<readonly Contest[]> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  const path = join(dir, 'engine');
  const child = startNode([script, path, String(symbols), 'fill']);
  await until('it is filled', () => child.stdout().includes('filled'), 120_000);
  // What came since the snapshot is replayed from the tape.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  child.kill('SIGKILL');
  await child.ended;
  let worstMs = 0;
  const ours = async () => {
    const tookMs = await started(path);
    worstMs = Math.max(worstMs, tookMs);
    return tookMs;
  };
  return [
    {
      name: `P11 restart after kill -9, ${symbols} symbols, 50 strategies`,
      unit: 'ms to the first evaluated tick',
      isLatency: true,
      goal: null,
      ours: { name: 'engine at work', run: ours },
      peer: { name: 'empty engine', run: () => started(join(dir, 'empty')) },
      note: () =>
        `goal: under 2,000 ms; the slowest of all rounds took ${Math.round(worstMs)} ms, loading the sources included`,
      async close() {
        rmSync(dir, { recursive: true, force: true });
      },
    },
  ];
}
