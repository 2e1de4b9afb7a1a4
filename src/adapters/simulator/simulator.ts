/**
 * A market that does not exist, for demos and drills: seeded, so the same options give the same ticks on every run, and
 * resumable at any row. To show something at once, start it two minutes in the past and take `until(now)` first: then
 * strategies on 1-second bars are warm when the clock takes over.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { valueError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Tick } from '../../core/domain/tick';
import { characters, type SimulatedRegime } from './simulated-regimes';

export type { SimulatedRegime } from './simulated-regimes';

export interface SimulatorOptions {
  /** Any integer. */
  readonly seed: number;
  /** Event time at which the market opens, ms since the epoch. */
  readonly startMs: number;
  /** By default SIM:BTC, SIM:ETH and SIM:SPX. */
  readonly symbols?: readonly string[];
  /** Mean ticks per second of each symbol, 0.01 to 1,000; 4 by default. */
  readonly ticksPerS?: number;
  /** Which regimes occur; all of them by default. */
  readonly regimes?: readonly SimulatedRegime[];
  /** Multiplies how long regimes last; 1 by default (trends of 10 to 20 s). */
  readonly dwellScale?: number;
}

interface SymbolState {
  readonly rng: readonly number[];
  readonly logPrice: number;
  readonly regime: SimulatedRegime;
  readonly regimeEndMs: number;
  readonly lastMs: number;
  readonly nextMs: number;
}

/** Plain JSON: everything a simulator needs to go on. */
export interface SimulatorState {
  readonly row: number;
  readonly symbols: Readonly<Record<string, SymbolState>>;
}

export interface Simulator {
  /** Names the tape of ticks that these options give. */
  readonly feed: string;
  /** Ticks given so far: the row of the last one. */
  readonly row: number;
  /** Event time of the tick that comes next. */
  readonly nextMs: number;
  /** The next ticks of all symbols, in order of time; at most `limits.ticksPerBatch`. */
  next(count: number): Tick[];
  /** The ticks up to that instant, at most `limits.ticksPerBatch` of them. */
  until(timestampMs: number): Tick[];
  /** Leaves out what lies before: the next tick is row `row + 1`. */
  skipTo(row: number): void;
  regime(symbol: string): SimulatedRegime | null;
  state(): SimulatorState;
  /** Rejects a state of other symbols with a `ValueError`. */
  restore(state: SimulatorState): void;
}

const defaultSymbols: readonly string[] = ['SIM:BTC', 'SIM:ETH', 'SIM:SPX'];
const openingPrices: ReadonlyMap<string, number> = new Map([
  ['SIM:BTC', 60_000],
  ['SIM:ETH', 3_000],
  ['SIM:SPX', 5_000],
]);
/** Pull towards the opening price per second, so that a demo left alone for a month still shows a sane price. */
const pull = 1 / 6_000;
const dwellMinMs = 10_000;
const dwellSpanMs = 10_000;

/** FNV-1a: gives each symbol a stream of its own, whichever others there are. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

class SimulatedSymbol {
  readonly symbol: string;
  private readonly meanGapMs: number;
  private readonly dwellScale: number;
  private readonly allowed: readonly SimulatedRegime[];
  private readonly anchor: number;
  private readonly step: number;
  private rng: RandomGenerator;
  private logPrice: number;
  private regimeEndMs: number;
  private lastMs: number;
  regime: SimulatedRegime;
  nextMs: number;

  constructor(symbol: string, options: SimulatorOptions) {
    const opening = openingPrices.get(symbol) ?? 10 * 10 ** ((hashOf(symbol) >>> 8) / 2 ** 23);
    this.symbol = symbol;
    this.meanGapMs = 1_000 / (options.ticksPerS ?? 4);
    this.dwellScale = options.dwellScale ?? 1;
    this.allowed = options.regimes ?? (Object.keys(characters) as SimulatedRegime[]);
    this.anchor = Math.log(opening);
    this.step = 10 ** Math.min(-2, Math.floor(Math.log10(opening)) - 5);
    this.rng = xoroshiro128plus(hashOf(`${options.seed}:${symbol}`));
    this.logPrice = this.anchor;
    this.regime = 'calm';
    this.regime = this.pick(this.allowed);
    this.lastMs = options.startMs;
    this.regimeEndMs = options.startMs + this.dwellMs();
    this.nextMs = options.startMs + this.gapMs();
  }

  private uniform(): number {
    return uniformFloat64(this.rng);
  }

  /** Box-Muller; the second value is thrown away so that the generator's state is the whole state. */
  private gaussian(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  private gapMs(): number {
    return Math.max(1, Math.round(-this.meanGapMs * Math.log(1 - this.uniform())));
  }

  private dwellMs(): number {
    return Math.round((dwellMinMs + dwellSpanMs * this.uniform()) * characters[this.regime].dwell * this.dwellScale);
  }

  private pick(from: readonly SimulatedRegime[]): SimulatedRegime {
    const wanted = from.filter((regime) => this.allowed.includes(regime));
    const choice = wanted.length > 0 ? wanted : this.allowed;
    return choice[Math.floor(this.uniform() * choice.length)] ?? this.regime;
  }

  private round(price: number): number {
    // Steps are powers of ten below one: dividing by the whole power keeps 0.1 + 0.2 out of the prices.
    const perUnit = Math.round(1 / this.step);
    return Math.max(1, Math.round(price * perUnit)) / perUnit;
  }

  take(): Tick {
    const now = this.nextMs;
    if (now >= this.regimeEndMs) {
      this.regime = this.pick(characters[this.regime].next);
      this.regimeEndMs = now + this.dwellMs();
    }
    const character = characters[this.regime];
    const seconds = (now - this.lastMs) / 1_000;
    const drift = character.drift - pull * (this.logPrice - this.anchor);
    this.logPrice += drift * seconds + character.volatility * Math.sqrt(seconds) * this.gaussian();
    const middle = Math.exp(this.logPrice);
    const half = (middle * character.spread) / 2;
    const bid = this.round(middle - half);
    const ask = Math.max(this.round(middle + half), bid);
    const price = this.uniform() < 0.5 + Math.sign(character.drift) * 0.1 ? ask : bid;
    const size = () => Math.round(1e4 * Math.exp(0.8 * this.gaussian())) / 1e4;
    const quote = { bid, ask, bidSize: size(), askSize: size() };
    this.lastMs = now;
    const tick: Tick = {
      kind: 'tick',
      symbol: this.symbol,
      source: 'simulator',
      timestampMs: now,
      stamped: true,
      price,
      volume: size(),
      quote,
      assetType: null,
      extras: null,
    };
    this.nextMs = now + this.gapMs();
    return tick;
  }

  state(): SymbolState {
    const { logPrice, regime, regimeEndMs, lastMs, nextMs } = this;
    return { rng: [...this.rng.getState()], logPrice, regime, regimeEndMs, lastMs, nextMs };
  }

  restore(state: SymbolState): void {
    this.rng = xoroshiro128plusFromState(state.rng);
    this.logPrice = state.logPrice;
    this.regime = state.regime;
    this.regimeEndMs = state.regimeEndMs;
    this.lastMs = state.lastMs;
    this.nextMs = state.nextMs;
  }
}

