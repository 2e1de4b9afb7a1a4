/** Adaptation as an act: one bounded step by a stated rule, recorded with its evidence, undone exactly. */
import { randomUUID } from 'node:crypto';
import type { AdaptationView, ForceAdaptationInput, ForceAdaptationResult, Insights } from '../core/domain/bodies';
import { EngineError, notFound } from '../core/domain/errors';
import type { AdaptationApplied } from '../core/domain/log-event';
import type { Regime } from '../core/domain/regime';
import { currentVersion, type StrategyRecord } from '../core/domain/strategy';
import type { EngineVerbs } from '../core/domain/verbs';
import { type ParameterBounds, proposeStep, type Step } from '../core/learning/adapt';
import {
  adaptationOf,
  adaptationView,
  adaptationViews,
  railsOf,
  revertOf,
  unappliedView,
} from '../core/learning/audit';
import type { InsightStrategy } from '../core/learning/candidate';
import { insightsOf } from '../core/learning/insights';
import { recentPerformanceOf } from '../core/learning/trade-sample';
import { ledgerView } from '../core/performance/ledger';
import type { CoreState } from '../core/state';
import { runningOf } from '../core/strategies/attach';
import { headlineRegime } from '../core/strategies/evaluate';
import { parameterSchemas } from '../core/strategies/parameters';
import { type Appender, contentHash } from './append';
import { createAuditAppender } from './audit-chain';
import { numberedNewest, page } from './page';
import type { Clock } from './ports';
import { aggregateOf, requireRecord } from './strategy-commands';

export type Adapting = Pick<EngineVerbs, 'forceAdaptation' | 'adaptations' | 'revert' | 'freeze' | 'insights'>;

export function createAdapting(
  core: CoreState,
  appender: Appender,
  clock: Clock,
  told: (view: AdaptationView) => void,
): Adapting {
  const append = createAuditAppender(core, appender);

  /** Writes an adaptation on top of the version it was made from; another change in between is a conflict. */
  async function write(data: AdaptationApplied, actor: string): Promise<AdaptationView> {
    const outcome = await append({
      ...base(clock, actor, `adaptation:${data.adaptationId}`, data),
      type: 'adaptation',
      aggregate: aggregateOf(data.strategyId),
      expectedVersion: data.fromVersion,
      data,
    });
    const view = adaptationView(core.audit, data.adaptationId);
    if (outcome.kind === 'conflict' || view === undefined) {
      throw new EngineError('ConflictError', `"${data.strategyId}" was changed meanwhile; nothing was adapted`);
    }
    told(view);
    return view;
  }

  async function one(record: StrategyRecord, input: ForceAdaptationInput): Promise<AdaptationView> {
    const { strategyId } = record;
    const step = stepFor(core, record, input, clock.nowMs());
    const adaptationId = `adp_${randomUUID()}`;
    if (step.isRefused || input.dryRun === true) return unappliedView(step, adaptationId, strategyId, clock.nowMs());
    const fromVersion = currentVersion(record).version;
    return write(adaptationOf(step, { adaptationId, strategyId, fromVersion }), input.actor ?? 'library');
  }

  return {
    async forceAdaptation(input) {
      const records = meant(core, input);
      const views: AdaptationView[] = [];
      for (const record of records) views.push(await one(record, input));
      return resultOf(input, views);
    },
    adaptations(query) {
      const { items, cursor } = page(numberedNewest(adaptationViews(core.audit), core.audit.total), query);
      return { adaptations: items, cursor };
    },
    async revert(adaptationId, actor = 'library') {
      const entry = core.audit.entries.get(adaptationId);
      if (entry === undefined) throw notFound('adaptation', adaptationId);
      const record = requireRecord(core, entry.data.strategyId);
      if (record.archived) throw new EngineError('ConflictError', `"${record.strategyId}" is archived`);
      const { parameters, version } = currentVersion(record);
      const data = revertOf(core.audit, adaptationId, { adaptationId: `adp_${randomUUID()}`, parameters, version });
      return { adaptation: await write(data, actor) };
    },
    insights: (query = {}) => ({ insights: insightsNow(core, clock, query.symbol) }),
    async freeze(frozen, reason = frozen ? 'frozen by hand' : 'released by hand', actor = 'library') {
      const data = { frozen, reason };
      await append({
        ...base(clock, actor, `freeze:${randomUUID()}`, data),
        type: 'learning_frozen',
        aggregate: 'learning',
        expectedVersion: null,
        data,
      });
      return { frozen: core.audit.frozen };
    },
  };
}

