/**
 * The chain of the audit trail: every adaptation and freeze carries the SHA-256 of the one before and its own, so one that
 * is changed, taken out, put in or moved breaks it. It has one place per version of the aggregate `audit`, which two
 * appenders cannot both take.
 */
import { createHash } from 'node:crypto';
import { EngineError } from '../core/domain/errors';
import type { ChainLink, LogEvent, NewEvent } from '../core/domain/log-event';
import { auditAggregate, type ChainHead } from '../core/learning/audit';
import type { CoreState } from '../core/state';
import { type Appender, canonical } from './append';
import type { AppendOutcome } from './ports';

/** How often a place lost to another appender is asked for again. */
const attempts = 16;

/** Everything that the appender says; what the log adds (`seq`, `aggregateVersion`) is held by its own numbering. */
type Chained = Pick<LogEvent, 'id' | 'contentHash' | 'type' | 'v' | 'aggregate' | 'atMs' | 'actor' | 'data'>;

/** Whether an event of this kind has a place in the chain. */
export function isAudited({ type }: Pick<LogEvent, 'type'>): boolean {
  return type === 'adaptation' || type === 'learning_frozen';
}

/** The link that puts an event behind the head of the chain. */
export function linkBehind(head: ChainHead, event: Chained): ChainLink {
  const place = { aggregate: auditAggregate, version: head.version + 1, previous: head.hash };
  return { ...place, hash: hashOf(event, place) };
}

function hashOf(event: Chained, place: Omit<ChainLink, 'hash'>): string {
  const { id, contentHash, type, v, aggregate, atMs, actor, data } = event;
  const said = { id, contentHash, type, v, aggregate, atMs, actor, data, link: place };
  // As it will be read again: JSON drops what is undefined and knows no -0.
  return createHash('sha256')
    .update(canonical(JSON.parse(JSON.stringify(said))))
    .digest('hex');
}

/**
 * What is wrong with an event behind this head; `null` when nothing is. Audited events of before there was a chain have
 * no link, and stand before the first that has one.
 */
export function brokenAt(head: ChainHead, event: LogEvent): string | null {
  const { link } = event;
  if (!isAudited(event))
    return link?.aggregate === auditAggregate ? 'has a place in the chain and no right to it' : null;
  if (link === undefined) return head.version === 0 ? null : 'has no place in the chain';
  if (link.aggregate !== auditAggregate) return 'is linked to another chain';
  if (link.version !== head.version + 1) return `is number ${link.version} of the chain and follows ${head.version}`;
  if (link.previous !== head.hash) return 'does not carry the hash of the one before';
  if (link.hash !== hashOf(event, withoutHash(link))) return 'is not what its hash was made of';
  return null;
}

function withoutHash({ aggregate, version, previous }: ChainLink): Omit<ChainLink, 'hash'> {
  return { aggregate, version, previous };
}

/** An audited event before it has its place. */
export type AuditedEvent = Extract<NewEvent, { readonly type: 'adaptation' | 'learning_frozen' }>;

/**
 * Appends audited events, each behind the head that the core knows; a place lost to another process is asked for again
 * behind the event that took it. Within this process they go one after the other, and what waits behind a write that
 * failed fails with it, so waiting is bounded by the store's own deadline.
 */
export function createAuditAppender(
  core: CoreState,
  appender: Appender,
): (event: AuditedEvent) => Promise<AppendOutcome> {
  let last: Promise<unknown> = Promise.resolve();

  async function place(event: AuditedEvent): Promise<AppendOutcome> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const outcome = await appender.append({ ...event, link: linkBehind(core.audit.chain, event) });
      if (outcome.kind !== 'conflict' || outcome.aggregate !== auditAggregate) return outcome;
    }
    throw new EngineError('ConflictError', 'the audit trail is being written by others; try again');
  }

  return (event) => {
    const mine = last.then(() => place(event));
    last = mine;
    mine.catch(() => {
      if (last === mine) last = Promise.resolve();
    });
    return mine;
  };
}
