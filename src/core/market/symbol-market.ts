/**
 * The market side of one symbol, as the engine uses it: create, feed, tell the time, subscribe, keep. Written and read
 * back a symbol is as if it had never stopped, bit for bit.
 */
import { EngineError } from '../domain/errors';
import type { StateReader, StateWriter } from '../domain/state-codec';
import { followOwn } from './bars';
import { readDuplicates, writeDuplicates } from './duplicates';
import { type MarketPolicies, type Outcome, outcomes } from './market';
import { readSeries, writeSeries } from './series';
import {
  arrangeSeries,
  emptySymbolMarket,
  type OutsideBars,
  type SourceState,
  type SymbolMarket,
} from './symbol-state';
import { readTickItems, writeTickItems } from './tick-items';

export { advance, closeSeries, feed, openSeries, symbolWatermarkMs } from './bars';
export { heldCount, outcomeCount, type SymbolMarket } from './symbol-state';

const stateVersion = 1;
/** Followed without a subscriber, so that every symbol has a regime, until bars come from outside. */
const ownTimeframe = '1m';

/** A symbol of which nothing is known yet. */
export function createSymbolMarket(symbol: string, policies: MarketPolicies): SymbolMarket {
  const sm = emptySymbolMarket(symbol, policies);
  followOwn(sm, ownTimeframe);
  return sm;
}

/** Appends the whole state to the writer. */
export function writeSymbolMarket(sm: SymbolMarket, writer: StateWriter): void {
  writer.u32(stateVersion);
  writer.str(sm.symbol);
  writer.json(sm.sources);
  writer.u32(sm.sourceAt);
  writer.u32(sm.sourcesSeen);
  writeDuplicates(sm.duplicates, writer);
  writer.shape(sm.band);
  writeTickItems(sm.held, 0, writer);
  writeTickItems(sm.reorder.items, sm.reorder.head, writer);
  writer.f64(sm.watermarkMs);
  writer.f64(sm.toldMs);
  writer.f64(sm.appliedMs);
  writer.f64(sm.arrivalMs);
  writer.u32(sm.outside.length);
  for (const outside of sm.outside) {
    writer.json({ ...outside, opens: null });
    writer.f64s(outside.opens);
  }
  writer.u32(sm.series.length);
  for (const series of sm.series) writeSeries(series, writer);
  writer.str(sm.ownTimeframe);
  // By name: an outcome added later must not shift the others.
  writer.json(outcomes.map((outcome, i) => [outcome, sm.counts[i]]));
  writer.f64(sm.outsideBars);
}

function readOutside(reader: StateReader): OutsideBars {
  const plain = reader.json() as OutsideBars;
  return { ...plain, opens: reader.f64s() };
}

/** Reads what `writeSymbolMarket` wrote; throws an `InternalError` for a chunk of another version. */
export function readSymbolMarket(reader: StateReader, policies: MarketPolicies): SymbolMarket {
  const version = reader.u32();
  if (version !== stateVersion) throw new EngineError('InternalError', `market state of version ${version}`);
  const sm = emptySymbolMarket(reader.str(), policies);
  sm.sources.push(...(reader.json() as SourceState[]));
  sm.sourceAt = reader.u32();
  sm.sourcesSeen = reader.u32();
  Object.assign(sm.duplicates, readDuplicates(reader));
  reader.shape(sm.band);
  sm.held = readTickItems(reader, sm.symbol);
  sm.reorder.items = readTickItems(reader, sm.symbol);
  sm.watermarkMs = reader.f64();
  sm.toldMs = reader.f64();
  sm.appliedMs = reader.f64();
  sm.arrivalMs = reader.f64();
  const outsideCount = reader.u32();
  for (let i = 0; i < outsideCount; i++) sm.outside.push(readOutside(reader));
  const seriesCount = reader.u32();
  for (let i = 0; i < seriesCount; i++) sm.series.push(readSeries(reader, sm.symbol));
  sm.ownTimeframe = reader.str();
  for (const [outcome, count] of reader.json() as [Outcome, number][]) {
    const at = outcomes.indexOf(outcome);
    if (at >= 0) sm.counts[at] = count;
  }
  sm.outsideBars = reader.f64();
  arrangeSeries(sm);
  return sm;
}
