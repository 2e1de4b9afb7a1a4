import { crc32 } from 'node:zlib';
import { EngineError } from '../core/domain/errors';
import type { LogEvent } from '../core/domain/log-event';

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

/** The text with its CRC32 in front: `1a2b3c4d {…}`. */
export function seal(text: string): string {
  return `${checksum(text)} ${text}`;
}

/** What was sealed, or `null` when a single bit of it is not as it was. */
export function unseal(sealed: string): string | null {
  const text = sealed.slice(9);
  return sealed[8] === ' ' && sealed.slice(0, 8) === checksum(text) ? text : null;
}

/** An event as every store keeps it: sealed JSON. The seal is over the text itself, so the order of fields is free. */
export function encodeRecord(event: LogEvent): string {
  return seal(JSON.stringify(event));
}

/** The event stored as number `seq`; `InternalError` naming it when it is damaged, missing or another's. */
export function decodeRecord(sealed: string | undefined, seq: number): LogEvent {
  if (sealed === undefined) throw new EngineError('InternalError', `event ${seq} of the log is missing`);
  const text = unseal(sealed);
  const event = text === null ? null : (JSON.parse(text) as LogEvent);
  if (event?.seq !== seq)
    throw new EngineError('InternalError', `event ${seq} of the log is damaged: its checksum does not hold`);
  return event;
}
