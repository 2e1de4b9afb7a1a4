import { EngineError, valueError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { EventLog } from '../../live/ports';
import { planAppend } from '../append-plan';
import { decodeRecord, encodeRecord } from '../log-record';

export interface MemoryLogOptions {
  /** Ids remembered and events kept; default `limits.executionIds`. */
  readonly executionIds?: number;
}

/** A log that ends with the process: for tests, try-outs and backtests. Keeps the last `executionIds` events. */
export function createMemoryLog(options: MemoryLogOptions = {}): EventLog {
  const kept = options.executionIds ?? limits.executionIds;
  const records = new Map<number, string>();
  const ids = new Map<string, { readonly seq: number; readonly contentHash: string }>();
  const versions = new Map<string, number>();
  let lastSeq = 0;
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new EngineError('ConnectionError', 'the store is closed', { retryAfterS: 1 });
  }

  return {
    isShared: false,
    async append(events) {
      assertOpen();
      if (events.length > limits.eventsPerAppend)
        throw valueError('events', `must be at most ${limits.eventsPerAppend}`, events.length);
      const plan = planAppend(events, {
        lastSeq,
        known: (id) => ids.get(id) ?? null,
        version: (aggregate) => versions.get(aggregate) ?? 0,
      });
      for (const event of plan.applied) {
        lastSeq = event.seq;
        records.set(event.seq, encodeRecord(event));
        ids.set(event.id, { seq: event.seq, contentHash: event.contentHash });
        records.delete(event.seq - kept);
        if (ids.size > kept) for (const oldest of ids.keys()) if (ids.delete(oldest)) break;
      }
      for (const [aggregate, version] of plan.versions) versions.set(aggregate, version);
      return plan.outcomes;
    },
    async read(afterSeq, limit) {
      assertOpen();
      const end = Math.min(lastSeq, afterSeq + limit);
      if (end > afterSeq && !records.has(afterSeq + 1))
        throw new EngineError('NotFoundError', `event ${afterSeq + 1} is no longer kept in memory`);
      const events = [];
      for (let seq = afterSeq + 1; seq <= end; seq++) events.push(decodeRecord(records.get(seq), seq));
      return events;
    },
    async lastSeq() {
      assertOpen();
      return lastSeq;
    },
    durability: () => ({
      kind: 'memory',
      survivesProcessKill: false,
      survivesStoreKill: false,
      survivesPowerLoss: false,
      text: 'in memory: everything is lost when the process ends',
    }),
    async close() {
      closed = true;
    },
  };
}
