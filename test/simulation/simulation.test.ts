import assert from 'node:assert/strict';
import type { Bug } from './faults';
import { simulate } from './simulation';

const seeds = Number(process.env.SIM_SEEDS ?? 200);

describe('the deterministic simulation', () => {
  it(`what was acknowledged is there once and the state is exact, after ${seeds} schedules with crashes`, async function () {
    this.timeout(Math.max(60_000, seeds * 500));
    const sums = { lives: 0, ticks: 0, signals: 0, executions: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const result = await simulate({ seed });
      sums.lives += result.lives;
      sums.ticks += result.ticks;
      sums.signals += result.signals;
      sums.executions += result.executions;
    }
    // A simulation in which nothing happens proves nothing.
    assert.ok(sums.lives > 4 * seeds, `${sums.lives} lives`);
    assert.ok(sums.ticks > 200 * seeds, `${sums.ticks} ticks`);
    assert.ok(sums.signals > 2 * seeds, `${sums.signals} signals`);
    assert.ok(sums.executions > 5 * seeds, `${sums.executions} executions`);
  });

  it('the same seed twice ends in the same hash', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      assert.deepEqual(await simulate({ seed }), await simulate({ seed }), `seed ${seed}`);
    }
    assert.notEqual((await simulate({ seed: 1 })).hash, (await simulate({ seed: 2 })).hash);
  });

  const bugs: readonly Bug[] = [
    'skips an event when read again',
    'forgets ids',
    'acknowledges before it is flushed',
    'keeps an old chunk of a symbol',
    'loses a record of the tape',
    'loses the marks of the log',
    'repeats a record of the tape',
  ];
  for (const bug of bugs) {
    it(`bites: a store that ${bug} is found out`, async () => {
      for (let seed = 1; seed <= 40; seed++) {
        const found = await simulate({ seed, bug }).then(
          () => false,
          () => true,
        );
        if (found) return;
      }
      assert.fail('forty schedules did not notice');
    });
  }
});
