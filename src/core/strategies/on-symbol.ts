/** Versions of one strategy side by side on one symbol: which run, and whose the open trade is. */
import type { Book } from '../execution/book';
import type { SymbolRuntime } from '../state';
import type { Running } from './running';

/** Every version of the strategy that runs on the symbol. */
export function runningOf(symbol: SymbolRuntime, strategyId: string): Running[] {
  const found: Running[] = [];
  for (const group of symbol.tickGroups) collect(group.instances, strategyId, found);
  for (const group of symbol.bars.values()) collect(group.instances, strategyId, found);
  return found;
}

function collect(instances: readonly Running[], strategyId: string, found: Running[]): void {
  for (const running of instances) if (running.strategy.record.strategyId === strategyId) found.push(running);
}

/** The version whose trade a book holds, or will hold once its order is filled; `null` when it is flat. */
export function tradeVersion({ pending, exposure, strategyVersion }: Book): number | null {
  if (pending !== null && pending.targetExposure !== 0) return pending.strategyVersion;
  return exposure === 0 ? null : strategyVersion;
}

/** Whether an older version still manages the trade that the strategy has open here; one that is closing is nobody's. */
export function isManagedByOlder(symbol: SymbolRuntime, { managesOnly, book, version, strategy }: Running): boolean {
  const held = tradeVersion(book);
  if (managesOnly || held === null || held === version.version || book.pending?.targetExposure === 0) return false;
  const all = runningOf(symbol, strategy.record.strategyId);
  return all.some((one) => one.managesOnly && one.version.version === held);
}
