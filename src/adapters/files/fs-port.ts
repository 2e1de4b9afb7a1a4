import * as nodeFs from 'node:fs';
import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';

/** The file functions of the tape, so that a test can make each of them fail, stall or write short. */
export interface TapeFs {
  mkdirSync(path: string): void;
  readdirSync(path: string): readonly string[];
  openSync(path: string, flags: 'r' | 'r+' | 'w'): number;
  sizeSync(fd: number): number;
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  ftruncateSync(fd: number, bytes: number): void;
  closeSync(fd: number): void;
  unlinkSync(path: string): void;
  close(fd: number, done: (error: Error | null | undefined) => void): void;
  fdatasync(fd: number, done: (error: Error | null | undefined) => void): void;
  unlink(path: string, done: (error: Error | null | undefined) => void): void;
}

export const tapeFs: TapeFs = {
  mkdirSync: (path) => void nodeFs.mkdirSync(path, { recursive: true }),
  readdirSync: (path) => nodeFs.readdirSync(path),
  openSync: (path, flags) => nodeFs.openSync(path, flags),
  sizeSync: (fd) => nodeFs.fstatSync(fd).size,
  readSync: (fd, buffer, offset, length, position) => nodeFs.readSync(fd, buffer, offset, length, position),
  writeSync: (fd, buffer, offset, length, position) => nodeFs.writeSync(fd, buffer, offset, length, position),
  ftruncateSync: (fd, bytes) => nodeFs.ftruncateSync(fd, bytes),
  closeSync: (fd) => nodeFs.closeSync(fd),
  unlinkSync: (path) => nodeFs.unlinkSync(path),
  close: (fd, done) => nodeFs.close(fd, done),
  fdatasync: (fd, done) => nodeFs.fdatasync(fd, done),
  unlink: (path, done) => nodeFs.unlink(path, done),
};

/** A file being written. */
export interface WritableFile {
  write(bytes: Uint8Array, position: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The file functions of the snapshots. */
export interface SnapshotFs {
  mkdir(path: string): Promise<void>;
  readdir(path: string): Promise<readonly string[]>;
  readFile(path: string): Promise<Buffer>;
  create(path: string): Promise<WritableFile>;
  rename(from: string, to: string): Promise<void>;
  syncDir(path: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

async function create(path: string): Promise<WritableFile> {
  const handle = await open(path, 'w');
  return {
    async write(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
        if (bytesWritten === 0) throw new Error('the disk took nothing');
        done += bytesWritten;
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

async function syncDir(path: string): Promise<void> {
  // Windows cannot open a directory, and needs no sync for a rename to last.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const snapshotFs: SnapshotFs = {
  mkdir: async (path) => void (await mkdir(path, { recursive: true })),
  readdir: (path) => readdir(path),
  readFile: (path) => readFile(path),
  create,
  rename: (from, to) => rename(from, to),
  syncDir,
  unlink: (path) => unlink(path),
};
