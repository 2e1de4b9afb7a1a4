/**
 * The states of engines that share one market, split another way: each symbol's goes, as it is, to the engine that has the
 * symbol from now on. What belongs to an engine and not to a symbol (registry, performance, audit, counters) stays.
 */
import { createCore } from '../../core/create';
import { EngineError } from '../../core/domain/errors';
import type { LogEvent } from '../../core/domain/log-event';
import { apply } from '../../core/fold';
import { capture, foldVersion, restore } from '../../core/snapshot';
import type { CoreState } from '../../core/state';
import type { Snapshot, SnapshotChunk } from '../ports';

const symbolPrefix = 'sym:';

/** An engine as its store has it. */
export interface EngineState {
  readonly name: string;
  readonly core: CoreState;
  readonly chunks: ReadonlyMap<string, Uint8Array>;
}

/** What a snapshot holds. @throws EngineError `ConflictError` when it cannot be split as it is, with what to do. */
export function stateOf(name: string, { meta, chunks }: Snapshot): EngineState {
  if (meta.foldVersion !== foldVersion)
    throw new EngineError('ConflictError', `${name} was kept by another version: start and stop it once with this one`);
  const core = createCore();
  restore(core, chunks);
  assertKnown(name, core);
  return { name, core, chunks };
}

/** What events alone come to; what their bars of the past made of symbols is left out. */
export function stateOfEvents(name: string, events: readonly LogEvent[]): EngineState {
  const core = createCore();
  for (const event of events) apply(core, event);
  assertKnown(name, core);
  const chunks = new Map(capture(core).dirty.map((chunk) => [chunk.name, chunk.bytes]));
  for (const symbol of core.symbols.keys()) chunks.delete(symbolPrefix + symbol);
  core.symbols.clear();
  return { name, core, chunks };
}

/** Of a type that is not known here nothing can be restored, and so nothing be kept. */
function assertKnown(name: string, core: CoreState): void {
  for (const { strategyId, strategyType, archived } of core.records.byId.values()) {
    if (archived || core.strategies.has(strategyId)) continue;
    const what = `strategy ${strategyId} of ${name} is of your own type ${strategyType}`;
    throw new EngineError('ConflictError', `${what}, which the command line does not know; nothing was changed`);
  }
}

/** The events that make a new engine of the same strategies: all but executions, numbered anew. */
export function registryEvents(events: readonly LogEvent[]): LogEvent[] {
  const versions = new Map<string, number>();
  return events
    .filter(({ type }) => type !== 'execution_tracked')
    .map((event, i): LogEvent => {
      const aggregateVersion = (versions.get(event.aggregate) ?? 0) + 1;
      versions.set(event.aggregate, aggregateVersion);
      return { ...event, seq: i + 1, aggregateVersion };
    });
}

/** A symbol's state names versions of strategies, so they must be the same where it goes. */
export function assertAlike(states: readonly EngineState[]): void {
  const [first, ...others] = states;
  if (first === undefined) return;
  const wanted = strategiesOf(first.core);
  for (const { name, core } of others) {
    const found = strategiesOf(core);
    const odd = [...new Set([...wanted.keys(), ...found.keys()])].find((id) => wanted.get(id) !== found.get(id));
    if (odd === undefined) continue;
    const message = `strategy ${odd} is not the same in ${first.name} and ${name}: make them alike in all engines first`;
    throw new EngineError('ConflictError', message);
  }
}

/** By id, all that decides what a strategy does; not who changed it when. */
function strategiesOf(core: CoreState): Map<string, string> {
  const strategies = new Map<string, string>();
  for (const { strategyId, registeredMs: _, versions, ...rest } of core.records.byId.values()) {
    const made = versions.map(({ atMs: _at, actor: _actor, name: _name, ...version }) => version);
    strategies.set(strategyId, JSON.stringify([rest, made]));
  }
  return strategies;
}

/** The symbols, and in which of the states each is: where it belongs, else the only one that heard of it. */
export function symbolsOf(
  states: readonly EngineState[],
  partitionOf: (symbol: string) => number,
): Map<string, number> {
  const found = new Map<string, number[]>();
  for (const [at, { core }] of states.entries()) {
    // One that was only warmed up is in every engine; where it is not at home there is nothing of it to keep.
    for (const { market, lastMs } of core.symbols.values()) {
      const { symbol } = market;
      if (lastMs > 0 || partitionOf(symbol) === at) found.set(symbol, [...(found.get(symbol) ?? []), at]);
    }
  }
  const owners = new Map<string, number>();
  for (const [symbol, at] of found) {
    const home = partitionOf(symbol);
    const [only] = at;
    if (at.includes(home)) owners.set(symbol, home);
    else if (at.length === 1 && only !== undefined) owners.set(symbol, only);
    else throw new EngineError('ConflictError', `${symbol} was heard by several engines, none of which it belongs to`);
  }
  return owners;
}

export interface Regrouping {
  /** The engine that stays what it is but for its symbols. */
  readonly base: EngineState;
  /** Symbol, and the engine that has it now. */
  readonly symbols: ReadonlyMap<string, EngineState>;
  /** Streams that begin anew: their positions are forgotten. */
  readonly feeds: readonly string[];
}

/** The chunks of an engine with these symbols. */
export function regrouped({ base, symbols, feeds }: Regrouping): SnapshotChunk[] {
  const chunks = new Map<string, Uint8Array>();
  for (const [name, bytes] of base.chunks) if (!name.startsWith(symbolPrefix)) chunks.set(name, bytes);
  for (const [symbol, owner] of symbols) {
    const name = symbolPrefix + symbol;
    const bytes = owner.chunks.get(name);
    if (bytes === undefined) throw new EngineError('InternalError', `${owner.name} has nothing of ${symbol}`);
    chunks.set(name, bytes);
  }
  const core = createCore();
  restore(core, chunks);
  for (const feed of feeds) core.entries.delete(feed);
  core.openPositions = 0;
  core.totalExposure = 0;
  for (const { books } of core.symbols.values()) {
    for (const { exposure } of books.values()) {
      core.totalExposure += Math.abs(exposure);
      core.openPositions += exposure === 0 ? 0 : 1;
    }
  }
  for (const { name, bytes } of capture(core, false).dirty) chunks.set(name, bytes);
  return [...chunks].map(([name, bytes]) => ({ name, bytes }));
}

/** The last entry of a stream that is in the state; empty when none is. */
export const cursorOf = ({ core }: EngineState, feed: string): string => core.entries.get(feed) ?? '';
