/** An event of the log as an entry of a Redis stream: the body as JSON, sealed with its number and version. */
import { hash } from 'node:crypto';
import { EngineError } from '../../core/domain/errors';
import type { LogEvent, NewEvent } from '../../core/domain/log-event';

/** Of an id, whatever its length and characters: 128 bits, so two ids never share one. */
export function digestOfId(id: string): string {
  return hash('sha256', JSON.stringify(id), 'base64url').slice(0, 22);
}

/** Any text as a field of a hash. */
export const fieldOf = (aggregate: string): string => JSON.stringify(aggregate);

/** What is stored of an event: all but what the store itself says. Lone surrogates come out escaped, as JSON has them. */
export function encodeBody(event: NewEvent | LogEvent): string {
  const { id, contentHash, type, v, aggregate, atMs, actor, data, link } = event;
  return JSON.stringify({ id, contentHash, type, v, aggregate, atMs, actor, data, link });
}

/** As the script computes it. */
export function sealOf(seq: number, version: number, digest: string, body: string): string {
  return hash('sha1', `${seq} ${version} ${digest} ${body}`, 'hex');
}

/** As it lies in Redis, without what follows from the body. */
export interface LogEntry {
  readonly seq: number;
  readonly version: number;
  /** Over number, version, id and body. */
  readonly seal: string;
  readonly body: string;
}

/** Whether not a single bit of it is another. */
export function isWhole({ seq, version, seal, body }: LogEntry): boolean {
  try {
    const { id } = JSON.parse(body) as { readonly id: string };
    return sealOf(seq, version, digestOfId(id), body) === seal;
  } catch {
    return false;
  }
}

export function eventOf({ seq, version, body }: LogEntry): LogEvent {
  const event = JSON.parse(body) as Omit<LogEvent, 'seq' | 'aggregateVersion'>;
  return { ...event, seq, aggregateVersion: version } as LogEvent;
}

const damaged = (seq: number, why: string) => new EngineError('InternalError', `event ${seq} of the log is ${why}`);

/** What XRANGE has as an entry; `InternalError` naming the seq when it is missing, damaged or another's. */
export function decodeEntry(given: unknown, seq: number): LogEntry {
  const [id, flat] = Array.isArray(given) ? given : [];
  if (id !== `${seq}-0` || !Array.isArray(flat)) throw damaged(seq, `missing: "${String(id)}" stands in its place`);
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), String(flat[i + 1]));
  const entry = { seq, version: Number(fields.get('v')), seal: fields.get('s') ?? '', body: fields.get('d') ?? '' };
  if (entry.seal !== sealOf(seq, entry.version, fields.get('k') ?? '', entry.body))
    throw damaged(seq, 'damaged: its checksum does not hold');
  return entry;
}
