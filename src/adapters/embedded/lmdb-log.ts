import { createHash } from 'node:crypto';
import type { Database, RootDatabase } from 'lmdb';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent, NewEvent } from '../../core/domain/log-event';
import type { AppendOutcome, Clock, Durability, EventLog, Logger } from '../../live/ports';
import { type AppendPlan, planAppend, versionsAfter } from '../append-plan';
import { createGroupCommit, type GroupCommit } from '../group-commit';
import { decodeRecord, encodeRecord, seal, unseal } from '../log-record';
import { digestOf, firstUnindexed, IdIndex } from './id-index';

export interface LmdbLogOptions {
  readonly root: RootDatabase<Buffer, number>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readOnly: boolean;
  /** Whether this process still owns the store; asked before every write. */
  readonly isOurs: () => boolean;
  /** Ids remembered; default `limits.executionIds`. */
  readonly executionIds?: number;
}

export interface LmdbLog extends EventLog {
  /** The version on note for an aggregate. Rejects when the note is damaged. */
  versionOf(aggregate: string): Promise<number>;
  /** The first of these events whose id the index does not hold. */
  forgotten(events: readonly LogEvent[]): Promise<number | null>;
  /**
   * Takes the events of another log as they are, with their numbers and versions; for restoring. `ConflictError` when
   * this log holds an event.
   */
  importEvents(pages: AsyncIterable<readonly LogEvent[]>): Promise<void>;
  /** As `close`, answering whether nothing was left in flight. */
  drain(): Promise<boolean>;
}

/** Any text as a key of fixed length: ids are the users', and lmdb's own text keys end at a NUL. */
const keyOf = (text: string): Buffer => createHash('sha256').update(JSON.stringify(text)).digest();

/** Numbers kept beside the records, sealed like them. */
function readNumber(db: Database<Buffer, Buffer>, key: Buffer, what: string): number | null {
  const stored = db.get(key);
  if (stored === undefined) return null;
  const text = unseal(stored.toString('utf8'));
  if (text === null) throw new EngineError('InternalError', `the index of ${what} is damaged`);
  return Number(text);
}

const sealed = (text: string): Buffer => Buffer.from(seal(text));

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

class LmdbEventLog implements LmdbLog {
  readonly isShared = false;
  private readonly options: LmdbLogOptions;
  private readonly records: Database<Buffer, number>;
  private readonly digests: Database<Buffer, number>;
  private readonly versions: Database<Buffer, Buffer>;
  private readonly ids: IdIndex;
  private readonly group: GroupCommit;
  // After a write of unknown outcome even a group without news must reach the disk before anyone is told "duplicate".
  private uncertain = false;
  private closed = false;

  constructor(options: LmdbLogOptions) {
    const { root, clock } = options;
    this.options = options;
    this.records = root.openDB<Buffer, number>({ name: 'log', encoding: 'binary' });
    this.digests = root.openDB<Buffer, number>({ name: 'digests', encoding: 'binary' });
    this.versions = root.openDB<Buffer, Buffer>({ name: 'versions', encoding: 'binary', keyEncoding: 'binary' });
    const idsKept = options.executionIds ?? limits.executionIds;
    this.ids = new IdIndex(this.digests, idsKept, (seq) => this.record(seq).id);
    // Who only reads needs no index, and may be here to find out what is damaged.
    if (!options.readOnly) this.ids.catchUp(this.newest());
    this.group = createGroupCommit({ clock, commit: (events) => this.commit(events) });
  }

  async append(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    if (this.options.readOnly) throw new EngineError('ConnectionError', 'the store is open for reading only');
    return this.group.append(events);
  }

  async read(afterSeq: number, limit: number): Promise<readonly LogEvent[]> {
    this.assertOpen();
    this.options.root.resetReadTxn();
    const end = Math.min(this.newest(), afterSeq + limit);
    const events: LogEvent[] = [];
    for (let seq = afterSeq + 1; seq <= end; seq++) events.push(this.record(seq));
    return events;
  }

  async lastSeq(): Promise<number> {
    this.assertOpen();
    this.options.root.resetReadTxn();
    return this.newest();
  }

  async versionOf(aggregate: string): Promise<number> {
    this.assertOpen();
    this.options.root.resetReadTxn();
    return this.noted(aggregate);
  }

