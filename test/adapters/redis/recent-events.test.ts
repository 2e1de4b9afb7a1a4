import assert from 'node:assert/strict';
import { RecentEvents } from '../../../src/adapters/redis/recent-events';
import { limits } from '../../../src/core/domain/limits';

describe('the recent events of a log', () => {
  /** Of a log that is long already. */
  const base = 1_000_000_000;
  const entryAt = (seq: number) => ({ seq, version: 1, seal: `seal ${seq}`, body: '{}' });
  const seqsOf = (events: readonly { readonly seq: number }[]) => events.map(({ seq }) => seq - base);
  const remembering = (...places: number[]) => {
    const recent = new RecentEvents();
    for (const place of places) recent.add(entryAt(base + place));
    return recent;
  };
  const firsts = (count: number) => Array.from({ length: count }, (_, place) => place);

  it('are told behind an event in order, and none behind the newest', () => {
    const recent = remembering(...firsts(5));
    assert.deepEqual(seqsOf(recent.behind(base + 2, 10)), [3, 4]);
    assert.deepEqual(seqsOf(recent.behind(base, 2)), [1, 2]);
    assert.deepEqual(seqsOf(recent.behind(base + 4, 10)), []);
    assert.deepEqual(recent.newest, { seq: base + 4, seal: `seal ${base + 4}` });
  });

  it('are told up to what was not seen, and across it once it was', () => {
    const recent = remembering(0, 1, 2, 4, 5);
    assert.deepEqual(seqsOf(recent.behind(base, 10)), [1, 2]);
    assert.deepEqual(seqsOf(recent.behind(base + 2, 10)), []);
    assert.deepEqual(seqsOf(recent.behind(base + 3, 10)), [4, 5]);
    recent.add(entryAt(base + 3));
    assert.deepEqual(seqsOf(recent.behind(base, 10)), [1, 2, 3, 4, 5]);
  });

  it('tell the newest that a log has of them, wherever it ends', () => {
    const recent = remembering(1, 2, 5, 6);
    const closest = (place: number) => recent.upTo(base + place)?.seq;
    assert.equal(closest(0), undefined);
    for (const [place, known] of [
      [1, 1],
      [3, 2],
      [4, 2],
      [5, 5],
      [900, 6],
    ] as const)
      assert.equal(closest(place), base + known, String(place));
  });

  it('are bounded: of more than can be put back the oldest are forgotten', () => {
    const recent = remembering(...firsts(limits.eventsRecalled + 10));
    assert.equal(recent.behind(base + 9, Number.POSITIVE_INFINITY).length, limits.eventsRecalled);
    assert.deepEqual(recent.behind(base + 8, 1), []);
    assert.equal(recent.upTo(base + 9), undefined);
  });
});
