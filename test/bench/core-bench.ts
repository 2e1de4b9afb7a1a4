/** P1 and P2: from the text of a tick to the decisions of many strategies, against hand-written loops over the same texts. */
import { createSimulator } from '../../src/adapters/simulator/simulator';
import type { LogEvent } from '../../src/core/domain/log-event';
import type { MarketItem } from '../../src/core/domain/tick';
import type { CoreState } from '../../src/core/state';
import type { StrategyDefinition } from '../../src/core/strategies/strategy';
import { built, type Contest, type Side } from './harness';
import { barTypes, tickTypes } from './strategies/types';

const { createCore } = built<typeof import('../../src/core/create')>('core/create');
const { apply } = built<typeof import('../../src/core/fold')>('core/fold');
const { onBatch } = built<typeof import('../../src/core/engine')>('core/engine');
const { parseMarketText, parseOneTick } = built<typeof import('../../src/wire/market-data')>('wire/market-data');

const startMs = Date.UTC(2026, 0, 1);

function registered(seq: number, type: string, period: number): LogEvent {
  const strategyId = `${type}_${String(seq).padStart(3, '0')}`;
  return {
    seq,
    id: `register:${strategyId}`,
    contentHash: String(seq),
    type: 'strategy_registered',
    v: 1,
    aggregate: `strategy:${strategyId}`,
    aggregateVersion: 1,
    atMs: startMs,
    actor: 'bench',
    data: {
      strategyId,
      strategyType: type,
      parameters: { period },
      symbols: [],
      assetTypes: [],
      timeframe: '1m',
      name: strategyId,
      state: 'active',
      capital: null,
      allowShort: true,
    },
  };
}

function coreWith(types: readonly StrategyDefinition[], count: number): CoreState {
  const core = createCore({ definitions: types });
  for (let i = 0; i < count; i++) {
    const type = types[i % types.length] as StrategyDefinition;
    const period = type.data === 'ticks' ? 400 + 40 * Math.floor(i / types.length) : 5 + Math.floor(i / types.length);
    apply(core, registered(i + 1, type.type, period));
  }
  return core;
}

interface Wire {
  readonly symbol: string;
  readonly price: number;
  readonly volume: number;
  readonly timestamp: number;
}

function ticks(symbols: number, count: number): readonly Wire[] {
  const names = Array.from({ length: symbols }, (_, i) => `SIM:S${i}`);
  const portions = Array.from({ length: Math.ceil(symbols / 100) }, (_, i) =>
    createSimulator({ seed: i + 1, startMs, symbols: names.slice(i * 100, i * 100 + 100), ticksPerS: 4 }),
  );
  const share = Math.ceil(count / portions.length);
  const all = portions.flatMap((simulator) =>
    Array.from({ length: Math.ceil(share / 1_000) }, () => simulator.next(1_000)).flat(),
  );
  all.sort((a, b) => a.timestampMs - b.timestampMs);
  return all
    .slice(0, count)
    .map(({ symbol, price, volume, timestampMs }) => ({ symbol, price, volume, timestamp: timestampMs }));
}

const door = { arrivalMs: 0, source: 'bench', door: 'ordered' } as const;
let consumed = 0;

/** One long stream in equal portions, one a round: both sides go on with the state that they have. */
type Portions = readonly (readonly string[])[];

function portion(portions: Portions, round: number): readonly string[] {
  const texts = portions[round];
  if (!texts) throw new Error(`there are ${portions.length} portions`);
  return texts;
}

/** Texts through the engine, 100 ticks a batch where each text is one tick. */
function ours(portions: Portions, perText: number, types: readonly StrategyDefinition[], count: number): Side {
  const core = coreWith(types, count);
  let round = 0;
  return {
    name: 'engine',
    run() {
      const texts = portion(portions, round++);
      const before = core.ticksTotal;
      let items: MarketItem[] = [];
      for (let i = 0; i < texts.length; i++) {
        const text = texts[i] as string;
        // The way of the intake: one plain tick by the short way, anything else by the full reading.
        const tick = perText === 1 ? parseOneTick(text, door) : null;
        if (tick !== null) items.push(tick);
        else items.push(...parseMarketText(text, door).items);
        if (perText === 1 && items.length < 100 && i < texts.length - 1) continue;
        const batch = items;
        const effects = onBatch(core, { items: batch, arrivalMs: 0, evaluatedMs: 0, door: 'ordered', position: null });
        consumed += effects.signals.length + effects.accepted;
        items = [];
      }
      const evaluated = core.ticksTotal - before;
      if (evaluated !== texts.length * perText) throw new Error(`${evaluated} ticks were evaluated`);
      return evaluated;
    },
  };
}

