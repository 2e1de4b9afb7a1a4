import assert from 'node:assert/strict';
import type { Tick } from '../../src/core/domain/tick';
import { startMs, tick } from '../helpers/core';
import { codeOf, type Living, living, message } from '../helpers/living';

/** A batch of one tick at an entry of a stream. */
function entry(id: string, price: number, after?: string) {
  const one: Tick = tick('BTCUSDT', startMs + price, price);
  return message([one], { position: { feed: 'stream:in', entry: id, ...(after === undefined ? {} : { after }) } });
}

const everyTick = { strategyType: 'every_tick', strategyId: 'each' } as const;

describe('entries of a stream in a living engine', () => {
  let on: Living;
  beforeEach(async () => {
    on = await living();
    await on.engine.register(everyTick);
  });

  const take = (id: string, price: number, after?: string) => on.engine.processMarketData(entry(id, price, after));

  it('are taken once, and one that comes again is answered as a duplicate and leaves no trace on the tape', async () => {
    await take('1-0', 100, '');
    const { records } = on.handles.tape.health();
    const again = await take('1-0', 100, '');
    assert.deepEqual([again.ticksAccepted, again.rejected[0]?.message], [0, 'was seen before (duplicate)']);
    assert.equal(on.handles.tape.health().records, records);
    assert.equal(on.engine.feedEntry('stream:in'), '1-0');
    assert.deepEqual(await on.engine.feedStored('stream:in'), { entry: '1-0', isRefused: false });
  });

  it('are not evaluated while the tape takes nothing, and nothing after the first of them is until it comes again', async () => {
    await take('1-0', 100, '');
    on.disk.faults = { ...on.disk.faults, tape: 'full' };
    assert.equal(await codeOf(take('2-0', 101, '1-0')), 'ConnectionError');
    on.disk.faults = { ...on.disk.faults, tape: 'none' };
    assert.equal(await codeOf(take('3-0', 102, '2-0')), 'ConnectionError', 'one before it is missing');
    assert.equal((await on.engine.feedStored('stream:in')).isRefused, true);
    assert.equal(on.engine.feedEntry('stream:in'), '1-0');
    assert.equal((await take('2-0', 101, '1-0')).ticksAccepted, 1);
    assert.equal((await take('3-0', 102, '2-0')).ticksAccepted, 1);
    const { published } = on.output;
    on = await on.crash();
    assert.deepEqual(await on.engine.feedStored('stream:in'), { entry: '3-0', isRefused: false });
    assert.equal(new Set(published.map(({ signalId }) => signalId)).size, published.length);
  });

  it('that are cut into other batches than before are told from those that were taken', async () => {
    await take('1-0', 100, '');
    await take('3-0', 101, '1-0');
    assert.equal(await codeOf(take('4-0', 102, '1-0')), 'ConnectionError', 'it holds what was taken');
    assert.equal(await codeOf(take('5-0', 103, '4-0')), 'ConnectionError', 'one before it is missing');
    assert.equal((await take('4-0', 102, '3-0')).ticksAccepted, 1);
    assert.equal((await take('5-0', 103, '4-0')).ticksAccepted, 1);
  });

  it('whose batch somebody on the way left out do not hold up the next', async () => {
    await take('1-0', 100, '');
    assert.equal((await take('5-0', 101, '3-0')).ticksAccepted, 1);
  });

  it('are stored by a snapshot when the tape cannot say that it holds them', async () => {
    let isSafe = false;
    const { tape } = on.handles;
    Object.assign(tape, { synced: async () => isSafe });
    await take('1-0', 100, '');
    on.disk.faults = { ...on.disk.faults, snapshots: 'refuse' };
    assert.equal((await on.engine.feedStored('stream:in')).entry, '');
    isSafe = true;
    assert.equal((await on.engine.feedStored('stream:in')).entry, '', 'what it lost before is still in doubt');
    on.disk.faults = { ...on.disk.faults, snapshots: 'none' };
    assert.equal((await on.engine.feedStored('stream:in')).entry, '1-0');
  });
});
