import assert from 'node:assert/strict';
import { simulate } from './simulation';

const seeds = Number(process.env.SIM_SEEDS ?? 20_000);
/** The ordinary run has those below. */
const first = 1_001;

describe('the deterministic simulation, at length', () => {
  it(`holds for ${seeds} seeds`, async () => {
    const failed: string[] = [];
    for (let seed = first; seed < first + seeds; seed++) {
      await simulate({ seed, steps: 30 + (seed % 60) }).catch((error: Error) => failed.push(error.message));
    }
    assert.deepEqual(failed, []);
  });
});
