import { createHash } from 'node:crypto';
import type { Database, RootDatabase } from 'lmdb';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { NewEvent } from '../../core/domain/log-event';
import type { AppendOutcome, Clock, EventLog, Logger } from '../../live/ports';
import { type AppendPlan, planAppend } from '../append-plan';
import { createGroupCommit } from '../group-commit';
import { decodeRecord, encodeRecord, seal, unseal } from '../log-record';
import { digestOf, IdIndex } from './id-index';

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

/** The event log in an open lmdb environment. Records are keyed by seq; an index tells which has which id. */
export function createLmdbLog(options: LmdbLogOptions): LmdbLog {
  const { root, clock, logger } = options;
  const idsKept = options.executionIds ?? limits.executionIds;
  const records = root.openDB<Buffer, number>({ name: 'log', encoding: 'binary' });
  const digests = root.openDB<Buffer, number>({ name: 'digests', encoding: 'binary' });
  const versions = root.openDB<Buffer, Buffer>({ name: 'versions', encoding: 'binary', keyEncoding: 'binary' });
  // After a write of unknown outcome even a group without news must reach the disk before anyone is told "duplicate".
  let uncertain = false;
  let closed = false;

  const record = (seq: number) => decodeRecord(records.get(seq)?.toString('utf8'), seq);

  function lastSeq(): number {
    for (const seq of records.getKeys({ reverse: true, limit: 1 })) return seq;
    return 0;
  }

  const ids = new IdIndex(digests, idsKept, (seq) => record(seq).id);
  ids.catchUp(lastSeq());

  async function write(plan: AppendPlan, digestById: ReadonlyMap<string, number>): Promise<void> {
    const firstSeq = plan.applied[0]?.seq ?? 0;
    const added = plan.applied.map((event) => digestById.get(event.id) ?? digestOf(event.id));
    const blocks = ids.blocksFor(firstSeq, added);
    try {
      await root.batch(() => {
        for (const event of plan.applied) records.put(event.seq, Buffer.from(encodeRecord(event)));
        for (const [block, bytes] of blocks) digests.put(block, bytes);
        for (const [aggregate, version] of plan.versions) versions.put(keyOf(aggregate), sealed(String(version)));
        if (uncertain) versions.put(keyOf('\u0000barrier'), sealed('0'));
      });
    } catch (error) {
      uncertain = true;
      // The cause comes as a promise beside the error; left alone it would end the process as unhandled.
      const cause: unknown = await Promise.resolve((error as { commitError?: unknown }).commitError).catch((e) => e);
      logger.error('the embedded store could not write', { error: describe(cause ?? error) });
      throw new EngineError('ConnectionError', 'the store could not write to its disk: full, or failing', {
        retryAfterS: 1,
        cause: cause ?? error,
      });
    }
    root.resetReadTxn();
    ids.committed(firstSeq, added);
    uncertain = false;
  }

  async function commit(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    if (!options.isOurs())
      throw new EngineError('ConnectionError', 'the store was taken over by another process', { retryAfterS: 1 });
    root.resetReadTxn();
    const last = lastSeq();
    // A write that was reported as failed may be there all the same.
    ids.catchUp(last);
    const digestById = new Map<string, number>();
    const plan = planAppend(events, {
      lastSeq: last,
      known: (id) => {
        const digest = digestOf(id);
        digestById.set(id, digest);
        const seq = ids.find(id, digest);
        return seq === null ? null : record(seq);
      },
      version: (aggregate) => readNumber(versions, keyOf(aggregate), 'versions') ?? 0,
    });
    if (plan.applied.length > 0 || uncertain) await write(plan, digestById);
    return plan.outcomes;
  }

  const group = createGroupCommit({ clock, commit });

  function assertOpen(): void {
    if (closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }

  async function drain(): Promise<boolean> {
    closed = true;
    return group.close();
  }

  return {
    async append(events) {
      if (options.readOnly) throw new EngineError('ConnectionError', 'the store is open for reading only');
      return group.append(events);
    },
    async read(afterSeq, limit) {
      assertOpen();
      root.resetReadTxn();
      const end = Math.min(lastSeq(), afterSeq + limit);
      const events = [];
      for (let seq = afterSeq + 1; seq <= end; seq++) events.push(record(seq));
      return events;
    },
    async lastSeq() {
      assertOpen();
      root.resetReadTxn();
      return lastSeq();
    },
    durability: () => ({
      kind: 'embedded',
      survivesProcessKill: true,
      survivesPowerLoss: true,
      text: 'on this disk: acknowledged after the disk confirmed it',
    }),
    async close() {
      await drain();
    },
    drain,
  };
}
