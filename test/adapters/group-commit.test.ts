import assert from 'node:assert/strict';
import { createGroupCommit } from '../../src/adapters/group-commit';
import { EngineError } from '../../src/core/domain/errors';
import { limits } from '../../src/core/domain/limits';
import type { NewEvent } from '../../src/core/domain/log-event';
import type { AppendOutcome } from '../../src/live/ports';
import { executionEvent } from '../contract/event-log.contract';
import { createManualClock } from '../helpers/manual-clock';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

const answers = (events: readonly NewEvent[]): AppendOutcome[] =>
  events.map((_, i) => ({ kind: 'duplicate', seq: i, sameContent: true }));

/** A store whose writes the test answers itself. */
function manualStore() {
  const groups: { events: readonly NewEvent[]; succeed(): void; fail(error: Error): void }[] = [];
  const commit = (events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> =>
    new Promise((resolve, reject) => {
      groups.push({ events, succeed: () => resolve(answers(events)), fail: reject });
    });
  return { groups, commit };
}

async function codeAndRetry(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'fulfilled',
    (error: unknown) => (error instanceof EngineError ? [error.code, error.retryAfterS] : error),
  );
}

describe('group commit', () => {
  it('callers that arrive together are written together, one write in flight at a time', async () => {
    const { groups, commit } = manualStore();
    const group = createGroupCommit({ clock: createManualClock(), commit });
    const first = [group.append([executionEvent('a')]), group.append([executionEvent('b'), executionEvent('c')])];
    await turn();
    const second = [group.append([executionEvent('d')]), group.append([executionEvent('e')])];
    await turn();
    assert.deepEqual(
      groups.map((g) => g.events.map((event) => event.id)),
      [['a', 'b', 'c']],
    );
    groups[0]?.succeed();
    assert.deepEqual(await Promise.all(first), [
      [{ kind: 'duplicate', seq: 0, sameContent: true }],
      [
        { kind: 'duplicate', seq: 1, sameContent: true },
        { kind: 'duplicate', seq: 2, sameContent: true },
      ],
    ]);
    await turn();
    assert.equal(groups.length, 2);
    groups[1]?.succeed();
    await Promise.all(second);
  });

  it('no write holds more events than allowed, and no call is torn apart', async () => {
    const { groups, commit } = manualStore();
    const group = createGroupCommit({ clock: createManualClock(), commit });
    const size = 40;
    const calls = [0, 1, 2].map((call) =>
      group.append(Array.from({ length: size }, (_, i) => executionEvent(`${call}-${i}`))),
    );
    for (let i = 0; i < 3; i++) {
      await turn();
      assert.equal(groups[i]?.events.length, size);
      groups[i]?.succeed();
    }
    assert.equal((await Promise.all(calls)).flat().length, 3 * size);
  });

  it('a store that does not answer times every caller out in time, also those that wait behind', async () => {
    const clock = createManualClock();
    const { groups, commit } = manualStore();
    const group = createGroupCommit({ clock, commit });
    const inFlight = codeAndRetry(group.append([executionEvent('a')]));
    await turn();
    const behind = codeAndRetry(group.append([executionEvent('b')]));
    clock.advance(limits.storeMs);
    assert.deepEqual(await inFlight, ['TimeoutError', 1]);
    assert.deepEqual(await behind, ['TimeoutError', 1]);
    groups[0]?.succeed();
    await turn();
    assert.equal(groups.length, 1, 'what timed out while waiting is not written later');
    assert.equal(clock.pending(), 0);
    const later = group.append([executionEvent('c')]);
    await turn();
    groups[1]?.succeed();
    assert.equal((await later).length, 1);
  });

  it('a failing write fails its callers with ConnectionError and nobody else', async () => {
    const { groups, commit } = manualStore();
    const group = createGroupCommit({ clock: createManualClock(), commit });
    const failing = codeAndRetry(group.append([executionEvent('a')]));
    await turn();
    const next = group.append([executionEvent('b')]);
    groups[0]?.fail(new Error('ENOSPC'));
    assert.deepEqual(await failing, ['ConnectionError', 1]);
    await turn();
    groups[1]?.succeed();
    assert.equal((await next).length, 1);
  });

  it('more callers than may wait are refused at once', async () => {
    const clock = createManualClock();
    const { groups, commit } = manualStore();
    const group = createGroupCommit({ clock, commit });
    const first = codeAndRetry(group.append([executionEvent('first')]));
    await turn();
    const waiting = Array.from({ length: limits.appendsWaiting }, (_, i) =>
      codeAndRetry(group.append([executionEvent(`w${i}`)])),
    );
    assert.deepEqual(await codeAndRetry(group.append([executionEvent('one more')])), ['ConnectionError', 1]);
    clock.advance(limits.storeMs);
    for (const outcome of await Promise.all([first, ...waiting])) assert.deepEqual(outcome, ['TimeoutError', 1]);
    assert.equal(groups.length, 1);
  });

  it('closing lets what waits be written, and says so when the store does not answer', async () => {
    const clock = createManualClock();
    const { groups, commit } = manualStore();
    const group = createGroupCommit({ clock, commit });
    const written = group.append([executionEvent('a')]);
    const closing = group.close();
    assert.deepEqual(await codeAndRetry(group.append([executionEvent('late')])), ['ConnectionError', 1]);
    await turn();
    groups[0]?.succeed();
    await written;
    assert.equal(await closing, true);

    const stalled = createGroupCommit({ clock, commit });
    const stuck = codeAndRetry(stalled.append([executionEvent('b')]));
    await turn();
    const givingUp = stalled.close();
    clock.advance(limits.closeMs);
    assert.equal(await givingUp, false);
    assert.deepEqual(await stuck, ['TimeoutError', 1]);
  });
});
