/** Folds the events of the log: the registry, the ledger, the audit trail, and what they change in the running core. */
import type { ExecutionTracked, LogEvent } from './domain/log-event';
import { currentVersion, type StrategyRecord } from './domain/strategy';
import { createBook, executed } from './execution/book';
import { foldAudit } from './learning/audit';
import { applyExecution, setCapital } from './performance/ledger';
import { recall } from './recall';
import { createDecisionLog, type DecisionLog } from './risk/decision-log';
import { type CoreState, touch } from './state';
import { attach, remove, renew, retire, runningOf, subscribes } from './strategies/attach';
import { foldRecord } from './strategies/records';
import { createStrategyRuntime, type StrategyRuntime } from './strategies/running';
import { storedParameters } from './strategies/stored-parameters';
import type { CommonParameters, StrategyDefinition } from './strategies/strategy';
import { symbolOf } from './symbols';

/** Applies one event. Events come in `seq` order; one already folded changes nothing. */
export function apply(core: CoreState, event: LogEvent): void {
  foldLedger(core, event);
  if (event.seq <= core.logSeq) return;
  core.logSeq = event.seq;
  const record = foldRecord(core.records, event);
  const letGo = event.type === 'strategy_registered' ? recall(core, event.data) : null;
  if (record !== null) strategyChanged(core, record);
  letGo?.();
  if (event.type === 'execution_tracked') execution(core, event.data);
  if (event.type === 'adaptation' || event.type === 'learning_frozen') foldAudit(core.audit, event);
}

function strategyChanged(core: CoreState, record: StrategyRecord): void {
  const strategy = core.strategies.get(record.strategyId);
  if (record.archived) {
    stop(core, record.strategyId);
    return;
  }
  if (strategy === undefined) {
    start(core, record, createDecisionLog());
    return;
  }
  strategy.record = record;
  strategy.version = currentVersion(record);
  strategy.parameters = parametersOf(core, record, strategy.definition);
  for (const symbol of core.symbols.values()) renew(core, symbol, strategy);
}

/** Of the current version; what no longer meets the type's schema is noted, and has its default. */
function parametersOf(core: CoreState, record: StrategyRecord, definition: StrategyDefinition): CommonParameters {
  const { parameters, replaced } = storedParameters(definition, currentVersion(record).parameters);
  if (replaced.length > 0) core.misfits.set(record.strategyId, replaced);
  else core.misfits.delete(record.strategyId);
  return parameters;
}

/** Brings a registered strategy to life on every symbol it subscribes to; `null` while its type is not defined here. */
function start(core: CoreState, record: StrategyRecord, log: DecisionLog): StrategyRuntime | null {
  const strategy = prepare(core, record, log);
  if (strategy === null) return null;
  for (const symbol of core.symbols.values()) if (subscribes(strategy, symbol)) attach(core, symbol, strategy);
  return strategy;
}

/** As `start`, but attached to nothing yet: a snapshot says where it was. */
export function prepare(core: CoreState, record: StrategyRecord, log: DecisionLog): StrategyRuntime | null {
  const definition = core.registry.get(record.strategyType);
  if (definition === undefined || record.archived) return null;
  const parameters = parametersOf(core, record, definition);
  const strategy = createStrategyRuntime(record, definition, parameters, log);
  core.strategies.set(record.strategyId, strategy);
  return strategy;
}

/** Also of a strategy that does not run, because its type is not defined here: it may have left a position. */
function stop(core: CoreState, strategyId: string): void {
  for (const symbol of core.symbols.values()) {
    for (const running of runningOf(symbol, strategyId)) remove(symbol, running);
    const book = symbol.books.get(strategyId);
    if (book === undefined) continue;
    const held = book.pending === null ? book.exposure : book.pending.targetExposure;
    core.totalExposure -= Math.abs(held);
    core.openPositions -= held === 0 ? 0 : 1;
    symbol.books.delete(strategyId);
    if (symbol.live.includes(book)) symbol.live.splice(symbol.live.indexOf(book), 1);
    touch(symbol);
  }
  if (core.openPositions === 0) core.totalExposure = 0;
  core.misfits.delete(strategyId);
  core.strategies.delete(strategyId);
  core.stopped.add(strategyId);
}

/** A type became known: strategies registered with it earlier start now. */
export function definitionAdded(core: CoreState, definition: StrategyDefinition): void {
  for (const record of core.records.byId.values()) {
    if (record.strategyType === definition.type && !core.strategies.has(record.strategyId)) {
      start(core, record, createDecisionLog());
    }
  }
}

/** The ledger may be older than the rest of a snapshot: it keeps its own place in the log. */
function foldLedger(core: CoreState, event: LogEvent): void {
  if (event.seq <= core.ledgerSeq) return;
  core.ledgerSeq = event.seq;
  if (event.type === 'execution_tracked') applyExecution(core.ledger, event);
  if (event.type === 'strategy_registered') {
    setCapital(core.ledger, event.data.strategyId, event.data.capital ?? core.settings.capital);
  }
}

function execution(core: CoreState, data: ExecutionTracked): void {
  if (data.symbol !== null && data.side !== null && data.quantity !== null && isTraded(data)) moveBook(core, data);
}

function isTraded(data: ExecutionTracked): boolean {
  return (data.status === 'filled' || data.status === 'partial') && data.mode !== 'shadow';
}

function moveBook(core: CoreState, data: ExecutionTracked): void {
  const strategy = core.strategies.get(data.strategyId);
  if (strategy === undefined || data.symbol === null || data.side === null || data.quantity === null) return;
  // What is held is known before the market is: a position may be told before its symbol's first tick.
  const symbol = symbolOf(core, { symbol: data.symbol, assetType: null });
  if (symbol === null) return;
  let book = symbol.books.get(data.strategyId);
  if (book === undefined) {
    book = createBook(data.strategyId, symbol.market.symbol);
    symbol.books.set(data.strategyId, book);
  }
  const before = book.pending === null ? book.exposure : book.pending.targetExposure;
  const capital = strategy.record.capital ?? core.settings.capital;
  executed(
    book,
    data.side === 'buy' ? 1 : -1,
    data.quantity,
    data.price,
    data.positionAfter,
    data.timestampMs,
    capital,
  );
  core.totalExposure += Math.abs(book.exposure) - Math.abs(before);
  core.openPositions += (book.exposure === 0 ? 0 : 1) - (before === 0 ? 0 : 1);
  const live = symbol.live.indexOf(book);
  if (book.exposure !== 0 && live < 0) symbol.live.push(book);
  if (book.exposure === 0 && live >= 0) symbol.live.splice(live, 1);
  if (core.openPositions === 0) core.totalExposure = 0;
  if (book.exposure === 0) retire(symbol, data.strategyId);
  touch(symbol);
}