  async forgotten(events: readonly LogEvent[]): Promise<number | null> {
    this.assertOpen();
    return firstUnindexed(this.digests, events);
  }

  async importEvents(pages: AsyncIterable<readonly LogEvent[]>): Promise<void> {
    this.assertOpen();
    const { root } = this.options;
    if (this.newest() > 0) throw new EngineError('ConflictError', 'the log has events already');
    for await (const events of pages) {
      const first = events[0];
      if (first === undefined) continue;
      const digests = events.map(({ id }) => digestOf(id));
      const blocks = this.ids.blocksFor(first.seq, digests);
      const versions = versionsAfter(events);
      await root.batch(() => {
        for (const event of events) this.records.put(event.seq, Buffer.from(encodeRecord(event)));
        for (const [block, bytes] of blocks) this.digests.put(block, bytes);
        for (const [aggregate, version] of versions) this.versions.put(keyOf(aggregate), sealed(String(version)));
      });
      root.resetReadTxn();
      this.ids.committed(first.seq, digests);
    }
  }

  durability(): Durability {
    return {
      kind: 'embedded',
      survivesProcessKill: true,
      survivesStoreKill: true,
      survivesPowerLoss: true,
      text: 'on this disk: acknowledged after the disk confirmed it',
    };
  }

  async close(): Promise<void> {
    await this.drain();
  }

  async drain(): Promise<boolean> {
    this.closed = true;
    return this.group.close();
  }

  private record(seq: number): LogEvent {
    return decodeRecord(this.records.get(seq)?.toString('utf8'), seq);
  }

  private noted(aggregate: string): number {
    return readNumber(this.versions, keyOf(aggregate), 'versions') ?? 0;
  }

  private newest(): number {
    for (const seq of this.records.getKeys({ reverse: true, limit: 1 })) return seq;
    return 0;
  }

  private async commit(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    const { root, isOurs } = this.options;
    if (!isOurs())
      throw new EngineError('ConnectionError', 'the store was taken over by another process', { retryAfterS: 1 });
    root.resetReadTxn();
    const lastSeq = this.newest();
    // A write that was reported as failed may be there all the same.
    this.ids.catchUp(lastSeq);
    const digestById = new Map<string, number>();
    const plan = planAppend(events, {
      lastSeq,
      known: (id) => {
        const digest = digestOf(id);
        digestById.set(id, digest);
        const seq = this.ids.find(id, digest);
        return seq === null ? null : this.record(seq);
      },
      version: (aggregate) => this.noted(aggregate),
    });
    if (plan.applied.length > 0 || this.uncertain) await this.write(plan, digestById);
    return plan.outcomes;
  }

  private async write(plan: AppendPlan, digestById: ReadonlyMap<string, number>): Promise<void> {
    const { root, logger } = this.options;
    const firstSeq = plan.applied[0]?.seq ?? 0;
    const added = plan.applied.map((event) => digestById.get(event.id) ?? digestOf(event.id));
    const blocks = this.ids.blocksFor(firstSeq, added);
    const texts = plan.applied.map((event) => [event.seq, Buffer.from(encodeRecord(event))] as const);
    try {
      await root.batch(() => {
        for (const [seq, text] of texts) this.records.put(seq, text);
        for (const [block, bytes] of blocks) this.digests.put(block, bytes);
        for (const [aggregate, version] of plan.versions) this.versions.put(keyOf(aggregate), sealed(String(version)));
        if (this.uncertain) this.versions.put(keyOf('\u0000barrier'), sealed('0'));
      });
    } catch (error) {
      this.uncertain = true;
      // The cause comes as a promise beside the error; left alone it would end the process as unhandled.
      const cause: unknown = await Promise.resolve((error as { commitError?: unknown }).commitError).catch((e) => e);
      logger.error('the embedded store could not write', { error: describe(cause ?? error) });
      throw new EngineError('ConnectionError', 'the store could not write to its disk: full, or failing', {
        retryAfterS: 1,
        cause: cause ?? error,
      });
    }
    root.resetReadTxn();
    this.ids.committed(firstSeq, added);
    this.uncertain = false;
  }

  private assertOpen(): void {
    if (this.closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }
}

/** The event log in an open lmdb environment. Records are keyed by seq; an index tells which has which id. */
export function createLmdbLog(options: LmdbLogOptions): LmdbLog {
  return new LmdbEventLog(options);
}
