/**
 * Splits a market over another number of engines, in three steps: what is there is set aside and read, what is to be is
 * written beside it, and takes its place. Until the last step nothing is lost by giving up, and from then on by going on;
 * a plan kept in Redis says which, and keeps every engine closed until it is done.
 */
import { randomUUID } from 'node:crypto';
import { type Connections, createConnections } from './adapters/redis/connections';
import { keysOf } from './adapters/redis/keys';
import { assertPartitions, partitionEngine, partitionOf, partitionStream } from './adapters/redis/partition';
import { openRedisCheck } from './adapters/redis/redis-check';
import { createRepartitionEngines, type Plan, type RepartitionEngines } from './adapters/redis/repartition-engines';
import { StreamSplit } from './adapters/redis/repartition-streams';
import { systemClock } from './adapters/system/clock';
import { createConsoleLogger } from './adapters/system/console-logger';
import { EngineError, notFound, valueError } from './core/domain/errors';
import { limits } from './core/domain/limits';
import type { LogEvent } from './core/domain/log-event';
import { foldVersion } from './core/snapshot';
import {
  assertAlike,
  cursorOf,
  type EngineState,
  registryEvents,
  regrouped,
  stateOf,
  stateOfEvents,
  symbolsOf,
} from './live/keeping/regrouping';
import type { LogReader, Snapshot } from './live/ports';

export interface RepartitionOptions {
  readonly url: string;
  /** The engines are NAME-0, NAME-1 and on. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Default `strategy_engine:input`. */
  readonly stream?: string;
  /** Only says what would be done. */
  readonly isDry: boolean;
}

export interface RepartitionedEngine {
  readonly name: string;
  /** Symbols it had, has now, and got from others. */
  readonly before: number;
  readonly after: number;
  readonly gained: number;
  readonly isNew: boolean;
  /** When the state that is moved was kept; `null` for one that had none. */
  readonly keptMs: number | null;
}

export interface RepartitionReport {
  readonly outcome: 'done' | 'finished' | 'already' | 'dry';
  /** Of one that was only finished, what was read before is not known any more. */
  readonly engines: readonly RepartitionedEngine[];
  readonly unread: number;
  readonly written: number;
  /** Entries that producers added while it was at work: kept, behind the others. */
  readonly late: number;
  /** Of these, in streams that no engine reads any more. */
  readonly stranded: number;
  /** Dry: engines that run, for which it would be refused. */
  readonly running: readonly string[];
}

const nothing = { engines: [], unread: 0, written: 0, late: 0, stranded: 0, running: [] } as const;

const shared = { clock: systemClock, logger: createConsoleLogger({ level: 'silent' }), random: () => 0.5 };

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export async function repartition(options: RepartitionOptions): Promise<RepartitionReport> {
  const { url, from, to } = options;
  assertPartitions(from, '--from');
  assertPartitions(to, '--to');
  if (from === to) throw valueError('--to', 'must be another number than --from', to);
  const work = new Repartition(options);
  const connections = createConnections({ url, ...shared }, work.keys());
  try {
    await connections.start();
    return await work.run(connections);
  } finally {
    await connections.close();
  }
}

/** An engine as it was read. */
interface Found {
  readonly state: EngineState;
  readonly keptMs: number | null;
}

class Repartition {
  private readonly options: RepartitionOptions;
  private readonly names: readonly string[];
  private readonly streams: readonly string[];
  private readonly first: string;

  constructor(options: RepartitionOptions) {
    const { name, from, to, stream = 'strategy_engine:input' } = options;
    this.options = { ...options, stream };
    this.names = upTo(Math.max(from, to)).map((partition) => partitionEngine(name, partition));
    this.streams = this.names.map((_, partition) => partitionStream(stream, partition));
    this.first = partitionEngine(name, 0);
  }

  /** All that connections are needed for. */
  keys(): string[] {
    return [...this.names.map((name) => keysOf(name).lease), ...this.streams];
  }

