/** The market of a simulation: walks of a few symbols, with everything that goes wrong on the way to an engine. */
import type { MarketItem, Tick } from '../../src/core/domain/tick';
import { bar, tick } from '../helpers/core';
import type { Random } from './random';

/** Ticks come of the first three; the last one sends bars of its own. */
export const symbols = ['AAA', 'BBB', 'CCC', 'DDD'] as const;
const barSymbol = 'DDD';
const sources = ['one', 'two'] as const;

export interface SimulatedMarket {
  /** Items as they arrive at `nowMs`. */
  draw(nowMs: number, count: number): MarketItem[];
}

export function createMarket(random: Random): SimulatedMarket {
  const prices = new Map<string, number>(symbols.map((symbol) => [symbol, 100 * random.int(2, 9)]));
  const sent: Tick[] = [];
  let ids = 0;
  let seq = 0;
  let lastBarMs = 0;

  function walk(symbol: string): number {
    const before = prices.get(symbol) as number;
    const price = Math.max(50, before + random.int(-3, 3));
    prices.set(symbol, price);
    return price;
  }

  /** Now and then some are missing. */
  function nextSeq(): number {
    seq += random.int(1, 3);
    return seq;
  }

  function nextTick(nowMs: number): Tick {
    const symbol = random.pick(symbols.slice(0, 3));
    const timestampMs = nowMs - random.int(0, 1_900) - (random.chance(0.04) ? random.int(3_000, 90_000) : 0);
    const price = walk(symbol) * (random.chance(0.02) ? 40 : 1);
    const extras = random.chance(0.3) ? { id: `t${ids++}` } : random.chance(0.1) ? { seq: nextSeq() } : null;
    const quote = random.chance(0.1) ? { bid: price - 0.5, ask: price + 0.5, bidSize: 1, askSize: null } : null;
    const volume = random.int(0, 40) / 4;
    return tick(symbol, timestampMs, price, { source: random.pick(sources), volume, extras, quote });
  }

  function nextBar(nowMs: number): MarketItem | null {
    const openMs = Math.floor(nowMs / 1_000) * 1_000 - 1_000;
    if (openMs <= lastBarMs && random.chance(0.8)) return null;
    lastBarMs = Math.max(lastBarMs, openMs);
    const open = prices.get(barSymbol) as number;
    const close = walk(barSymbol);
    return bar(barSymbol, openMs, [open, Math.max(open, close) + 1, Math.min(open, close) - 1, close], '1s');
  }

  return {
    draw(nowMs, count) {
      const items: MarketItem[] = [];
      while (items.length < count) {
        if (sent.length > 0 && random.chance(0.06)) {
          items.push(random.pick(sent));
          continue;
        }
        const made = random.chance(0.1) ? nextBar(nowMs) : nextTick(nowMs);
        if (made === null) continue;
        if (made.kind === 'tick') sent.push(made);
        if (sent.length > 50) sent.shift();
        items.push(made);
      }
      return items;
    },
  };
}
