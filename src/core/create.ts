/** A fresh core: everything empty, every setting with its default. */
import type { AssetType } from './domain/tick';
import { type Costs, presetCosts } from './execution/costs';
import { createAudit } from './learning/audit';
import { createGapTracker } from './market/gaps';
import { defaultPolicies, type MarketPolicies } from './market/market';
import { createLedger, setCapital } from './performance/ledger';
import { defaultRisk, type RiskSettings } from './risk/sizing';
import { type CoreState, createEffects } from './state';
import { createRecords } from './strategies/records';
import { createRegistry } from './strategies/registry';
import { createProposals, createSlot } from './strategies/running';
import type { StrategyDefinition } from './strategies/strategy';

export interface CoreOptions {
  readonly policies?: Partial<MarketPolicies>;
  readonly risk?: Partial<RiskSettings>;
  readonly costs?: Readonly<Partial<Record<AssetType, Costs>>>;
  /** Equity that exposures are fractions of. */
  readonly capital?: number | null;
  readonly currency?: string;
  readonly assetTypes?: ReadonlyMap<string, AssetType>;
  /** Users' own types, known before anything is recovered. */
  readonly definitions?: readonly StrategyDefinition[];
}

export function createCore(options: CoreOptions = {}): CoreState {
  const ledger = createLedger();
  if (typeof options.capital === 'number') setCapital(ledger, null, options.capital);
  return {
    settings: {
      policies: { ...defaultPolicies, ...options.policies },
      risk: { ...defaultRisk, ...options.risk },
      costs: { ...presetCosts, ...options.costs },
      capital: options.capital ?? null,
      currency: options.currency ?? 'USD',
      assetTypes: options.assetTypes ?? new Map(),
    },
    registry: createRegistry(options.definitions ?? []),
    records: createRecords(),
    strategies: new Map(),
    symbols: new Map(),
    evicted: new Set(),
    stopped: new Set(),
    misfits: new Map(),
    ledger,
    audit: createAudit(),
    gaps: createGapTracker(),
    rows: new Map(),
    entries: new Map(),
    unjudged: new Map(),
    ticksTotal: 0,
    evictedTotal: 0,
    signalsTotal: 0,
    openPositions: 0,
    totalExposure: 0,
    logSeq: 0,
    ledgerSeq: 0,
    ledgerSavedSeq: 0,
    dataAgeMs: 0,
    effects: createEffects(),
    scratch: {
      admitted: [],
      closed: [],
      proposals: createProposals(),
      slot: createSlot(),
      move: { timestampMs: 0, endMs: 0, open: 0, high: 0, low: 0, close: 0 },
    },
  };
}
