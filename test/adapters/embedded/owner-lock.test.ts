import assert from 'node:assert/strict';
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acquireOwnerLock } from '../../../src/adapters/embedded/owner-lock';
import { openEmbeddedStore } from '../../../src/adapters/embedded/store';
import { systemClock } from '../../../src/adapters/system/clock';
import { limits } from '../../../src/core/domain/limits';
import { executionEvent } from '../../contract/event-log.contract';
import { createManualClock } from '../../helpers/manual-clock';
import { recordingLogger, temporaryDirectory } from '../../helpers/temporary';

const onLinux = process.platform === 'linux';

describe('the owner of an embedded store', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let file: string;

  beforeEach(() => {
    directory = temporaryDirectory('lock');
    file = join(directory.path, 'owner.lock');
  });

  afterEach(() => directory.remove());

  /** What a lock of this process says, to be changed by the test. */
  async function ownLock(): Promise<Record<string, unknown>> {
    const lock = await acquireOwnerLock(directory.path, systemClock);
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    lock.release();
    return owner;
  }

  const taken = async (owner: unknown, clock = systemClock): Promise<boolean> => {
    writeFileSync(file, typeof owner === 'string' ? owner : JSON.stringify(owner));
    const lock = await acquireOwnerLock(directory.path, clock).catch(() => null);
    lock?.release();
    return lock !== null;
  };

  it('a living owner keeps the store, and the refusal names the path and the process', async () => {
    const lock = await acquireOwnerLock(directory.path, systemClock);
    await assert.rejects(acquireOwnerLock(directory.path, systemClock), {
      code: 'ConnectionError',
      message: new RegExp(`"${directory.path}" is in use by process ${process.pid}`),
    });
    lock.release();
    (await acquireOwnerLock(directory.path, systemClock)).release();
  });

  it('a lock left by a process that is gone is taken over', async () => {
    const owner = await ownLock();
    // Beyond the largest pid that any system gives.
    assert.equal(await taken({ ...owner, pid: 2 ** 30 }), true);
  });

  it('a living process that only got the dead owner’s pid does not keep the store', async () => {
    const owner = await ownLock();
    if (!onLinux) return assert.equal(owner.start, '');
    assert.equal(await taken({ ...owner, pid: process.ppid, start: '1' }), true);
    assert.equal(await taken({ ...owner, start: `${Number(owner.start) + 1}` }), true);
  });

  it('a lock from before the machine was started again is taken over', async () => {
    const owner = await ownLock();
    if (!onLinux) return assert.equal(owner.boot, '');
    assert.equal(await taken({ ...owner, boot: 'another start' }), true);
  });

  it('where the pid says nothing, an owner counts as dead once it stopped touching its lock', async () => {
    const owner = await ownLock();
    const clock = createManualClock(Date.now());
    clock.advance(limits.lockStaleMs + 1_000);
    for (const text of ['', 'half a li', JSON.stringify({ ...owner, namespace: 'pid:[another]' })])
      assert.equal(await taken(text, clock), true, text);
  });

  it('where the pid says nothing, an owner that goes on touching its lock keeps the store', async () => {
    const owner = await ownLock();
    writeFileSync(file, JSON.stringify({ ...owner, namespace: 'pid:[another]' }));
    const clock = createManualClock(Date.now());
    const refused = assert.rejects(acquireOwnerLock(directory.path, clock), /in use by process/);
    while (clock.pending() > 0) {
      clock.advance(limits.lockBeatMs);
      utimesSync(file, clock.nowMs() / 1_000, clock.nowMs() / 1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await refused;
  });

  it('of many who find the same dead owner exactly one takes over', async () => {
    const owner = await ownLock();
    writeFileSync(file, JSON.stringify({ ...owner, pid: 2 ** 30 }));
    const all = await Promise.all(
      Array.from({ length: 8 }, () => acquireOwnerLock(directory.path, systemClock).catch(() => null)),
    );
    const held = all.filter((lock) => lock?.isOurs());
    assert.equal(held.length, 1);
    for (const lock of all) lock?.release();
  });

  it('an owner that lost its lock writes nothing more, and leaves the new one alone', async () => {
    const store = await openEmbeddedStore({ path: directory.path, clock: systemClock, logger: recordingLogger() });
    await store.log.append([executionEvent('a')]);
    rmSync(file);
    writeFileSync(file, 'the lock of another');
    await assert.rejects(store.log.append([executionEvent('b')]), /taken over by another process/);
    assert.equal(await store.log.lastSeq(), 1);
    await store.close();
    assert.equal(readFileSync(file, 'utf8'), 'the lock of another');
  });
});
