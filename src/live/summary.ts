/** How the engine is, in one body: nothing here is estimated, what is not known is `null`. */
import type { PerformanceResult } from '../core/domain/bodies';
import type { Summary } from '../core/domain/summary';
import { outcomeTotals } from '../core/engine';
import type { CoreState } from '../core/state';
import type { Health } from './health';
import type { Intake } from './intake';
import type { Latency } from './latency';
import type { Clock, EventLog, Role } from './ports';
import type { Rates } from './rates';
import type { RunCounters } from './scrape';

export interface SummaryDeps {
  readonly core: CoreState;
  readonly health: Health;
  readonly latency: Latency;
  readonly rates: Rates;
  readonly intake: Intake;
  readonly counters: RunCounters;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly startedAt: number;
  readonly overall: () => PerformanceResult;
  readonly executions: () => number;
  readonly role: () => Role;
}

export function summaryOf(deps: SummaryDeps): Summary {
  const { core, health, rates, clock, log } = deps;
  const errorRate = rates.errorRate();
  const { metrics } = deps.overall();
  let activeStrategies = 0;
  for (const { version } of core.strategies.values()) if (version.state === 'active') activeStrategies++;
  return {
    systemHealth: health.overall(errorRate),
    activeStrategies,
    totalPerformance: metrics.successRate ?? null,
    totalPnl: metrics.totalPnl ?? null,
    lastUpdate: new Date(clock.nowMs()).toISOString(),
    uptimeS: Math.round((clock.monotonicMs() - deps.startedAt) / 1_000),
    components: health.components(),
    durability: log.durability().text,
    role: deps.role(),
    throughput: {
      ticksTotal: core.ticksTotal + deps.intake.conflatedTicks() + deps.counters.rejected,
      ticksPerS: rates.ticksPerS(),
      signalsTotal: core.signalsTotal,
      executionsTotal: deps.executions(),
      outcomes: outcomesOf(deps),
    },
    latencyMs: deps.latency.views(),
    errorRate,
  };
}

/** Beside the core's: what became part of a partial bar, and what was refused at the border, since the start. */
function outcomesOf({ core, intake, counters }: SummaryDeps): ReadonlyMap<string, number> {
  const outcomes = new Map<string, number>(outcomeTotals(core));
  if (intake.conflatedTicks() > 0) outcomes.set('conflated', intake.conflatedTicks());
  if (counters.rejected > 0) outcomes.set('rejected', counters.rejected);
  return outcomes;
}
