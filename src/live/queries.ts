/** What can be asked: views of the core's state, made on the spot. */
import type { ParameterView, StrategyView, VersionView } from '../core/domain/bodies';
import { currentVersion, type StrategyRecord, type StrategyVersion } from '../core/domain/strategy';
import type { EngineVerbs } from '../core/domain/verbs';
import { type Book, positionView } from '../core/execution/book';
import { createDecisionLog, funnel, newestFirst } from '../core/risk/decision-log';
import type { CoreState } from '../core/state';
import { runningOf } from '../core/strategies/attach';
import { settle } from '../core/strategies/evaluate';
import { parameterViews } from '../core/strategies/registry';
import { stepCode } from '../core/strategies/strategy';
import { numbered, numberedNewest, page } from './page';
import { requireRecord } from './strategy-commands';

type Queries = Pick<
  EngineVerbs,
  'strategies' | 'strategy' | 'versions' | 'decisions' | 'types' | 'position' | 'positions'
>;

export function createQueries(core: CoreState): Queries {
  return {
    strategies(query) {
      const all = numbered([...core.records.byId.values()]);
      const active = all.filter(({ item }) => !item.archived);
      const { items, cursor } = page(active, query);
      return { strategies: items.map((record) => strategyView(core, record)), cursor };
    },
    strategy: (strategyId) => strategyView(core, requireRecord(core, strategyId)),
    versions(strategyId, query) {
      const { versions } = requireRecord(core, strategyId);
      const { items, cursor } =
        query === undefined ? { items: versions, cursor: null } : page(numbered(versions), query);
      return { strategyId, versions: items.map(versionView), cursor };
    },
    decisions(strategyId, query = {}) {
      requireRecord(core, strategyId);
      const log = core.strategies.get(strategyId)?.log ?? createDecisionLog();
      for (const symbol of core.symbols.values()) settle(symbol);
      const all = numberedNewest(newestFirst(log), log.kept);
      const kept = all.filter(({ item }) => query.symbol === undefined || item.symbol === query.symbol);
      const { items, cursor } = page(kept, query);
      return { strategyId, decisions: items, funnel: funnel(log), cursor };
    },
    types: () => ({ types: core.registry.typeViews() }),
    position(strategyId, symbol) {
      requireRecord(core, strategyId);
      const book = core.symbols.get(symbol.toUpperCase())?.books.get(strategyId);
      return book === undefined ? null : positionView(book);
    },
    positions: () => openBooks(core).map(positionView),
  };
}

function openBooks(core: CoreState): Book[] {
  const open: Book[] = [];
  for (const symbol of core.symbols.values()) {
    for (const book of symbol.live) if (book.exposure !== 0) open.push(book);
  }
  return open;
}

function strategyView(core: CoreState, record: StrategyRecord): StrategyView {
  const definition = core.registry.get(record.strategyType);
  const { version, name, state, symbols, assetTypes, timeframe, parameters } = currentVersion(record);
  const { strategyId, strategyType, capital, allowShort } = record;
  return {
    strategyId,
    strategyType,
    // A type of the user's own that is not defined (yet): the strategy waits for it.
    family: definition?.family ?? '',
    name,
    state: record.archived ? 'archived' : state,
    version,
    symbols,
    assetTypes,
    timeframe,
    capital,
    allowShort,
    registrationTime: new Date(record.registeredMs).toISOString(),
    parameters: definition ? parameterViews(definition, inForce(core, record)) : rawViews(parameters),
    warm: isWarm(core, strategyId),
    signals: core.strategies.get(strategyId)?.log.signals ?? 0,
  };
}

/** As they run: a stored value that no longer fits has its default. */
function inForce(core: CoreState, record: StrategyRecord): Readonly<Record<string, unknown>> {
  const isRunning = core.misfits.has(record.strategyId);
  const parameters = isRunning ? core.strategies.get(record.strategyId)?.parameters : undefined;
  return parameters === undefined ? currentVersion(record).parameters : { ...parameters };
}

function rawViews(parameters: Readonly<Record<string, unknown>>): Record<string, ParameterView> {
  const bounds = { default: null, minimum: null, maximum: null, description: '' };
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, { value, ...bounds }]));
}

/** Warm on at least one symbol. */
function isWarm(core: CoreState, strategyId: string): boolean {
  for (const symbol of core.symbols.values()) {
    for (const running of runningOf(symbol, strategyId)) {
      if (running.definition.data === 'ticks') {
        const seen = symbol.ticks - running.ticksBefore + running.settledTicks;
        if (seen >= running.definition.warmup(running.parameters)) return true;
      } else if (running.lastCode !== -1 && running.lastCode !== stepCode.WARMING) return true;
    }
  }
  return false;
}

function versionView(version: StrategyVersion): VersionView {
  const { atMs, ...rest } = version;
  return { ...rest, at: new Date(atMs).toISOString() };
}
