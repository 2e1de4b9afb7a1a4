import assert from 'node:assert/strict';
import { createMemoryLog } from '../../../src/adapters/memory/event-log';
import { createMemorySnapshots } from '../../../src/adapters/memory/snapshots';
import { createMemoryTape } from '../../../src/adapters/memory/tape';
import { eventLogContract, executionEvent } from '../../contract/event-log.contract';
import { snapshotsContract } from '../../contract/snapshots.contract';
import { positions, recordOf, tapeContract } from '../../contract/tape.contract';

const nothing = async (): Promise<void> => {};

eventLogContract('memory', async ({ executionIds }) => ({ log: createMemoryLog({ executionIds }), dispose: nothing }));
snapshotsContract('memory', async () => ({ snapshots: createMemorySnapshots(), dispose: nothing }));
tapeContract('memory', () => ({ tape: createMemoryTape(), dispose: nothing }));

describe('memory stores', () => {
  it('the tape keeps the newest items only, and its positions go on', () => {
    const tape = createMemoryTape({ items: 30 });
    for (let i = 1; i <= 100; i++) tape.append(recordOf(i));
    const left = positions(tape);
    assert.ok(left.length >= 9 && left.length <= 30);
    assert.equal(left[left.length - 1], 100);
    assert.equal(tape.lastPosition(), 100);
  });

  it('reading events the log no longer keeps is refused rather than answered with a gap', async () => {
    const log = createMemoryLog({ executionIds: 3 });
    for (let i = 1; i <= 5; i++) await log.append([executionEvent(`e${i}`)]);
    await assert.rejects(log.read(0, 10), /event 1 is no longer kept/);
    assert.equal((await log.read(2, 10)).length, 3);
  });
});