interface Loop {
  n: number;
  fast: number;
  slow: number;
  last: number;
  gain: number;
  loss: number;
  side: number;
}

function see(loop: Loop, price: number): number {
  const change = price - loop.last;
  loop.last = price;
  loop.fast += 0.005 * (price - loop.fast);
  loop.slow += 0.001 * (price - loop.slow);
  loop.gain += 0.005 * (Math.max(change, 0) - loop.gain);
  loop.loss += 0.005 * (Math.max(-change, 0) - loop.loss);
  loop.n++;
  if (loop.n < 400) return 0;
  const rsi = 100 - 100 / (1 + loop.gain / (loop.loss + 1e-12));
  const side = loop.fast > 1.001 * loop.slow && rsi < 70 ? 1 : loop.fast < 0.999 * loop.slow && rsi > 30 ? -1 : 0;
  if (side === loop.side) return 0;
  loop.side = side;
  return side;
}

function check(tick: Wire): boolean {
  return (
    typeof tick.symbol === 'string' &&
    tick.symbol.length > 0 &&
    tick.symbol.length <= 32 &&
    typeof tick.price === 'number' &&
    tick.price > 0 &&
    Number.isFinite(tick.price) &&
    typeof tick.volume === 'number' &&
    tick.volume >= 0 &&
    Number.isFinite(tick.timestamp)
  );
}

/** What nobody who must parse and look at every tick can beat. */
function ceiling(portions: Portions, count: number): Side {
  const bySymbol = new Map<string, Loop[]>();
  let round = 0;
  return {
    name: 'JSON.parse + EMA/EMA/RSI loops',
    run() {
      const texts = portion(portions, round++);
      let seen = 0;
      const take = (tick: Wire): void => {
        if (!check(tick)) return;
        const { price } = tick;
        let loops = bySymbol.get(tick.symbol);
        if (!loops) {
          loops = Array.from({ length: count }, () => ({
            n: 0,
            fast: price,
            slow: price,
            last: price,
            gain: 0,
            loss: 0,
            side: 0,
          }));
          bySymbol.set(tick.symbol, loops);
        }
        for (let i = 0; i < loops.length; i++) consumed += see(loops[i] as Loop, price);
        seen++;
      };
      for (const text of texts) {
        const value = JSON.parse(text) as Wire | Wire[];
        if (Array.isArray(value)) for (const tick of value) take(tick);
        else take(value);
      }
      return seen;
    },
  };
}

function portionsOf(texts: readonly string[]): Portions {
  const size = Math.floor(texts.length / rounds);
  return Array.from({ length: rounds }, (_, i) => texts.slice(i * size, i * size + size));
}

/** The rounds of a contest and the one thrown away. */
const rounds = 6;

/** P1: one tick a text. */
export function p1(): readonly Contest[] {
  const texts = portionsOf(ticks(20, rounds * 50_000).map((tick) => JSON.stringify(tick)));
  const contest = (name: string, goal: number, types: readonly StrategyDefinition[], count: number): Contest => ({
    name: `P1 ${count} ${name}`,
    unit: 'ticks per CPU s',
    goal,
    ours: ours(texts, 1, types, count),
    peer: ceiling(texts, count),
  });
  return [
    contest('tick strategies', 0.55, tickTypes, 10),
    contest('tick strategies', 0.45, tickTypes, 50),
    contest('bar strategies, 1m', 0.95, barTypes, 10),
    contest('bar strategies, 1m', 0.95, barTypes, 50),
  ];
}

/** P2: batches of 1,000 ticks over 1,000 symbols. */
export function p2(): readonly Contest[] {
  const all = ticks(1_000, rounds * 80_000);
  const texts = portionsOf(
    Array.from({ length: rounds * 80 }, (_, i) => JSON.stringify(all.slice(i * 1_000, i * 1_000 + 1_000))),
  );
  return [
    {
      name: 'P2 batches, 1,000 symbols, 10 strategies',
      unit: 'ticks per CPU s',
      goal: 0.45,
      ours: ours(texts, 1_000, tickTypes, 10),
      peer: ceiling(texts, 10),
    },
  ];
}

/** So that nothing above is dead code. */
export function consumedSoFar(): number {
  return consumed;
}
