/**
 * The one way to the log: append, then fold in the order of the log, then answer. An event is known to the caller only
 * after it is durable and the core has folded it.
 */
import { hash } from 'node:crypto';
import { EngineError } from '../core/domain/errors';
import type { LogEvent, NewEvent } from '../core/domain/log-event';
import { apply } from '../core/fold';
import type { CoreState } from '../core/state';
import { reportStore } from './durability';
import type { Health } from './health';
import type { AppendOutcome, EventLog } from './ports';

export interface Appender {
  /** Rejects with `ConnectionError` or `TimeoutError`; what was appended is folded when it settles. */
  append(event: NewEvent): Promise<AppendOutcome>;
  /** Folds what others have appended. Rejects as `EventLog.read` does. */
  refresh(): Promise<void>;
  /** Lets go of what waits for events before it: the log has gone on without it. */
  forget(): void;
}

const eventsPerRead = 1_000;

export function createAppender(core: CoreState, log: EventLog, health: Health, folded: () => void): Appender {
  const waiting = new Map<number, LogEvent>();
  let reading: Promise<void> | null = null;

  function fold(event: LogEvent): void {
    if (event.seq <= core.logSeq) return;
    waiting.set(event.seq, event);
    for (let next = waiting.get(core.logSeq + 1); next !== undefined; next = waiting.get(core.logSeq + 1)) {
      waiting.delete(next.seq);
      apply(core, next);
    }
    folded();
  }

  async function readOnce(): Promise<void> {
    for (const event of await log.read(core.logSeq, eventsPerRead)) fold(event);
  }

  /** Others may have appended between: what they wrote is folded before ours is answered. One reading serves all callers. */
  async function catchUp(seq: number): Promise<void> {
    while (core.logSeq < seq) {
      // One that was begun earlier may have been answered before our event was there: only our own says that there is none.
      if (reading !== null) {
        await reading.catch(() => undefined);
        continue;
      }
      const before = core.logSeq;
      reading = readOnce().finally(() => {
        reading = null;
      });
      await reading;
      if (core.logSeq === before) return;
    }
  }

  return {
    refresh: () => catchUp(Number.POSITIVE_INFINITY),
    forget: () => waiting.clear(),
    async append(event) {
      let outcome: AppendOutcome | undefined;
      try {
        [outcome] = await log.append([event]);
      } catch (error) {
        const known = error instanceof EngineError && error.code !== 'InternalError';
        health.report('store', 'down', known ? error.message : 'the log failed');
        throw error;
      }
      if (outcome === undefined) throw new EngineError('InternalError', 'the log answered nothing');
      reportStore(health, log);
      if (outcome.kind === 'applied') {
        fold(outcome.event);
        if (core.logSeq < outcome.event.seq) await catchUp(outcome.event.seq);
      } else if (outcome.kind === 'duplicate') await catchUp(outcome.seq);
      // What won is folded before the loser looks again.
      else if (log.isShared) await catchUp(Number.POSITIVE_INFINITY);
      return outcome;
    },
  };
}

/** Hash of what was sent, before defaults: the same id with another content is a conflict. Key order does not matter. */
export function contentHash(content: unknown): string {
  return hash('sha256', canonical(content), 'base64url').slice(0, 27);
}

/** Plain data as one text, whatever the order of its keys. */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = (value instanceof Map ? Object.fromEntries(value) : value) as Readonly<Record<string, unknown>>;
  let text = '';
  for (const key of Object.keys(fields).sort()) {
    const field = fields[key];
    if (field !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonical(field)}`;
  }
  return `{${text}}`;
}
