/** The log, with what its appends took and how they ended counted. */
import type { NewEvent } from '../core/domain/log-event';
import type { AppendOutcome, Clock, EventLog, Metrics } from './ports';

const outcomes = ['applied', 'duplicate', 'conflict', 'failed'] as const;

export function measuredLog(log: EventLog, metrics: Metrics, clock: Clock): EventLog {
  for (const outcome of outcomes) metrics.count('appends', outcome, 0);

  async function append(events: readonly NewEvent[]): Promise<readonly AppendOutcome[]> {
    const startedAt = clock.monotonicMs();
    try {
      const outcomes = await log.append(events);
      for (const { kind } of outcomes) metrics.count('appends', kind);
      return outcomes;
    } catch (error) {
      metrics.count('appends', 'failed', events.length);
      throw error;
    } finally {
      metrics.append(clock.monotonicMs() - startedAt);
    }
  }
  return {
    append,
    read: (afterSeq, limit) => log.read(afterSeq, limit),
    lastSeq: () => log.lastSeq(),
    durability: () => log.durability(),
    ...(log.onState === undefined ? {} : { onState: log.onState }),
    isShared: log.isShared,
    close: () => log.close(),
  };
}
