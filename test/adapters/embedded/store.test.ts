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
