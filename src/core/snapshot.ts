/**
 * The core as chunks of bytes and back: one chunk per symbol and one for the rest, all of one instant, so that nothing
 * has to be skipped when the tape is replayed behind it. Restoring is exact: a restored core answers as one that was
 * never stopped.
 */
import { EngineError } from './domain/errors';
import { StateReader, StateWriter } from './domain/state-codec';
import type { StrategyRecord } from './domain/strategy';
import type { AssetType } from './domain/tick';
import { type Book, type BookChanges, bookOf, changesOf } from './execution/book';
import { prepare } from './fold';
import { readAudit, writeAudit } from './learning/audit';
import { readGapTracker, writeGapTracker } from './market/gaps';
import type { Outcome } from './market/market';
import { readSymbolMarket, writeSymbolMarket } from './market/symbol-market';
import { readLedger, writeLedger } from './performance/ledger';
import { readCounts, readKept, writeCounts, writeKept } from './risk/decision-log';
import type { CoreState, SymbolRuntime } from './state';
import { place } from './strategies/attach';
import { settle } from './strategies/evaluate';
import type { Running } from './strategies/running';
import { storedParameters } from './strategies/stored-parameters';
import type { StepCode } from './strategies/strategy';
import { createSymbol } from './symbols';

/** Raised when the bytes change meaning: an older snapshot is then not loaded but refolded from log and tape. */
export const foldVersion = 5;

const restChunk = 'rest';
const ledgerChunk = 'ledger';
const symbolChunk = (symbol: string) => `sym:${symbol}`;
const decisionsChunk = (strategyId: string) => `why:${strategyId}`;

export interface CoreChunks {
  readonly dirty: { readonly name: string; readonly bytes: Uint8Array }[];
  readonly removed: string[];
}

/**
 * The chunks that changed since the last capture; marks them clean. The ledger, which can be large, is written only when
 * `withLedger`: a ledger that is older than the rest catches up from the log.
 */
export function capture(core: CoreState, withLedger = true): CoreChunks {
  const out = new StateWriter();
  const dirty: CoreChunks['dirty'] = [];
  const write = (name: string, fill: () => void) => {
    out.reset();
    fill();
    dirty.push({ name, bytes: out.bytes() });
  };
  for (const symbol of core.symbols.values()) settle(symbol);
  write(restChunk, () => writeRest(core, out));
  if (withLedger && core.ledgerSavedSeq !== core.ledgerSeq) {
    write(ledgerChunk, () => writeLedgerChunk(core, out));
    core.ledgerSavedSeq = core.ledgerSeq;
  }
  for (const [strategyId, { log }] of core.strategies) {
    if (log.saved !== log.kept) write(decisionsChunk(strategyId), () => writeKept(log, out));
    log.saved = log.kept;
  }
  for (const symbol of core.symbols.values()) {
    if (symbol.dirty) write(symbolChunk(symbol.market.symbol), () => writeSymbol(symbol, out));
    symbol.dirty = false;
  }
  const removed = [...[...core.evicted].map(symbolChunk), ...[...core.stopped].map(decisionsChunk)];
  core.evicted.clear();
  core.stopped.clear();
  return { dirty, removed };
}

/** The next capture holds everything: what the last one held was not kept. */
export function markAllDirty(core: CoreState): void {
  core.ledgerSavedSeq = -1;
  for (const { log } of core.strategies.values()) log.saved = -1;
  for (const symbol of core.symbols.values()) symbol.dirty = true;
}

/** The chunks of a capture that was not kept are to be removed by the next one. */
export function takeBack(core: CoreState, removed: readonly string[]): void {
  for (const name of removed) {
    const [kind, ...rest] = name.split(':');
    (kind === 'sym' ? core.evicted : core.stopped).add(rest.join(':'));
  }
}

/** Fills a fresh core. Throws when a chunk is missing or does not read to its end; the caller then falls back. */
export function restore(core: CoreState, chunks: ReadonlyMap<string, Uint8Array>): void {
  read(chunks, restChunk, (input) => readRest(core, input));
  if (chunks.has(ledgerChunk)) read(chunks, ledgerChunk, (input) => readLedgerChunk(core, input));
  for (const name of chunks.keys()) {
    if (name.startsWith('sym:')) read(chunks, name, (input) => readSymbol(core, input));
  }
  for (const [strategyId, { log }] of core.strategies) {
    const name = decisionsChunk(strategyId);
    if (chunks.has(name)) read(chunks, name, (input) => readKept(log, input));
  }
}

function read(chunks: ReadonlyMap<string, Uint8Array>, name: string, fill: (input: StateReader) => void): void {
  const bytes = chunks.get(name);
  if (bytes === undefined) throw new EngineError('InternalError', `the snapshot has no chunk ${name}`);
  const input = new StateReader(bytes);
  fill(input);
  if (!input.end()) throw new EngineError('InternalError', `the snapshot chunk ${name} has bytes left over`);
}

function writeLedgerChunk(core: CoreState, out: StateWriter): void {
  out.f64(core.ledgerSeq);
  writeLedger(core.ledger, out);
}

function readLedgerChunk(core: CoreState, input: StateReader): void {
  core.ledgerSeq = input.f64();
  core.ledgerSavedSeq = core.ledgerSeq;
  readLedger(core.ledger, input);
}

