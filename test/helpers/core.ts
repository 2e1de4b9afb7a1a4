/** A core of its own for a test, fed with plain arrays; what comes out is copied, because the core reuses its lists. */

import { type CoreOptions, createCore } from '../../src/core/create';
import type { Decision } from '../../src/core/domain/decision';
import type { Fill } from '../../src/core/domain/fill';
import type { LogEvent } from '../../src/core/domain/log-event';
import type { SignalDraft } from '../../src/core/domain/signal';
import type { BarInput, MarketBatch, MarketItem, Tick } from '../../src/core/domain/tick';
import { onBatch } from '../../src/core/engine';
import { apply } from '../../src/core/fold';
import type { CoreState } from '../../src/core/state';
import { builtInStrategies, parseParameters } from '../../src/core/strategies/registry';

export const dayMs = 86_400_000;
export const startMs = Date.UTC(2026, 0, 5);

export function tick(symbol: string, timestampMs: number, price: number, extra: Partial<Tick> = {}): Tick {
  return {
    kind: 'tick',
    symbol,
    source: 'test',
    timestampMs,
    stamped: true,
    price,
    volume: 1,
    quote: null,
    assetType: null,
    extras: null,
    ...extra,
  };
}

export function bar(symbol: string, timestampMs: number, prices: readonly number[], timeframe = '1m'): BarInput {
  const [open = 0, high = open, low = open, close = open] = prices;
  const rest = { source: 'test', volume: 1, isClosed: true, assetType: null, id: null };
  return { kind: 'bar', symbol, timestampMs, timeframe, open, high, low, close, ...rest };
}

export interface Registration {
  readonly strategyId: string;
  readonly strategyType: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly symbols?: readonly string[];
  readonly timeframe?: string;
  readonly state?: 'active' | 'paused' | 'shadow';
  readonly allowShort?: boolean;
  readonly capital?: number;
}

export function registered(core: CoreState, seq: number, of: Registration): LogEvent {
  const definition = core.registry.get(of.strategyType) ?? builtInStrategies.get(of.strategyType);
  if (definition === undefined) throw new Error(`no type ${of.strategyType}`);
  const { parameters } = parseParameters(definition, of.parameters ?? {});
  return {
    id: `register:${of.strategyId}`,
    contentHash: '',
    type: 'strategy_registered',
    v: 1,
    aggregate: `strategy:${of.strategyId}`,
    aggregateVersion: 1,
    seq,
    atMs: startMs,
    actor: 'test',
    data: {
      strategyId: of.strategyId,
      strategyType: of.strategyType,
      parameters: { ...parameters },
      symbols: of.symbols ?? [],
      assetTypes: [],
      timeframe: of.timeframe ?? 'auto',
      name: of.strategyId,
      state: of.state ?? 'active',
      capital: of.capital ?? null,
      allowShort: of.allowShort ?? true,
    },
  };
}

export function coreWith(registrations: readonly Registration[], options: CoreOptions = {}): CoreState {
  const core = createCore(options);
  registrations.forEach((of, i) => {
    apply(core, registered(core, i + 1, of));
  });
  return core;
}

export interface Heard {
  readonly signals: SignalDraft[];
  readonly decisions: Decision[];
  readonly fills: Fill[];
}

export function heardNothing(): Heard {
  return { signals: [], decisions: [], fills: [] };
}

export function batchOf(items: readonly MarketItem[], given: Partial<MarketBatch> = {}): MarketBatch {
  const arrivalMs = items[items.length - 1]?.timestampMs ?? startMs;
  return { items, arrivalMs, evaluatedMs: arrivalMs, door: 'ordered', position: null, ...given };
}

/** Feeds the items in batches of `size` and collects what came out. */
export function feedIn(
  core: CoreState,
  items: readonly MarketItem[],
  size: number,
  heard = heardNothing(),
  door: MarketBatch['door'] = 'ordered',
): Heard {
  for (let at = 0; at < items.length; at += size) {
    const effects = onBatch(core, batchOf(items.slice(at, at + size), { door }));
    heard.signals.push(...effects.signals);
    heard.decisions.push(...effects.decisions);
    heard.fills.push(...effects.fills);
  }
  return heard;
}