function insightsNow(core: CoreState, clock: Clock, symbol: string | undefined): Insights {
  const strategies: InsightStrategy[] = [];
  for (const { record, definition } of core.strategies.values()) {
    const { strategyId, strategyType } = record;
    const view = ledgerView(core.ledger, strategyId);
    strategies.push({ strategyId, strategyType, family: definition.family, view });
  }
  const regimes = [...core.symbols].map(([name, one]) => [name, headlineRegime(one)] as const);
  return insightsOf({
    asOfMs: clock.nowMs(),
    ...(symbol === undefined ? {} : { symbol: symbol.toUpperCase() }),
    regimes: new Map(regimes),
    strategies,
    together: ledgerView(core.ledger, null),
    audit: core.audit,
  });
}

function base(clock: Clock, actor: string, id: string, content: unknown) {
  return { id, contentHash: contentHash(content), v: 1 as const, atMs: clock.nowMs(), actor };
}

/** The strategies an act is about. Throws `NotFoundError` for an unknown id or type. */
function meant(core: CoreState, input: ForceAdaptationInput): StrategyRecord[] {
  if (input.strategyId !== undefined) {
    const record = requireRecord(core, input.strategyId);
    if (record.archived) throw notFound('active strategy', input.strategyId);
    return [record];
  }
  const type = input.strategyType ?? '';
  if (core.registry.get(type) === undefined) throw notFound('strategy type', type);
  const active = [...core.records.byId.values()].filter((record) => !record.archived);
  const exact = active.filter((record) => record.strategyType === type);
  if (exact.length > 0) return exact;
  return active.filter((record) => core.registry.get(record.strategyType)?.family === type);
}

function stepFor(core: CoreState, record: StrategyRecord, input: ForceAdaptationInput, nowMs: number): Step {
  const definition = core.registry.get(record.strategyType);
  if (definition === undefined) throw notFound('strategy type', record.strategyType);
  const { strategyId } = record;
  return proposeStep({
    family: definition.family,
    bounds: parameterSchemas(definition.parameters) as Readonly<Record<string, ParameterBounds>>,
    parameters: currentVersion(record).parameters,
    measured: measuredRegime(core, strategyId),
    claimed: input.marketConditions ?? null,
    recent: recentPerformanceOf(ledgerView(core.ledger, strategyId)),
    rails: railsOf(core.audit, strategyId, nowMs),
  });
}

/** Of the symbol and timeframe on which the strategy has seen the most bars. */
export function measuredRegime(core: CoreState, strategyId: string): Regime | null {
  let best: Regime | null = null;
  for (const symbol of core.symbols.values()) {
    for (const running of runningOf(symbol, strategyId)) {
      const regime = symbol.bars.get(running.timeframe)?.series.regime ?? headlineRegime(symbol);
      if (best === null || regime.bars > best.bars) best = regime;
    }
  }
  return best;
}

function resultOf(input: ForceAdaptationInput, views: readonly AdaptationView[]): ForceAdaptationResult {
  const applied = views.filter((view) => view.applied);
  const only = views.length === 1 ? views[0] : undefined;
  const first = views.find((view) => !view.applied);
  const reason = views.length === 0 ? nobody(input) : applied.length > 0 ? undefined : first?.reason;
  return {
    adaptationTriggered: applied.length > 0,
    newParameters: only ? only.to : new Map(views.map((view) => [view.strategyId, view.to])),
    adaptations: views,
    ...(reason === undefined ? {} : { reason }),
  };
}

function nobody(input: ForceAdaptationInput) {
  return { code: 'no_strategies', text: `no active strategy of type "${input.strategyType ?? ''}" is registered` };
}