function writeRest(core: CoreState, out: StateWriter): void {
  for (const value of [core.ticksTotal, core.evictedTotal, core.signalsTotal, core.openPositions]) {
    out.f64(value);
  }
  for (const value of [core.totalExposure, core.logSeq]) out.f64(value);
  out.json([...core.unjudged]);
  out.json([...core.rows]);
  out.json([...core.entries]);
  out.json([...core.records.byId.values()]);
  out.json([...core.records.numbers]);
  out.json([...core.records.bySeq]);
  out.u32(core.strategies.size);
  for (const [strategyId, strategy] of core.strategies) {
    out.str(strategyId);
    writeCounts(strategy.log, out);
  }
  writeGapTracker(core.gaps, out);
  writeAudit(core.audit, out);
}

function readRest(core: CoreState, input: StateReader): void {
  core.ticksTotal = input.f64();
  core.evictedTotal = input.f64();
  core.signalsTotal = input.f64();
  core.openPositions = input.f64();
  core.totalExposure = input.f64();
  core.logSeq = input.f64();
  for (const [outcome, count] of input.json() as [Outcome, number][]) core.unjudged.set(outcome, count);
  for (const [feed, row] of input.json() as [string, number][]) core.rows.set(feed, row);
  for (const [feed, entry] of input.json() as [string, string][]) core.entries.set(feed, entry);
  for (const record of input.json() as StrategyRecord[]) core.records.byId.set(record.strategyId, record);
  for (const [type, number] of input.json() as [string, number][]) core.records.numbers.set(type, number);
  for (const [seq, id] of input.json() as [number, string][]) core.records.bySeq.set(seq, id);
  const count = input.u32();
  for (let i = 0; i < count; i++) {
    const record = core.records.byId.get(input.str());
    const log = readCounts(input);
    if (record !== undefined) prepare(core, record, log);
  }
  core.gaps = readGapTracker(input);
  readAudit(core.audit, input);
}

function writeSymbol(symbol: SymbolRuntime, out: StateWriter): void {
  writeSymbolMarket(symbol.market, out);
  out.str(symbol.assetType);
  out.str(symbol.autoTimeframe);
  out.f64(symbol.ticks);
  out.f64(symbol.lastMs);
  out.f64(symbol.lagMs);
  out.u32(symbol.books.size);
  for (const book of symbol.books.values()) out.json(changesOf(book));
  out.json(symbol.live.map((book) => book.strategyId));
  const all: Running[] = [];
  for (const group of symbol.tickGroups) all.push(...group.instances);
  for (const group of symbol.bars.values()) all.push(...group.instances);
  out.u32(all.length);
  for (const running of all) writeRunning(running, out);
}

function writeRunning(running: Running, out: StateWriter): void {
  out.str(running.strategy.record.strategyId);
  out.u32(running.version.version);
  out.str(running.timeframe);
  out.bool(running.managesOnly);
  for (const value of [running.lastCode, running.ticksBefore, running.settledTicks, running.proposals]) out.f64(value);
  out.f64(running.desired);
  const { exposure, entryPrice, age, trendT, volatilityRatio } = running.context;
  for (const value of [exposure, entryPrice, age, trendT, volatilityRatio]) out.f64(value);
  out.shape(running.state);
}

function readSymbol(core: CoreState, input: StateReader): void {
  const market = readSymbolMarket(input, core.settings.policies);
  // Its subscribers come back one by one below, each counted again.
  for (const series of market.series) series.users = 0;
  const symbol = createSymbol(core, market, { assetType: input.str() as AssetType });
  symbol.autoTimeframe = input.str();
  symbol.ticks = input.f64();
  symbol.lastMs = input.f64();
  symbol.lagMs = input.f64();
  const books = input.u32();
  for (let i = 0; i < books; i++) {
    const book = bookOf(input.json() as BookChanges);
    symbol.books.set(book.strategyId, book);
  }
  for (const strategyId of input.json() as string[]) symbol.live.push(symbol.books.get(strategyId) as Book);
  const count = input.u32();
  for (let i = 0; i < count; i++) readRunning(core, symbol, input);
  core.symbols.set(market.symbol, symbol);
  symbol.dirty = false;
}

function readContext(input: StateReader): Running['context'] {
  return {
    exposure: input.f64(),
    entryPrice: input.f64(),
    age: input.f64(),
    trendT: input.f64(),
    volatilityRatio: input.f64(),
  };
}

function readRunning(core: CoreState, symbol: SymbolRuntime, input: StateReader): void {
  const strategy = core.strategies.get(input.str());
  const number = input.u32();
  const timeframe = input.str();
  const managesOnly = input.bool();
  const numbers = [input.f64(), input.f64(), input.f64(), input.f64(), input.f64()] as const;
  const context = readContext(input);
  const version = strategy?.record.versions.find((one) => one.version === number);
  if (strategy === undefined || version === undefined) {
    input.shape({});
    return;
  }
  // Nearly all run the current version, whose parameters were read once for all symbols.
  const parameters =
    version.version === strategy.version.version
      ? strategy.parameters
      : storedParameters(strategy.definition, version.parameters).parameters;
  const running = place(symbol, strategy, { version, parameters, timeframe });
  running.managesOnly = managesOnly;
  running.lastCode = numbers[0] as StepCode;
  running.ticksBefore = numbers[1];
  running.settledTicks = numbers[2];
  running.proposals = numbers[3];
  running.desired = numbers[4];
  Object.assign(running.context, context);
  input.shape(running.state);
}