class SeededSimulator implements Simulator {
  readonly feed: string;
  private readonly markets: readonly SimulatedSymbol[];
  private given = 0;

  constructor(options: SimulatorOptions) {
    const symbols = options.symbols ?? defaultSymbols;
    this.markets = symbols.map((symbol) => new SimulatedSymbol(symbol, options));
    this.feed = `simulator:${hashOf(JSON.stringify({ ...options, symbols })) >>> 0}`;
  }

  get row(): number {
    return this.given;
  }

  get nextMs(): number {
    return this.first().nextMs;
  }

  /** The symbol whose tick is next; of several at one instant the first in the list. */
  private first(): SimulatedSymbol {
    let first = this.markets[0] as SimulatedSymbol;
    for (const market of this.markets) if (market.nextMs < first.nextMs) first = market;
    return first;
  }

  next(count: number): Tick[] {
    const ticks: Tick[] = [];
    const most = Math.min(count, limits.ticksPerBatch);
    while (ticks.length < most) ticks.push(this.first().take());
    this.given += ticks.length;
    return ticks;
  }

  until(timestampMs: number): Tick[] {
    const ticks: Tick[] = [];
    while (ticks.length < limits.ticksPerBatch && this.nextMs <= timestampMs) ticks.push(...this.next(1));
    return ticks;
  }

  skipTo(row: number): void {
    while (this.given < row) this.next(row - this.given);
  }

  regime(symbol: string): SimulatedRegime | null {
    return this.markets.find((market) => market.symbol === symbol)?.regime ?? null;
  }

  state(): SimulatorState {
    return {
      row: this.given,
      symbols: Object.fromEntries(this.markets.map((market) => [market.symbol, market.state()])),
    };
  }

  restore(state: SimulatorState): void {
    const known = new Map(Object.entries(state.symbols));
    if (known.size !== this.markets.length || this.markets.some((market) => !known.has(market.symbol)))
      throw valueError('simulator.state', 'must be of the same symbols', [...known.keys()]);
    for (const market of this.markets) market.restore(known.get(market.symbol) as SymbolState);
    this.given = state.row;
  }
}

/** A simulated market; throws a `ValueError` for options out of range. */
export function createSimulator(options: SimulatorOptions): Simulator {
  const symbols = options.symbols ?? defaultSymbols;
  const { ticksPerS = 4, dwellScale = 1, regimes } = options;
  if (!Number.isSafeInteger(options.seed)) throw valueError('seed', 'must be an integer', options.seed);
  if (!Number.isSafeInteger(options.startMs)) throw valueError('startMs', 'must be an integer', options.startMs);
  if (symbols.length < 1 || symbols.length > limits.simulatedSymbols || new Set(symbols).size !== symbols.length)
    throw valueError('symbols', `must be 1 to ${limits.simulatedSymbols} different symbols`, symbols.length);
  if (!(ticksPerS >= 0.01 && ticksPerS <= 1_000)) throw valueError('ticksPerS', 'must be 0.01 to 1000', ticksPerS);
  if (!(dwellScale >= 0.1 && dwellScale <= 1_000)) throw valueError('dwellScale', 'must be 0.1 to 1000', dwellScale);
  if (regimes && (regimes.length === 0 || regimes.some((regime) => !Object.hasOwn(characters, regime))))
    throw valueError('regimes', `must be some of ${Object.keys(characters).join(' ')}`, regimes);
  return new SeededSimulator(options);
}
