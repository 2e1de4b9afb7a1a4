/**
 * The Turtle rules once more, written for clearness and from the rules alone: whole arrays, every channel scanned, and
 * the ledger of breakouts made before any trade is looked at. What `breakout_strategy` says is compared with it.
 */
import type { Bar } from '../../src/core/domain/bar';

export interface TurtleRules {
  readonly entry: number;
  readonly exit: number;
  readonly failsafe: number;
  readonly failsafeExit: number;
  readonly atr: number;
  readonly stop: number;
  readonly pyramid: number;
  readonly units: number;
  readonly skip: boolean;
}

/** What is asked for at the close of bar `index`. */
export interface TurtleAct {
  readonly index: number;
  readonly what: 'enter' | 'add' | 'exit';
  readonly side: number;
  readonly system: number;
  readonly stop: number;
}

interface Breakout {
  readonly start: number;
  readonly side: number;
  readonly isSkipped: boolean;
}

function averageRanges(bars: readonly Bar[], period: number): number[] {
  const ranges = bars.map(({ high, low }, i) => {
    const before = bars[i - 1];
    return before ? Math.max(high - low, Math.abs(high - before.close), Math.abs(low - before.close)) : 0;
  });
  let average = 0;
  return ranges.map((range, i) => {
    if (i < period) return 0;
    if (i === period) average = ranges.slice(1, period + 1).reduce((sum, one) => sum + one, 0) / period;
    else average = (average * (period - 1) + range) / period;
    return average;
  });
}

function highest(bars: readonly Bar[], at: number, period: number): number {
  return Math.max(...bars.slice(at - period, at).map((bar) => bar.high));
}

function lowest(bars: readonly Bar[], at: number, period: number): number {
  return Math.min(...bars.slice(at - period, at).map((bar) => bar.low));
}

/** 1 or -1 when bar `at` closes beyond the channel of the `period` bars before it. */
function breaks(bars: readonly Bar[], at: number, period: number): number {
  const close = (bars[at] as Bar).close;
  if (close > highest(bars, at, period)) return 1;
  return close < lowest(bars, at, period) ? -1 : 0;
}

/** Every system 1 breakout with whether the one before it won, each followed forward to its end. */
function ledger(bars: readonly Bar[], n: readonly number[], first: number, rules: TurtleRules): Breakout[] {
  const found: Breakout[] = [];
  let won = false;
  let at = first;
  while (at < bars.length) {
    const side = breaks(bars, at, rules.entry);
    if (side === 0) {
      at++;
      continue;
    }
    found.push({ start: at, side, isSkipped: rules.skip && won });
    const price = (bars[at] as Bar).close;
    const pain = rules.stop * (n[at] as number);
    for (at++; at < bars.length; at++) {
      const bar = bars[at] as Bar;
      const isStopped = side > 0 ? price - bar.low >= pain : bar.high - price >= pain;
      const hasLeft = breaks(bars, at, rules.exit) === -side;
      if (!isStopped && !hasLeft) continue;
      won = !isStopped && side * (bar.close - price) > 0;
      break;
    }
  }
  return found;
}

interface Trade {
  readonly side: number;
  readonly system: number;
  readonly n: number;
  units: number;
  last: number;
  stop: number;
}

/** Everything that is asked for when every order is filled at the next open and stops work within bars. */
export function naiveTurtle(bars: readonly Bar[], rules: TurtleRules): readonly TurtleAct[] {
  const n = averageRanges(bars, rules.atr);
  const first = Math.max(rules.failsafe, rules.atr);
  const breakouts = new Map(ledger(bars, n, first, rules).map((one) => [one.start, one]));
  const acts: TurtleAct[] = [];
  let trade: Trade | null = null;
  for (let i = first; i < bars.length; i++) {
    const bar = bars[i] as Bar;
    let leaves = false;
    if (trade !== null) {
      const isStopped: boolean = trade.side > 0 ? bar.low <= trade.stop : bar.high >= trade.stop;
      leaves = !isStopped && breaks(bars, i, trade.system === 1 ? rules.exit : rules.failsafeExit) === -trade.side;
      if (!isStopped && !leaves) {
        const gain: number = trade.side * (bar.close - trade.last);
        if (trade.units < rules.units && gain >= rules.pyramid * trade.n) {
          trade.units++;
          trade.last = bar.close;
          trade.stop = bar.close - trade.side * rules.stop * trade.n;
          acts.push({ index: i, what: 'add', side: trade.side, system: trade.system, stop: trade.stop });
        }
        continue;
      }
      if (leaves) acts.push({ index: i, what: 'exit', side: trade.side, system: trade.system, stop: 0 });
      trade = null;
    }
    const breakout = breakouts.get(i);
    const isTaken = breakout !== undefined && !breakout.isSkipped;
    const side = isTaken ? breakout.side : breaks(bars, i, rules.failsafe);
    if (side === 0) continue;
    if (leaves) acts.pop();
    trade = { side, system: isTaken ? 1 : 2, units: 1, last: bar.close, n: n[i] as number, stop: 0 };
    trade.stop = bar.close - side * rules.stop * trade.n;
    acts.push({ index: i, what: 'enter', side, system: trade.system, stop: trade.stop });
  }
  return acts;
}
