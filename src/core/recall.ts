/**
 * The bars that came with a registration: they become the past of the series that the strategy will run on, where that
 * has none of its own, so that it attaches warm. Nothing is evaluated on them.
 */
import { limits } from './domain/limits';
import type { StrategyRegistered } from './domain/log-event';
import type { BarInput } from './domain/tick';
import { closeSeries, openSeries } from './market/bars';
import { fillSeries } from './market/past-bars';
import { type CoreState, type SymbolRuntime, touch } from './state';
import { rehome } from './strategies/attach';
import { symbolOf } from './symbols';

/** Remembers the bars; the answer lets go of their series, which whoever attaches meanwhile keeps. */
export function recall(core: CoreState, data: StrategyRegistered): () => void {
  const held: { readonly symbol: SymbolRuntime; readonly timeframe: string }[] = [];
  if (core.registry.get(data.strategyType)?.data === 'bars') {
    for (const bars of bySymbol(data)) {
      const symbol = symbolOf(core, bars[0] as BarInput);
      if (symbol !== null) held.push({ symbol, timeframe: fill(core, symbol, data, bars) });
    }
  }
  return () => {
    for (const { symbol, timeframe } of held) closeSeries(symbol.market, timeframe);
  };
}

function bySymbol({ history = [], symbols }: StrategyRegistered): Iterable<BarInput[]> {
  const lists = new Map<string, BarInput[]>();
  for (const bar of history) {
    if (symbols.length > 0 && !symbols.includes(bar.symbol)) continue;
    const list = lists.get(bar.symbol);
    if (list === undefined) lists.set(bar.symbol, [bar]);
    else list.push(bar);
  }
  return lists.values();
}

function fill(core: CoreState, symbol: SymbolRuntime, data: StrategyRegistered, bars: readonly BarInput[]): string {
  const isUnheard = symbol.lastMs === 0;
  if (data.timeframe === 'auto' && isUnheard) rehome(core, symbol, (bars[0] as BarInput).timeframe);
  const timeframe = data.timeframe === 'auto' ? symbol.autoTimeframe : data.timeframe;
  const length = Math.max(limits.barHistoryMin, Math.min(limits.barHistoryMax, bars.length));
  const series = openSeries(symbol.market, timeframe, length);
  fillSeries(series, bars);
  touch(symbol);
  return timeframe;
}
