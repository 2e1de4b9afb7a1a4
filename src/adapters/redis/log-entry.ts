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

/** Type and data stay the pair they came as, which a copy field by field cannot show the compiler. */
export function storedEvent(event: NewEvent, seq: number, aggregateVersion: number): LogEvent {
  const { expectedVersion: _, ...rest } = event;
  return { ...rest, seq, aggregateVersion } as LogEvent;
}

const damaged = (seq: number, why: string) => new EngineError('InternalError', `event ${seq} of the log is ${why}`);

/** The event of an entry; `InternalError` naming the seq when it is missing, damaged or another's. */
export function decodeEntry(entry: unknown, seq: number): LogEvent {
  const [id, flat] = Array.isArray(entry) ? entry : [];
  if (id !== `${seq}-0` || !Array.isArray(flat)) throw damaged(seq, `missing: "${String(id)}" stands in its place`);
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), String(flat[i + 1]));
  const body = fields.get('d') ?? '';
  const version = Number(fields.get('v'));
  if (fields.get('s') !== sealOf(seq, version, fields.get('k') ?? '', body))
    throw damaged(seq, 'damaged: its checksum does not hold');
  const event = JSON.parse(body) as Omit<LogEvent, 'seq' | 'aggregateVersion'>;
  return { ...event, seq, aggregateVersion: version } as LogEvent;
}
