/** The symbols an engine follows: met on their first item, bounded, the longest unheard making room. */
import { assetTypeOf } from './domain/asset-type';
import { limits } from './domain/limits';
import type { MarketItem } from './domain/tick';
import { type Outcome, outcomes } from './market/market';
import { createSymbolMarket, type SymbolMarket } from './market/symbol-market';
import { type CoreState, notClocked, type SymbolRuntime, touch } from './state';
import { attachAll, resubscribe } from './strategies/attach';

/** What `timeframe: auto` means until the feed sends bars of its own. */
export const defaultTimeframe = '1m';
/** Room made at once when the limit is reached, so that a flood of new symbols does not sort on every one. */
const roomMade = 100;

/** The symbol's runtime, made on its first item; `null` when the limit is reached and every symbol holds a position. */
export function symbolOf(core: CoreState, item: Met): SymbolRuntime | null {
  const known = core.symbols.get(item.symbol);
  if (known !== undefined) return known.lastMs > 0 ? known : retyped(core, known, item);
  if (core.symbols.size >= limits.symbols && !makeRoom(core)) return null;
  const symbol = createSymbol(core, createSymbolMarket(item.symbol, core.settings.policies), item);
  core.symbols.set(item.symbol, symbol);
  core.evicted.delete(item.symbol);
  attachAll(core, symbol);
  return symbol;
}

/** What is known of a symbol when it is met: on an item, a bar of its past, or an execution. */
type Met = Pick<MarketItem, 'symbol' | 'assetType'>;

/** A symbol that was met before its first item: the item knows better what it is. */
function retyped(core: CoreState, known: SymbolRuntime, item: Met): SymbolRuntime {
  const symbol = createSymbol(core, known.market, item);
  if (item.assetType === null || symbol.assetType === known.assetType) return known;
  known.assetType = symbol.assetType;
  known.costs = symbol.costs;
  touch(known);
  resubscribe(core, known);
  return known;
}

export function createSymbol(
  core: CoreState,
  market: SymbolMarket,
  item: Pick<MarketItem, 'assetType'>,
): SymbolRuntime {
  const assetType = core.settings.assetTypes.get(market.symbol) ?? item.assetType ?? assetTypeOf(market.symbol);
  return {
    market,
    assetType,
    costs: core.settings.costs[assetType],
    tickGroups: [],
    bars: new Map(),
    books: new Map(),
    live: [],
    autoTimeframe: defaultTimeframe,
    ticks: 0,
    lastMs: 0,
    lagMs: notClocked,
    dueFromMs: 0,
    dirty: true,
  };
}

function makeRoom(core: CoreState): boolean {
  const idle = [...core.symbols.values()].filter((symbol) => symbol.live.length === 0);
  idle.sort((a, b) => a.lastMs - b.lastMs);
  for (const symbol of idle.slice(0, roomMade)) {
    retireCounts(core, symbol.market);
    core.symbols.delete(symbol.market.symbol);
    core.evicted.add(symbol.market.symbol);
    core.evictedTotal++;
  }
  return idle.length > 0;
}

/** What an evicted symbol's market counted stays counted; what it held back is dropped with it. */
function retireCounts(core: CoreState, market: SymbolMarket): void {
  const add = (outcome: Outcome, count: number) => {
    if (count > 0) core.unjudged.set(outcome, (core.unjudged.get(outcome) ?? 0) + count);
  };
  outcomes.forEach((outcome, i) => {
    add(outcome, market.counts[i] ?? 0);
  });
  add('off_market', market.held.length);
}
