import assert from 'node:assert/strict';
import { RecentEvents } from '../../../src/adapters/redis/recent-events';
import { limits } from '../../../src/core/domain/limits';

describe('the recent events of a log', () => {
  /** Of a log that is long already. */
  const base = 1_000_000_000;
  const entryAt = (seq: number, seal: string) => ({ seq, version: 1, seal, body: '{}' });
  const seqsOf = (events: readonly { readonly seq: number }[] | null) => events?.map(({ seq }) => seq) ?? null;
  const remembering = (count: number) => {
    const recent = new RecentEvents();
    for (let i = 0; i < count; i++) recent.add(entryAt(base + i, `seal ${i}`));
    return recent;
  };

  it('are all behind an event that is still there, and none when nothing is gone', () => {
    const recent = remembering(5);
    assert.deepEqual(seqsOf(recent.behind(base + 2, 'seal 2')), [base + 3, base + 4]);
    assert.deepEqual(seqsOf(recent.behind(base + 4, 'seal 4')), []);
  });

  it('are not told behind an event that is another one here, nor across what was not seen', () => {
    const recent = remembering(3);
    assert.equal(recent.behind(base + 1, 'another'), null);
    recent.add(entryAt(base + 4, 'seal 4'));
    assert.equal(recent.behind(base + 2, 'seal 2'), null);
    recent.add(entryAt(base + 3, 'seal 3'));
    assert.deepEqual(seqsOf(recent.behind(base + 2, 'seal 2')), [base + 3, base + 4]);
  });

  it('are bounded: behind the oldest that is remembered they are told, behind the one before it not', () => {
    const count = limits.eventsRecalled + 10;
    const recent = remembering(count);
    assert.equal(recent.behind(base + 10, 'seal 10')?.length, limits.eventsRecalled - 1);
    assert.equal(recent.behind(base + 9, 'seal 9'), null);
  });
});
