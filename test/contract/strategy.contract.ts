/** The strategy contract as mocha tests: one per promise, for one definition over one market. */
import assert from 'node:assert/strict';
import type { Bar } from '../../src/core/domain/bar';
import { checkStrategy, type StrategyCheck, type StrategySource } from '../../src/testing';

/** Registers the tests. `parameters` are those of the strategy; its defaults without them. */
export function strategyContract(
  name: string,
  source: StrategySource,
  bars: readonly Bar[],
  parameters: Readonly<Record<string, unknown>> = {},
): void {
  describe(`${name} keeps the strategy contract`, () => {
    let checks: readonly StrategyCheck[] = [];
    before(() => {
      checks = checkStrategy(source, bars, parameters);
    });
    it('in every promise', () => {
      assert.deepEqual(
        checks.filter((check) => !check.ok).map((check) => `${check.name}: ${check.message}`),
        [],
      );
      assert.equal(checks.length, 11);
    });
  });
}