  async run(connections: Connections): Promise<RepartitionReport> {
    const engines = createRepartitionEngines({ connections, ...shared });
    const streams = new StreamSplit(connections);
    const plan = await this.planned(engines);
    if (plan === null) return { ...nothing, outcome: 'already' };
    if (this.options.isDry) return this.dry(plan, engines, streams);
    return engines.holding(this.names, async () => {
      if (plan.phase === 'placing')
        return { ...nothing, outcome: 'finished', ...(await this.place(plan, engines, streams)) };
      const found = await this.readAll(engines);
      // The first one last: it is the one that is looked for.
      for (const name of [...this.names].reverse()) await engines.mark(name, plan);
      for (const stream of this.streams) await streams.setAside(stream);
      const done = await this.stage(plan, found, engines, streams);
      await engines.mark(this.first, { ...plan, phase: 'placing' });
      return { ...nothing, ...done, outcome: 'done', ...(await this.place(plan, engines, streams)) };
    });
  }

  /** What to do, or go on with; `null` when it is done already. */
  private async planned(engines: RepartitionEngines): Promise<Plan | null> {
    const { from, to, stream = '' } = this.options;
    const open = await engines.readPlan(this.first);
    if (open !== null) {
      if (open.from === from && open.to === to && open.stream === stream) return open;
      const message = `a repartition --from ${open.from} --to ${open.to} of ${open.stream} was interrupted: finish that first`;
      throw new EngineError('ConflictError', message);
    }
    const split = await engines.readPartitions(this.first);
    if (split === to) return null;
    if (split !== null && split !== from)
      throw new EngineError('ConflictError', `the market is split over ${split} engines, not ${from}`);
    const next = this.names[from];
    if (split === null && next !== undefined && (await engines.exists(next)))
      throw new EngineError('ConflictError', `there is an engine ${next} too: is it split over more than ${from}?`);
    return { id: randomUUID(), from, to, stream, phase: 'staging' };
  }

  private async dry(plan: Plan, engines: RepartitionEngines, streams: StreamSplit): Promise<RepartitionReport> {
    const running: string[] = [];
    for (const name of this.names) if (await engines.isHeld(name)) running.push(name);
    if (plan.phase === 'placing') return { ...nothing, outcome: 'dry', running };
    const found = await this.readAll(engines);
    const { owners } = this.owners(found);
    const { unread, written } = await streams.stage(this.readStreams(found), this.streams.slice(0, plan.to), true);
    const counted = this.names.map((_, at) => this.counted(at, found, owners));
    return { ...nothing, outcome: 'dry', engines: counted, unread: sum(unread), written: sum(written), running };
  }

  /** Every engine there is; a new one is `null`. */
  private async readAll(engines: RepartitionEngines): Promise<(Found | null)[]> {
    const { from } = this.options;
    const found: (Found | null)[] = [];
    for (const [at, name] of this.names.entries()) {
      const one = (await engines.exists(name)) ? await this.read(name) : null;
      if (one === null && at < from) throw notFound('engine in this Redis', name);
      found.push(one);
    }
    assertAlike(found.flatMap((one) => (one === null ? [] : [one.state])));
    return found;
  }

  private async read(name: string): Promise<Found> {
    const check = await openRedisCheck({ ...shared, url: this.options.url, keys: keysOf(name) });
    try {
      let snapshot: Snapshot | null = null;
      for await (const set of check.sets()) {
        snapshot ??= set.snapshot;
        if (snapshot !== null) break;
      }
      const later = await eventsAfter(check.log, snapshot?.meta.logSeq ?? 0);
      if (snapshot === null) return { state: stateOfEvents(name, later), keptMs: null };
      if (later.some(({ type }) => type !== 'execution_tracked')) {
        const message = `strategies of ${name} were changed after its state was kept: start and stop it once`;
        throw new EngineError('ConflictError', message);
      }
      return { state: stateOf(name, snapshot), keptMs: snapshot.meta.atMs };
    } finally {
      await check.close();
    }
  }

