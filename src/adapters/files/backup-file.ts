/*
 * A backup in one file:
 *   11 bytes magic · gzip of lines · 64 hex digits: SHA-256 of all before them · newline
 * so that no byte of it can change unseen. The lines: a header, every event sealed as stores keep it, the chunks of the
 * snapshot (a line that names it, then its bytes as base64 in blocks), and an end that counts them.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { crc32, createGunzip, createGzip } from 'node:zlib';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent } from '../../core/domain/log-event';
import type { Snapshot, SnapshotMeta } from '../../live/ports';
import { decodeRecord, encodeRecord } from '../log-record';

const magic = Buffer.from('SEBACKUP 1\n');
const trailerBytes = 65;

export interface BackupHeader {
  readonly backup: 1;
  /** Name of the engine, where its store tells it. */
  readonly engine: string | null;
  readonly store: 'embedded' | 'redis';
  readonly madeMs: number;
  readonly events: number;
  readonly snapshot: { readonly meta: SnapshotMeta; readonly chunks: number } | null;
}

export interface BackupContent {
  readonly header: BackupHeader;
  readonly events: AsyncIterable<readonly LogEvent[]>;
  readonly snapshot: Snapshot | null;
}

/** What a backup holds, piece by piece, in this order. */
export type BackupPiece =
  | { readonly kind: 'header'; readonly header: BackupHeader }
  | { readonly kind: 'events'; readonly events: readonly LogEvent[] }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot };

/** Writes a new file, which nobody else may read, and answers its length once it is on the disk. */
export async function writeBackup(path: string, content: BackupContent): Promise<number> {
  const file = await open(path, 'wx', 0o600);
  try {
    const hash = createHash('sha256').update(magic);
    await file.writeFile(magic);
    let bytes = magic.length;
    const zip = createGzip();
    // Errors come out of the loop; without a callback they would end the process.
    pipeline(Readable.from(linesOf(content)), zip, () => {});
    for await (const chunk of zip as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await file.writeFile(chunk);
      bytes += chunk.length;
    }
    await file.writeFile(`${hash.digest('hex')}\n`);
    await file.sync();
    return bytes + trailerBytes;
  } finally {
    await file.close();
  }
}

async function* linesOf({ header, events, snapshot }: BackupContent): AsyncGenerator<string> {
  let lines = 1;
  yield `${JSON.stringify(header)}\n`;
  for await (const page of events) {
    lines += page.length;
    yield page.map((event) => `${encodeRecord(event)}\n`).join('');
  }
  for (const [chunk, bytes] of snapshot?.chunks ?? []) {
    lines++;
    yield `${JSON.stringify({ chunk, bytes: bytes.length, crc: crc32(bytes) })}\n`;
    for (let at = 0; at < bytes.length; at += limits.backupBlockBytes) {
      lines++;
      yield `${Buffer.from(bytes.subarray(at, at + limits.backupBlockBytes)).toString('base64')}\n`;
    }
  }
  yield `${JSON.stringify({ end: lines })}\n`;
}

const damaged = (why: string, cause?: unknown) =>
  new EngineError('ValueError', `this is no whole backup: ${why}`, cause === undefined ? {} : { cause });

/** Reads a backup, its checksum before anything else. @throws EngineError `ValueError` that says what is wrong with it. */
export async function* readBackup(path: string): AsyncGenerator<BackupPiece> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new EngineError('NotFoundError', `"${path}" cannot be opened: ${String(error)}`);
  });
  try {
    const end = await checkSum(file, path);
    const zip = createGunzip();
    pipeline(createReadStream(path, { start: magic.length, end: end - 1 }), zip, () => {});
    yield* piecesOf(splitLines(zip as AsyncIterable<Buffer>));
  } catch (error) {
    throw error instanceof EngineError ? error : damaged(error instanceof Error ? error.message : String(error), error);
  } finally {
    await file.close();
  }
}

/** Where the packed part ends, once the file has proved whole. */
async function checkSum(file: FileHandle, path: string): Promise<number> {
  const { size } = await file.stat();
  const end = size - trailerBytes;
  if (end <= magic.length) throw damaged('it is too short');
  const hash = createHash('sha256');
  let isFirst = true;
  for await (const chunk of createReadStream(path, { end: end - 1 }) as AsyncIterable<Buffer>) {
    if (isFirst && !chunk.subarray(0, magic.length).equals(magic)) throw damaged('it does not begin as one');
    isFirst = false;
    hash.update(chunk);
  }
  const trailer = Buffer.alloc(trailerBytes);
  await file.read(trailer, 0, trailerBytes, end);
  if (trailer.toString('latin1') !== `${hash.digest('hex')}\n`) throw damaged('its checksum does not hold');
  return end;
}

async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      from = at + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > limits.backupLineBytes) throw damaged('a line has no end');
  }
  if (length > 0) throw damaged('its last line has no end');
}

async function* piecesOf(source: AsyncGenerator<string>): AsyncGenerator<BackupPiece> {
  let lines = 0;
  const next = async (): Promise<string> => {
    const { value, done } = await source.next();
    if (done === true) throw damaged('it ends too early');
    lines++;
    return value;
  };
  const header = JSON.parse(await next()) as BackupHeader;
  if (header.backup !== 1) throw damaged('it is of another version');
  yield { kind: 'header', header };
  for (let seq = 1; seq <= header.events; ) {
    const events: LogEvent[] = [];
    for (; events.length < limits.eventsPerPage && seq <= header.events; seq++)
      events.push(decodeRecord(await next(), seq));
    yield { kind: 'events', events };
  }
  if (header.snapshot !== null) yield { kind: 'snapshot', snapshot: await snapshotOf(header.snapshot, next) };
  const before = lines;
  const { end } = JSON.parse(await next()) as { readonly end: number };
  if (end !== before) throw damaged('lines are missing');
  if ((await source.next()).done !== true) throw damaged('something follows its end');
}

async function snapshotOf(
  { meta, chunks: count }: NonNullable<BackupHeader['snapshot']>,
  next: () => Promise<string>,
): Promise<Snapshot> {
  const chunks = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) {
    const said = JSON.parse(await next()) as { readonly chunk: string; readonly bytes: number; readonly crc: number };
    const blocks: Buffer[] = [];
    for (let at = 0; at < said.bytes; at += limits.backupBlockBytes) blocks.push(Buffer.from(await next(), 'base64'));
    const bytes = new Uint8Array(Buffer.concat(blocks));
    if (bytes.length !== said.bytes || crc32(bytes) !== said.crc) throw damaged(`chunk "${said.chunk}" is not whole`);
    chunks.set(said.chunk, bytes);
  }
  return { meta, chunks };
}
