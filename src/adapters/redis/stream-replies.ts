/** Replies about streams, read: the same command answers in pairs or in flat lists, by the version of the protocol. */
import { isLaterEntry } from '../../core/domain/tick';
import type { StreamEntry } from '../../live/ports';

function fieldsOf(flat: unknown): ReadonlyMap<string, unknown> {
  const fields = new Map<string, unknown>();
  if (!Array.isArray(flat)) return fields;
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), flat[i + 1]);
  return fields;
}

function entryOf(raw: unknown): StreamEntry | null {
  if (!Array.isArray(raw) || typeof raw[0] !== 'string') return null;
  const fields = fieldsOf(raw[1]);
  const data = fields.get('data');
  const attempts = Number(fields.get('attempts') ?? 0);
  return {
    id: raw[0],
    text: typeof data === 'string' ? data : null,
    attempts: Number.isSafeInteger(attempts) && attempts > 0 ? attempts : 0,
  };
}

/** The entries of XRANGE, and of the lists that other replies hold. */
export function entriesOf(list: unknown): StreamEntry[] {
  return Array.isArray(list) ? list.flatMap((raw) => entryOf(raw) ?? []) : [];
}

/** XREAD and XREADGROUP of one stream: `[key, entries]`, or a list of such pairs; nothing new is `null`. */
export function readEntriesOf(reply: unknown): StreamEntry[] {
  if (!Array.isArray(reply)) return [];
  const pair: unknown = Array.isArray(reply[0]) ? reply[0] : reply;
  return entriesOf((pair as unknown[])[1]);
}

export interface StreamInfo {
  readonly length: number;
  readonly lastId: string;
  /** Empty when there is none. */
  readonly firstId: string;
  /** Entries ever added; `null` before Redis 7. */
  readonly added: number | null;
}

export interface GroupInfo {
  readonly deliveredId: string;
  readonly pending: number;
  /** Rank of the last delivered entry; `null` when the server does not know. */
  readonly read: number | null;
}

const count = (value: unknown): number | null => (typeof value === 'number' ? value : null);
/** The server's word for "before everything". */
const idOf = (value: unknown): string => (typeof value === 'string' && value !== '0-0' ? value : '');

export function streamInfoOf(reply: unknown): StreamInfo {
  const fields = fieldsOf(reply);
  return {
    length: count(fields.get('length')) ?? 0,
    lastId: idOf(fields.get('last-generated-id')),
    firstId: entriesOf([fields.get('first-entry')])[0]?.id ?? '',
    added: count(fields.get('entries-added')),
  };
}

/** The group of that name; `null` when there is none. */
export function groupInfoOf(reply: unknown, group: string): GroupInfo | null {
  if (!Array.isArray(reply)) return null;
  const fields = reply.map(fieldsOf).find((one) => one.get('name') === group);
  if (fields === undefined) return null;
  return {
    deliveredId: idOf(fields.get('last-delivered-id')),
    pending: count(fields.get('pending')) ?? 0,
    read: count(fields.get('entries-read')),
  };
}

/** Entries after `after` only. */
export function laterThan(entries: readonly StreamEntry[], after: string): StreamEntry[] {
  return entries.filter(({ id }) => isLaterEntry(id, after));
}
