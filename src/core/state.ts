/** All that the core knows. Plain data; `engine.ts` says in which order it is touched, `snapshot.ts` how it is kept. */
import type { Decision } from './domain/decision';
import type { Fill } from './domain/fill';
import type { SignalDraft } from './domain/signal';
import type { AssetType } from './domain/tick';
import type { Book, MarketMove } from './execution/book';
import type { Costs } from './execution/costs';
import type { AuditTrail } from './learning/audit';
import type { GapTracker, SequenceGap } from './market/gaps';
import type { Admitted, ClosedBar, MarketPolicies, Outcome } from './market/market';
import type { Series } from './market/series';
import type { SymbolMarket } from './market/symbol-market';
import type { Ledger } from './performance/ledger';
import type { RiskSettings } from './risk/sizing';
import type { Records } from './strategies/records';
import type { Registry } from './strategies/registry';
import type { Proposals, Running, StrategyRuntime } from './strategies/running';
import type { IntentSlot, TickStrategyDefinition } from './strategies/strategy';

export interface CoreSettings {
  readonly policies: MarketPolicies;
  readonly risk: RiskSettings;
  readonly costs: Readonly<Record<AssetType, Costs>>;
  /** Equity that exposures are fractions of; `null` = unknown, then quantities are `null` too. */
  readonly capital: number | null;
  readonly currency: string;
  /** Overrides of the asset type derived from the symbol. */
  readonly assetTypes: ReadonlyMap<string, AssetType>;
}

/** Strategies of one tick type on one symbol: one written loop runs them all. */
export interface TickGroup {
  readonly definition: TickStrategyDefinition;
  /** The definition's loop, at hand: looking it up on many shapes of definitions on every tick costs as much as a strategy. */
  readonly run: TickStrategyDefinition['run'];
  readonly instances: Running[];
}

/** The time of a symbol is not the clock's: history, or a feed of long ago. */
export const notClocked = -1;

export interface SymbolRuntime {
  readonly market: SymbolMarket;
  assetType: AssetType;
  costs: Costs;
  readonly tickGroups: TickGroup[];
  /** By timeframe. */
  readonly bars: Map<string, BarGroup>;
  /** By strategy id: one book whatever the version. */
  readonly books: Map<string, Book>;
  /** Books with a position or a pending order: the only ones a tick has to look at. */
  readonly live: Book[];
  /** What `timeframe: auto` means here: the feed's own bars, or one minute of ticks. */
  autoTimeframe: string;
  /** Ticks seen by tick strategies, from which each one's evaluations are counted by subtraction. */
  ticks: number;
  /** Event time of the last item. */
  lastMs: number;
  /**
   * How far the newest event was behind the arrival of the last item, ms; `notClocked` when that did not come near its
   * arrival through a live door: then no clock tells it the time.
   */
  lagMs: number;
  /** From which event time on the clock has something to tell it; 0 while that is not reckoned. */
  dueFromMs: number;
  dirty: boolean;
}

/** Something of it changed: the next snapshot holds it, and what is due next is reckoned anew. */
export function touch(symbol: SymbolRuntime): void {
  symbol.dirty = true;
  symbol.dueFromMs = 0;
}

export interface BarGroup {
  readonly series: Series;
  readonly instances: Running[];
}

/** What one call did; reused between calls, so its owner copies what it keeps. */
export interface Effects {
  readonly signals: SignalDraft[];
  readonly decisions: Decision[];
  readonly fills: Fill[];
  readonly gaps: SequenceGap[];
  /** Items of the batch that were not used, by index. */
  readonly dropped: { readonly index: number; readonly outcome: Outcome }[];
  accepted: number;
  /** Symbols of accepted items. */
  readonly touched: Set<SymbolRuntime>;
  /** Which tiers were evaluated: bit 1 fast, 2 tactical, 4 strategic. */
  tiers: number;
}

export interface CoreState {
  readonly settings: CoreSettings;
  readonly registry: Registry;
  readonly records: Records;
  readonly strategies: Map<string, StrategyRuntime>;
  readonly symbols: Map<string, SymbolRuntime>;
  /** Symbols and strategies removed since the last snapshot. */
  readonly evicted: Set<string>;
  readonly stopped: Set<string>;
  /** Per strategy the stored parameters that no longer meet their schema and have their defaults. */
  readonly misfits: Map<string, readonly string[]>;
  readonly ledger: Ledger;
  readonly audit: AuditTrail;
  gaps: GapTracker;
  /** Last row taken of each feed that can be read again. */
  readonly rows: Map<string, number>;
  /** Last entry taken of each stream. */
  readonly entries: Map<string, string>;
  /** Items per outcome that no symbol's market counts: those of symbols not followed (any more), and rows sent again. */
  readonly unjudged: Map<Outcome, number>;
  ticksTotal: number;
  evictedTotal: number;
  signalsTotal: number;
  openPositions: number;
  totalExposure: number;
  logSeq: number;
  /** Last event that the ledger has folded, and the one that its last snapshot knew. */
  ledgerSeq: number;
  ledgerSavedSeq: number;
  /** How old the data of the batch in hand is, and its door. */
  dataAgeMs: number;
  readonly effects: Effects;
  readonly scratch: Scratch;
}

/** Reused buffers of the hot path. */
export interface Scratch {
  readonly admitted: Admitted[];
  readonly closed: ClosedBar[];
  readonly proposals: Proposals;
  readonly slot: IntentSlot;
  readonly move: MarketMove;
}

export function createEffects(): Effects {
  const lists = { signals: [], decisions: [], fills: [], gaps: [], dropped: [] };
  return { ...lists, accepted: 0, touched: new Set(), tiers: 0 };
}

export function clearEffects(effects: Effects): void {
  effects.signals.length = 0;
  effects.decisions.length = 0;
  effects.fills.length = 0;
  effects.gaps.length = 0;
  effects.dropped.length = 0;
  effects.accepted = 0;
  effects.touched.clear();
  effects.tiers = 0;
}
