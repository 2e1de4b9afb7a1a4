/** T5 in short: Redis away and frozen for 5 s under load; every request is answered, and nothing is lost or doubled. */
import assert from 'node:assert/strict';
import { limits } from '../../src/core/domain/limits';
import { endure } from '../faults/outage';

const seed = Number(process.env.TEST_SEED ?? 20_260_105);
const clients = 16;

describe(`a Redis that is away for 5 s under ${clients} clients (seed ${seed})`, function () {
  this.timeout(60_000);

  for (const [kind, status] of [
    ['down', 503],
    ['frozen', 504],
  ] as const) {
    it(`${kind}: requests are answered ${status} in time, the process lives, and sums are exact afterwards`, async () => {
      const endured = await endure({ kind, forS: 5, pace: { clients }, seed });
      const told = JSON.stringify({ ...endured, statuses: [...endured.statuses] });
      assert.ok(endured.isExact, told);
      assert.ok(!endured.hasExited, told);
      // Client and server share a machine with others: the tight figures are measured at length.
      assert.ok(endured.slowestMs < limits.requestMs, told);
      assert.ok(endured.firstSuccessMs < limits.redisRetryMaxMs + limits.requestMs, told);
      assert.ok(endured.logLines < 20, told);
      assert.equal(endured.statuses.get(0) ?? 0, 0, told);
      assert.ok((endured.statuses.get(status) ?? 0) > clients * 3, told);
      const others = [...endured.statuses.keys()].filter((one) => ![200, 503, 504].includes(one));
      assert.deepEqual(others, [], told);
    });
  }
});
