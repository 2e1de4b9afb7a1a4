import assert from 'node:assert/strict';
import { digestOf, IdIndex } from '../../../src/adapters/embedded/id-index';

/** A log of ids and the blocks that were written for them. */
function logOf(kept: number) {
  const ids: string[] = [];
  const blocks = new Map<number, Buffer>();
  const idOf = (seq: number): string => {
    const id = ids[seq - 1];
    if (id === undefined || id === 'damaged') throw new Error(`event ${seq} is damaged`);
    return id;
  };
  const open = (): IdIndex => {
    const index = new IdIndex(blocks, kept, idOf);
    index.catchUp(ids.length);
    return index;
  };
  const append = (index: IdIndex, added: readonly string[], digests = added.map(digestOf)): void => {
    const first = ids.length + 1;
    for (const [block, bytes] of index.blocksFor(first, digests)) blocks.set(block, bytes);
    ids.push(...added);
    index.committed(first, digests);
  };
  return { ids, blocks, open, append };
}

const many = (count: number, prefix = 'id'): string[] => Array.from({ length: count }, (_, i) => `${prefix} ${i}`);

describe('the index of ids', () => {
  it('finds what was committed, in this process and in the next, over many blocks', () => {
    const log = logOf(10_000);
    const index = log.open();
    for (let at = 0; at < 1_000; at += 37) log.append(index, many(37, `group ${at}`));
    for (const opened of [index, log.open()])
      for (const [i, id] of log.ids.entries()) assert.equal(opened.find(id, digestOf(id)), i + 1);
    assert.equal(index.find('never', digestOf('never')), null);
  });

  it('tells ids apart that share a digest', () => {
    const log = logOf(4);
    const index = log.open();
    log.append(index, ['a', 'b', 'c'], [7, 7, 7]);
    const found = (opened: IdIndex) => ['a', 'b', 'c', 'd'].map((id) => opened.find(id, 7));
    assert.deepEqual(found(index), [1, 2, 3, null]);
    assert.deepEqual(found(log.open()), [1, 2, 3, null]);
  });

  it('remembers exactly as many as it is told', () => {
    const log = logOf(3);
    const index = log.open();
    log.append(index, many(5));
    for (const opened of [index, log.open()])
      assert.deepEqual(
        many(5).map((id) => opened.find(id, digestOf(id))),
        [null, null, 3, 4, 5],
      );
    log.append(index, ['id 0']);
    assert.equal(index.find('id 0', digestOf('id 0')), 6);
  });

  it('takes in events whose write was thought to have failed', () => {
    const log = logOf(100);
    const index = log.open();
    log.append(index, ['a']);
    log.ids.push('b', 'c');
    index.catchUp(3);
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => index.find(id, digestOf(id))),
      [1, 2, 3],
    );
    log.append(index, ['d']);
    assert.equal(log.open().find('b', digestOf('b')), 2);
  });

  it('goes on when an event that is to be forgotten is damaged', () => {
    const log = logOf(2);
    const index = log.open();
    log.append(index, ['a', 'b']);
    log.ids[0] = 'damaged';
    log.append(index, ['c']);
    assert.equal(index.find('c', digestOf('c')), 3);
  });
});
