/** The engines of a market that is split another way: held while it is done, written beside, put in their place. */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { LogEvent } from '../../core/domain/log-event';
import type { Clock, Logger, SnapshotChunk, SnapshotMeta } from '../../live/ports';
import type { RedisConnection } from './connection';
import type { Connections } from './connections';
import { keysOf, restoringKeysOf } from './keys';
import { anyHolder, createRedisLease, type RedisLease } from './lease';
import { engineKeys, placing, writeEvents } from './redis-restore';
import { createRedisSnapshots } from './redis-snapshots';

/** How the split is going on, kept with the first engine until it is done. */
export interface Plan {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly stream: string;
  /** While `staging` nothing of what was there has changed; once `placing` it can only be finished. */
  readonly phase: 'staging' | 'placing';
}

/** What is written of one engine. */
export interface StagedEngine {
  readonly chunks: readonly SnapshotChunk[];
  readonly meta: SnapshotMeta;
  /** Of an engine that is new: its whole log. */
  readonly events: readonly LogEvent[] | null;
}

export interface RepartitionEngines {
  /** Runs `work` while no process can lead any of them. @throws `ConflictError` when one does. */
  holding<T>(names: readonly string[], work: () => Promise<T>): Promise<T>;
  readPlan(first: string): Promise<Plan | null>;
  /** From now on no process opens it. */
  mark(name: string, plan: Plan): Promise<void>;
  unmark(name: string): Promise<void>;
  /** Over how many engines the market is split; `null` when that was never written. */
  readPartitions(first: string): Promise<number | null>;
  writePartitions(first: string, partitions: number): Promise<void>;
  exists(name: string): Promise<boolean>;
  /** Whether a process leads it now. */
  isHeld(name: string): Promise<boolean>;
  stage(name: string, staged: StagedEngine): Promise<void>;
  takePlace(name: string): Promise<void>;
  /** What any of them has published none of them publishes again. */
  shareSignalIds(from: readonly string[], to: readonly string[]): Promise<void>;
}

export interface RepartitionEnginesOptions {
  /** Made for the lease's key of each. */
  readonly connections: Connections;
  readonly clock: Clock;
  readonly logger: Logger;
}

class Engines implements RepartitionEngines {
  private readonly options: RepartitionEnginesOptions;

  constructor(options: RepartitionEnginesOptions) {
    this.options = options;
  }

  async holding<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const leases = names.map((name) => {
      const { clock, logger } = this.options;
      const connection = this.connectionOf(name);
      return createRedisLease({ connection, keys: keysOf(name), clock, logger, holder: anyHolder() });
    });
    try {
      for (const lease of leases) await lease.start(() => {});
      const endMs = this.options.clock.monotonicMs() + limits.memberMs + limits.leaseMs;
      for (const [i, lease] of leases.entries()) await this.assertAlone(names[i] ?? '', lease, endMs);
      return await work();
    } finally {
      await Promise.all(leases.map((lease) => lease.close()));
    }
  }

  /**
   * A standby would take over afterwards, with the state of before. A process that was killed is heard for a while: it is
   * waited for.
   */
  private async assertAlone(name: string, lease: RedisLease, endMs: number): Promise<void> {
    const { clock } = this.options;
    for (;;) {
      // Our own beat drops those that were not heard.
      const others = (await this.call(name, (client) => client.zcard(keysOf(name).members))) - 1;
      if (others <= 0 && lease.role() === 'leader') return;
      if (clock.monotonicMs() > endMs) throw running(name);
      await new Promise<void>((resolve) => void clock.after(limits.leasePollMs, resolve));
    }
  }

  async readPlan(first: string): Promise<Plan | null> {
    const text = await this.call(first, (client) => client.get(keysOf(first).repartition));
    return text === null ? null : (JSON.parse(text) as Plan);
  }

  async mark(name: string, plan: Plan): Promise<void> {
    await this.call(name, (client) => client.set(keysOf(name).repartition, JSON.stringify(plan)));
  }

  async unmark(name: string): Promise<void> {
    await this.call(name, (client) => client.del(keysOf(name).repartition));
  }

  async readPartitions(first: string): Promise<number | null> {
    const text = await this.call(first, (client) => client.get(keysOf(first).partitions));
    return text === null ? null : Number(text);
  }

  async writePartitions(first: string, partitions: number): Promise<void> {
    await this.call(first, (client) => client.set(keysOf(first).partitions, partitions));
  }

  async exists(name: string): Promise<boolean> {
    const { log, sets } = keysOf(name);
    return (await this.call(name, (client) => client.exists(log, sets))) > 0;
  }

  async isHeld(name: string): Promise<boolean> {
    return (await this.call(name, (client) => client.exists(keysOf(name).lease))) > 0;
  }

  async stage(name: string, { chunks, meta, events }: StagedEngine): Promise<void> {
    const keys = restoringKeysOf(name);
    const { logger } = this.options;
    const connection = this.connectionOf(name);
    await this.call(name, (client) => client.unlink(...engineKeys(keys)));
    const snapshots = createRedisSnapshots({ connection, keys, logger });
    // Twice: a set to fall back to must not be one of before, whose positions are of other streams.
    await snapshots.save(meta, chunks, [], true);
    await snapshots.save(meta, chunks, [], true);
    for (let at = 0; at < (events?.length ?? 0); at += limits.eventsPerPage) {
      await this.call(name, () => writeEvents(connection, keys, events?.slice(at, at + limits.eventsPerPage) ?? [], 0));
    }
  }

  async takePlace(name: string): Promise<void> {
    await this.call(name, (client) => placing(client, restoringKeysOf(name), keysOf(name)));
  }

  async shareSignalIds(from: readonly string[], to: readonly string[]): Promise<void> {
    for (const name of from) {
      const { signalIds } = keysOf(name);
      for (let at = 0; at < limits.signalIds; at += limits.pageMax) {
        const range = [at, at + limits.pageMax - 1] as const;
        const page = await this.call(name, (client) => client.zrevrange(signalIds, ...range, 'WITHSCORES'));
        if (page.length === 0) break;
        const scored = page.flatMap((id, i) => (i % 2 === 0 ? [page[i + 1] ?? '0', id] : []));
        for (const target of to) {
          if (target !== name) await this.call(target, (client) => client.zadd(keysOf(target).signalIds, ...scored));
        }
      }
    }
    for (const target of to) {
      const { signalIds } = keysOf(target);
      await this.call(target, (client) => client.zremrangebyrank(signalIds, 0, -1 - limits.signalIds));
    }
  }

  private connectionOf(name: string): RedisConnection {
    return this.options.connections.of(keysOf(name).lease);
  }

  private async call<T>(name: string, work: (client: RedisConnection['client']) => Promise<T>): Promise<T> {
    const connection = this.connectionOf(name);
    try {
      return await work(connection.client);
    } catch (thrown) {
      throw connection.errorOf(thrown);
    }
  }
}

function running(name: string): EngineError {
  return new EngineError(
    'ConflictError',
    `a running process holds "${name}" in this Redis; stop all of its processes first`,
  );
}

export function createRepartitionEngines(options: RepartitionEnginesOptions): RepartitionEngines {
  return new Engines(options);
}