  /** Where each symbol is, by the engines that have the market now. */
  private owners(found: readonly (Found | null)[]) {
    const { from } = this.options;
    const states = found.slice(0, from).flatMap((one) => (one === null ? [] : [one.state]));
    return { states, owners: symbolsOf(states, (symbol) => partitionOf(symbol, from)) };
  }

  private readStreams(found: readonly (Found | null)[]) {
    const { from } = this.options;
    return this.streams.map((stream, at) => {
      const state = at < from ? found[at]?.state : undefined;
      return { stream, cursor: state === undefined ? '' : cursorOf(state, feedOf(stream)) };
    });
  }

  private counted(at: number, found: readonly (Found | null)[], owners: ReadonlyMap<string, number>) {
    const { to } = this.options;
    const has = [...owners].filter(([symbol]) => partitionOf(symbol, to) === at && at < to);
    return {
      name: this.names[at] ?? '',
      before: [...owners.values()].filter((owner) => owner === at).length,
      after: has.length,
      gained: has.filter(([, owner]) => owner !== at).length,
      isNew: found[at] === null,
      keptMs: found[at]?.keptMs ?? null,
    };
  }

  private async stage(plan: Plan, found: readonly (Found | null)[], engines: RepartitionEngines, streams: StreamSplit) {
    const { states, owners } = this.owners(found);
    const model = await this.modelEvents();
    for (const [at, name] of this.names.entries()) {
      const events = found[at] === null ? model : null;
      const base = found[at]?.state ?? stateOfEvents(name, model);
      const symbols = new Map<string, EngineState>();
      for (const [symbol, owner] of owners) {
        const state = states[owner];
        if (at < plan.to && partitionOf(symbol, plan.to) === at && state !== undefined) symbols.set(symbol, state);
      }
      const chunks = regrouped({ base, symbols, feeds: this.streams.map(feedOf) });
      const { logSeq } = base.core;
      const meta = { logSeq, tapePosition: 0, tapeId: plan.id, foldVersion, atMs: shared.clock.nowMs() };
      await engines.stage(name, { chunks, meta, events });
    }
    const moved = await streams.stage(this.readStreams(found), this.streams.slice(0, plan.to), false);
    const counted = this.names.map((_, at) => this.counted(at, found, owners));
    return { engines: counted, unread: sum(moved.unread), written: sum(moved.written) };
  }

  /** What a new engine's log begins with. */
  private async modelEvents(): Promise<LogEvent[]> {
    const check = await openRedisCheck({ ...shared, url: this.options.url, keys: keysOf(this.first) });
    try {
      return registryEvents(await eventsAfter(check.log, 0));
    } finally {
      await check.close();
    }
  }

  private async place(plan: Plan, engines: RepartitionEngines, streams: StreamSplit) {
    await engines.shareSignalIds(this.names.slice(0, plan.from), this.names.slice(0, plan.to));
    for (const name of this.names) await engines.takePlace(name);
    let late = 0;
    for (const stream of this.streams.slice(0, plan.to)) late += await streams.takePlace(stream);
    let stranded = 0;
    for (const stream of this.streams.slice(plan.to)) stranded += await streams.length(stream);
    for (const stream of this.streams) await streams.removeAside(stream);
    await engines.writePartitions(this.first, plan.to);
    for (const name of [...this.names].reverse()) await engines.unmark(name);
    return { late: late + stranded, stranded };
  }
}

/** What the reader of a stream is called in an engine's state. */
const feedOf = (stream: string): string => `stream:${stream}`;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

async function eventsAfter(log: LogReader, afterSeq: number): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for (;;) {
    const page = await log.read(afterSeq + events.length, limits.eventsPerPage);
    events.push(...page);
    if (page.length < limits.eventsPerPage) return events;
  }
}
