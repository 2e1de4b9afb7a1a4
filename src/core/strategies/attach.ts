/** Which strategy runs on which symbol: attaching (warm from the bars remembered), detaching, changing versions. */
import type { Bar } from '../domain/bar';
import { limits } from '../domain/limits';
import { createBook } from '../execution/book';
import { closeSeries, openSeries } from '../market/bars';
import { history, historyLength, historyRegime } from '../market/series';
import { type BarGroup, type CoreState, type SymbolRuntime, type TickGroup, touch } from '../state';
import { setContext, settle } from './evaluate';
import { runningOf, tradeVersion } from './on-symbol';
import { clearSlot, createRunning, type Running, type StrategyRuntime, type Variant } from './running';
import type { BarStrategyDefinition, TickStrategyDefinition } from './strategy';

export { runningOf } from './on-symbol';

/** Whether the strategy's symbols and asset types let it see this symbol. */
export function subscribes(strategy: StrategyRuntime, symbol: SymbolRuntime): boolean {
  const { symbols, assetTypes } = strategy.version;
  if (strategy.record.archived) return false;
  if (symbols.length > 0 && !symbols.includes(symbol.market.symbol)) return false;
  return assetTypes.length === 0 || assetTypes.includes(symbol.assetType);
}

/** Every strategy that subscribes to a symbol met for the first time. */
export function attachAll(core: CoreState, symbol: SymbolRuntime): void {
  for (const strategy of core.strategies.values()) if (subscribes(strategy, symbol)) attach(core, symbol, strategy);
}

/** The symbol turned out to be of another asset type: some strategies start on it, others end. */
export function resubscribe(core: CoreState, symbol: SymbolRuntime): void {
  for (const strategy of core.strategies.values()) {
    const running = runningOf(symbol, strategy.record.strategyId);
    const isWanted = subscribes(strategy, symbol);
    if (isWanted && running.length === 0) attach(core, symbol, strategy);
    if (!isWanted) for (const one of running) remove(symbol, one);
  }
}

/** Starts a strategy's current version on a symbol, warmed on the closed bars that are remembered. */
export function attach(core: CoreState, symbol: SymbolRuntime, strategy: StrategyRuntime): Running {
  const { version, parameters } = strategy;
  const timeframe = version.timeframe === 'auto' ? symbol.autoTimeframe : version.timeframe;
  const running = place(symbol, strategy, { version, parameters, timeframe });
  if (running.definition.data === 'bars') warm(core, symbol, running, running.definition);
  touch(symbol);
  return running;
}

/** As `attach` but cold: a snapshot's state is read into it next. */
export function place(symbol: SymbolRuntime, strategy: StrategyRuntime, variant: Variant): Running {
  const { definition } = strategy;
  const { strategyId } = strategy.record;
  let book = symbol.books.get(strategyId);
  if (book === undefined) {
    book = createBook(strategyId, symbol.market.symbol);
    symbol.books.set(strategyId, book);
  }
  if (definition.data === 'ticks') {
    const running = createRunning(strategy, book, { ...variant, timeframe: '' });
    running.ticksBefore = symbol.ticks;
    tickGroup(symbol, definition).instances.push(running);
    return running;
  }
  const running = createRunning(strategy, book, variant);
  barGroup(symbol, variant.timeframe, definition.warmup(running.parameters)).instances.push(running);
  return running;
}

function tickGroup(symbol: SymbolRuntime, definition: TickStrategyDefinition): TickGroup {
  const known = symbol.tickGroups.find((group) => group.definition.type === definition.type);
  if (known) return known;
  const group: TickGroup = { definition, run: definition.run.bind(definition), instances: [] };
  symbol.tickGroups.push(group);
  return group;
}

function barGroup(symbol: SymbolRuntime, timeframe: string, warmupBars: number): BarGroup {
  const history = Math.min(limits.barHistoryMax, Math.max(limits.barHistoryMin, warmupBars + 1));
  const series = openSeries(symbol.market, timeframe, history);
  const known = symbol.bars.get(timeframe);
  if (known) return known;
  const group: BarGroup = { series, instances: [] };
  symbol.bars.set(timeframe, group);
  return group;
}

function warm(core: CoreState, symbol: SymbolRuntime, running: Running, definition: BarStrategyDefinition): void {
  const group = symbol.bars.get(running.timeframe) as BarGroup;
  const { slot } = core.scratch;
  const bars = historyLength(group.series);
  for (let i = 0; i < bars; i++) {
    const bar: Bar | null = history(group.series, i);
    const regime = historyRegime(group.series, i);
    if (bar === null || regime === null) return;
    setContext(running, regime);
    clearSlot(slot);
    try {
      running.lastCode = definition.step(running.state, bar, running.parameters, running.context, slot);
    } catch {
      // A user's own type threw: its next bar says so.
      return;
    }
  }
}

/** Stops one running strategy and lets go of its series. */
export function remove(symbol: SymbolRuntime, running: Running): void {
  touch(symbol);
  if (running.definition.data === 'ticks') {
    const group = symbol.tickGroups.find((one) => one.instances.includes(running));
    if (group === undefined) return;
    // What it has evaluated stays counted, whenever the next reading of the funnel would have been.
    settle(symbol);
    group.instances.splice(group.instances.indexOf(running), 1);
    if (group.instances.length === 0) symbol.tickGroups.splice(symbol.tickGroups.indexOf(group), 1);
    return;
  }
  const group = symbol.bars.get(running.timeframe);
  if (group === undefined) return;
  group.instances.splice(group.instances.indexOf(running), 1);
  closeSeries(symbol.market, running.timeframe);
  if (group.instances.length === 0) symbol.bars.delete(running.timeframe);
}

/**
 * A new version of a strategy. Where a trade is open, the version that opened it goes on managing it to its end; the
 * new one takes the new entries.
 */
export function renew(core: CoreState, symbol: SymbolRuntime, strategy: StrategyRuntime): void {
  const before = runningOf(symbol, strategy.record.strategyId);
  // The new one first: a series without subscribers is gone, and with it the bars to warm up on.
  if (subscribes(strategy, symbol)) attach(core, symbol, strategy);
  for (const running of before) {
    if (running.version.version === tradeVersion(running.book)) running.managesOnly = true;
    else if (!running.managesOnly) remove(symbol, running);
  }
}

/** Old versions whose trade has ended have nothing left to do. */
export function retire(symbol: SymbolRuntime, strategyId: string): void {
  for (const running of runningOf(symbol, strategyId)) {
    if (running.managesOnly && running.book.exposure === 0 && running.book.pending === null) remove(symbol, running);
  }
}

/** The feed's own bars arrived: strategies whose timeframe is `auto` move to them. */
export function rehome(core: CoreState, symbol: SymbolRuntime, timeframe: string): void {
  if (symbol.autoTimeframe === timeframe) return;
  symbol.autoTimeframe = timeframe;
  for (const group of [...symbol.bars.values()]) {
    for (const running of [...group.instances]) {
      if (running.version.timeframe !== 'auto' || running.managesOnly) continue;
      remove(symbol, running);
      attach(core, symbol, running.strategy);
    }
  }
}
