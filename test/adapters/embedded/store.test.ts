import assert from 'node:assert/strict';
import { openEmbeddedStore } from '../../../src/adapters/embedded/store';
import { systemClock } from '../../../src/adapters/system/clock';
import { eventLogContract, executionEvent } from '../../contract/event-log.contract';
import { snapshotsContract } from '../../contract/snapshots.contract';
import { recordingLogger, temporaryDirectory } from '../../helpers/temporary';

const logger = recordingLogger();
const openAt = (path: string, executionIds?: number) =>
  openEmbeddedStore({ path, clock: systemClock, logger, ...(executionIds === undefined ? {} : { executionIds }) });

eventLogContract('embedded', async ({ executionIds }) => {
  const directory = temporaryDirectory('log');
  let store = await openAt(directory.path, executionIds);
  return {
    log: store.log,
    reopen: async () => {
      await store.close();
      store = await openAt(directory.path, executionIds);
      return store.log;
    },
    dispose: async () => {
      await store.close();
      directory.remove();
    },
  };
});

snapshotsContract('embedded', async () => {
  const directory = temporaryDirectory('snapshots');
  let store = await openAt(directory.path);
  return {
    snapshots: store.snapshots,
    reopen: async () => {
      await store.close();
      store = await openAt(directory.path);
      return store.snapshots;
    },
    dispose: async () => {
      await store.close();
      directory.remove();
    },
  };
});

describe('embedded store', () => {
  it('a second reader reads beside the owner and can write nothing', async () => {
    const directory = temporaryDirectory('reader');
    const owner = await openAt(directory.path);
    await owner.log.append([executionEvent('a')]);
    await owner.snapshots.save({ logSeq: 1, tapePosition: 0, tapeId: 'a', foldVersion: 1, atMs: 0 }, [], []);
    const reader = await openEmbeddedStore({ path: directory.path, clock: systemClock, logger, readOnly: true });
    assert.equal(await reader.log.lastSeq(), 1);
    assert.equal((await reader.snapshots.load()).snapshot?.meta.logSeq, 1);
    await assert.rejects(reader.log.append([executionEvent('b')]), /reading only/);
    await assert.rejects(
      reader.snapshots.save({ logSeq: 1, tapePosition: 0, tapeId: 'a', foldVersion: 1, atMs: 0 }, [], []),
      /reading only/,
    );
    await reader.close();
    await owner.close();
    directory.remove();
  });

  it('takes over the events of another log as they are, ids and places in chains included, and only when it has none', async () => {
    const directory = temporaryDirectory('import');
    const from = await openAt(`${directory.path}/from`);
    const link = { aggregate: 'audit', version: 1, previous: '', hash: 'x' };
    const made = Array.from({ length: 600 }, (_, i) => executionEvent(`e${i}`, i === 7 ? { link } : {}));
    for (let at = 0; at < made.length; at += 60) await from.log.append(made.slice(at, at + 60));
    const events = await from.log.read(0, 1_000);
    async function* pages() {
      for (let at = 0; at < events.length; at += 100) yield events.slice(at, at + 100);
    }
    let to = await openAt(`${directory.path}/to`);
    await to.log.importEvents(pages());
    await assert.rejects(to.log.importEvents(pages()), { code: 'ConflictError' });
    for (const isReopened of [false, true]) {
      if (isReopened) {
        await to.close();
        to = await openAt(`${directory.path}/to`);
      }
      assert.deepEqual(await to.log.read(0, 1_000), events);
      assert.equal(await to.log.forgotten(events), null);
      assert.equal(await to.log.versionOf('audit'), 1);
      const [again, forked] = await to.log.append([executionEvent('e300'), executionEvent('other', { link })]);
      assert.deepEqual(again, { kind: 'duplicate', seq: 301, sameContent: true });
      assert.deepEqual(forked, { kind: 'conflict', aggregate: 'audit', aggregateVersion: 1 });
    }
    await Promise.all([from.close(), to.close()]);
    directory.remove();
  });

  it('reading where there is no store, and opening where none can be, are refused by name', async () => {
    const directory = temporaryDirectory('absent');
    const path = `${directory.path}/none`;
    await assert.rejects(openEmbeddedStore({ path, clock: systemClock, logger, readOnly: true }), {
      code: 'ConnectionError',
      message: new RegExp(path),
    });
    await assert.rejects(openAt('/dev/null/store'), { code: 'ConnectionError', message: /\/dev\/null\/store/ });
    directory.remove();
  });
});
