/** A file's text, a piece at a time, whatever its size; gzip is undone on the way. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { limits } from '../../core/domain/limits';

/** What a file is before a line of it is read. */
export interface FileIdentity {
  readonly name: string;
  readonly bytes: number;
  readonly packing: 'plain' | 'gzip' | 'zip';
  /** The same for the same content, wherever the file lies: name, size, and a hash of its beginning and end. */
  readonly feed: string;
}

async function edges(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const edge = Math.min(bytes, limits.fileHashBytes);
    const both = Buffer.alloc(edge * 2);
    await file.read(both, 0, edge, 0);
    await file.read(both, edge, edge, bytes - edge);
    return both;
  } finally {
    await file.close();
  }
}

/** Looks at size, beginning and end of a file. Rejects with the file system's own error when it cannot be read. */
export async function identify(path: string): Promise<FileIdentity> {
  const { size } = await stat(path);
  const sample = await edges(path, size);
  const hash = createHash('sha256').update(sample).digest('hex').slice(0, 16);
  const gzip = sample[0] === 0x1f && sample[1] === 0x8b;
  const zip = sample[0] === 0x50 && sample[1] === 0x4b && sample[2] === 0x03 && sample[3] === 0x04;
  return {
    name: basename(path),
    bytes: size,
    packing: gzip ? 'gzip' : zip ? 'zip' : 'plain',
    feed: `file:${basename(path)}:${size}:${hash}`,
  };
}

/** The text of the file in pieces, without a byte order mark. Leaving the loop early closes the file. */
export async function* readText(path: string, packing: 'plain' | 'gzip'): AsyncGenerator<string> {
  const raw = createReadStream(path, { highWaterMark: limits.fileChunkBytes });
  // pipeline hands an error of the file on to its reader; the callback keeps it from being thrown twice.
  const bytes = packing === 'gzip' ? pipeline(raw, createGunzip(), () => undefined) : raw;
  const decoder = new TextDecoder('utf-8');
  try {
    for await (const chunk of bytes) {
      if (!(chunk instanceof Uint8Array)) continue;
      const text = decoder.decode(chunk, { stream: true });
      if (text !== '') yield text;
    }
    const rest = decoder.decode();
    if (rest !== '') yield rest;
  } finally {
    raw.destroy();
    bytes.destroy();
  }
}

/** The first `limits.fileHeadChars` or so of the text, and whether that is all of it. */
export async function readHead(path: string, packing: 'plain' | 'gzip'): Promise<{ text: string; whole: boolean }> {
  let text = '';
  for await (const piece of readText(path, packing)) {
    text += piece;
    if (text.length >= limits.fileHeadChars) return { text, whole: false };
  }
  return { text, whole: true };
}
