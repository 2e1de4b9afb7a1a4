import assert from 'node:assert/strict';
import { EngineError } from '../../src/core/domain/errors';
import { numbered, numberedNewest, page } from '../../src/live/page';

describe('pages of a list', () => {
  it('newest first repeat nothing when entries come between two of them', () => {
    const first = page(numberedNewest(['d', 'c', 'b', 'a'], 4), { limit: 2 });
    assert.deepEqual(first, { items: ['d', 'c'], cursor: '2' });
    const second = page(numberedNewest(['f', 'e', 'd', 'c', 'b', 'a'], 6), { limit: 2, cursor: '2' });
    assert.deepEqual(second, { items: ['b', 'a'], cursor: null });
    const gone = page(numberedNewest(['g', 'f', 'e'], 7), { limit: 2, cursor: '2' });
    assert.deepEqual(gone, { items: [], cursor: null });
    assert.deepEqual(page(numberedNewest(['i'], 9), { cursor: '5' }).items, []);
  });

  it('oldest first skip nothing when entries go between two of them', () => {
    const all = numbered(['a', 'b', 'c', 'd']);
    assert.deepEqual(page(all, { limit: 2 }), { items: ['a', 'b'], cursor: '2' });
    const left = all.filter(({ item }) => item !== 'a' && item !== 'c');
    assert.deepEqual(page(left, { limit: 2, cursor: '2' }), { items: ['d'], cursor: null });
  });

  it('begin with a cursor of ours and hold 1 to 1,000', () => {
    const list = numbered(Array.from({ length: 1_001 }, (_, i) => i));
    assert.equal(page(list).items.length, 100);
    assert.deepEqual(page(list, { limit: 1_000 }).cursor, '1000');
    for (const query of [
      { limit: 0 },
      { limit: 1_001 },
      { limit: 1.5 },
      { cursor: 'x' },
      { cursor: '-1' },
      { cursor: ' ' },
    ]) {
      assert.throws(() => page(list, query), EngineError, JSON.stringify(query));
    }
    assert.deepEqual(page([], { cursor: '5' }), { items: [], cursor: null });
  });
});
