import assert from 'node:assert/strict';
import { figure } from '../helpers/figures';
import { simulate } from './simulation';

const seeds = Number(process.env.SIM_SEEDS ?? 20_000);
/** The ordinary run has those below. */
const first = 1_001;

describe('the deterministic simulation, at length', () => {
  it(`holds for ${seeds} seeds`, async () => {
    const failed: string[] = [];
    const sums = { lives: 0, ticks: 0, executions: 0 };
    for (let seed = first; seed < first + seeds; seed++) {
      await simulate({ seed, steps: 30 + (seed % 60) }).then(
        ({ lives, ticks, executions }) => {
          sums.lives += lives;
          sums.ticks += ticks;
          sums.executions += executions;
        },
        (error: Error) => failed.push(error.message),
      );
    }
    const value = `${seeds} seeds, ${sums.lives} lives, ${sums.ticks} ticks, ${sums.executions} executions, ${failed.length} differ`;
    figure('T14', 'deterministic simulation against a model', value, '0 differ', failed.length === 0, { seed: first });
    assert.deepEqual(failed, []);
  });
});
