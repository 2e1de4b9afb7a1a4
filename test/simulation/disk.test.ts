import { eventLogContract } from '../contract/event-log.contract';
import { snapshotsContract } from '../contract/snapshots.contract';
import { tapeContract } from '../contract/tape.contract';
import { Disk } from './disk';

const nothing = async (): Promise<void> => undefined;

snapshotsContract('disk of the simulation', async () => {
  const disk = new Disk();
  return { snapshots: disk.open().snapshots, reopen: async () => disk.open().snapshots, dispose: nothing };
});

tapeContract('disk of the simulation', () => {
  const disk = new Disk();
  return { tape: disk.open().tape, reopen: () => disk.open().tape, dispose: nothing };
});

eventLogContract('disk of the simulation', async ({ executionIds }) => {
  const disk = new Disk(null, executionIds);
  return { log: disk.open().log, reopen: async () => disk.open().log, dispose: nothing };
});
