/** An engine that lives: opened by recovering, fed through a bounded intake, kept by log, tape and snapshots. */

import { createCore } from '../core/create';
import { assetTypeOf } from '../core/domain/asset-type';
import { EngineError } from '../core/domain/errors';
import type { Signal } from '../core/domain/signal';
import { definitionAdded } from '../core/fold';
import { createAdapting } from './adapting';
import { createAppender } from './append';
import { createBatchResults } from './batches';
import { startClockwork } from './clockwork';
import type { Engine } from './engine-api';
import type { EngineDeps } from './engine-deps';
import { createHealth, type Health } from './health';
import { createIntake } from './intake';
import { intakePort } from './intake-port';
import { createLatency } from './latency';
import { createListeners, type Listeners } from './listeners';
import { createMarketRun, publishTo, withLatency } from './market-run';
import { createPerformance } from './performance';
import type { Gap, Logger, Output, Tape } from './ports';
import { createQueries } from './queries';
import { createRates } from './rates';
import { isFresh, type Recovery, recover } from './recover';
import { createRunCounters, createScrape, increment, type RunCounters } from './scrape';
import { createSnapshotter } from './snapshotter';
import { createStrategyCommands } from './strategy-commands';
import { summaryOf } from './summary';
import { createTracking } from './tracking';

/** Opens an engine. Rejects with an EngineError when the store cannot be opened or its log cannot be read. */
export async function openLive(deps: EngineDeps): Promise<Engine> {
  const { clock, logger, log, tape } = deps;
  const startedAt = clock.monotonicMs();
  const listeners = createListeners(logger);
  const health = createHealth(listeners, clock, logger);
  const recovery = await recover(() => createCore(deps.core), log, deps.snapshots, tape, logger);
  health.report('store', 'up', log.durability().text);
  reportTape(health, tape);
  reportRecovery(recovery, health, logger, clock.monotonicMs() - startedAt);
  for (const output of deps.outputs) await startOutput(output, health);
  return verbs(assemble(deps, recovery, listeners, health), startedAt);
}

function reportTape(health: Health, tape: Tape): void {
  const state = tape.health();
  health.report('tape', state.health, state.message);
}

function reportRecovery(recovery: Recovery, health: Health, logger: Logger, tookMs: number): void {
  const { replayedRecords, refusedSnapshots, fromTape } = recovery;
  logger.info('engine recovered', { replayedRecords, refusedSnapshots, fromTape, tookMs: Math.round(tookMs) });
  if (refusedSnapshots > 0) {
    const text = `${refusedSnapshots} damaged snapshot(s) were refused; an older state was taken and replayed`;
    health.alert('snapshot_refused', 'warning', 'snapshots', text);
  }
}

async function startOutput(output: Output, health: Health): Promise<void> {
  output.onState((state, message) => {
    const level = state === 'up' ? 'up' : state === 'down' ? 'down' : 'degraded';
    health.report(`output:${output.name}`, level, message);
  });
  await output.start();
}

type Parts = ReturnType<typeof assemble>;

/** The parts of a living engine, put together once. */
function assemble(deps: EngineDeps, recovery: Recovery, listeners: Listeners, health: Health) {
  const { clock, logger, log, tape, metrics } = deps;
  const { core } = recovery;
  const latency = createLatency();
  const rates = createRates(clock);
  const snapshotter = createSnapshotter(core, deps.snapshots, tape, clock, health, logger);
  const appender = createAppender(core, log, health, () => snapshotter.moved(0));
  const publish = publishTo(deps.outputs, (output, error) =>
    logger.error('an output failed', { output: output.name, error: String(error) }),
  );
  const counters = createRunCounters();
  const tapeFailed = () => reportTape(health, tape);
  const gap = (one: Gap) => tellGap(counters, health, listeners, one);
  const { moved } = snapshotter;
  const told = { publish, gap, tapeFailed, moved };
  const run = createMarketRun({ core, tape, clock, listeners, latency, rates, metrics, ...told });
  const intake = createIntake(intakePort(deps, run, health, counters));
  const performance = createPerformance(core, clock);
  const clockwork = startClockwork(core, run, tape, health, clock);
  const fresh = (list: Recovery['signals']) =>
    list.filter((one) => isFresh(one, clock.nowMs())).map(({ draft }) => withLatency(draft, 0));
  const recovered = fresh(recovery.signals);
  if (recovered.length > 0) publish(recovered);
  const unheard: Signal[] = fresh(recovery.unheard);
  return {
    deps,
    core,
    listeners,
    health,
    latency,
    rates,
    snapshotter,
    appender,
    run,
    intake,
    performance,
    clockwork,
    unheard,
    counters,
    gap,
  };
}

function verbs(parts: Parts, startedAt: number): Engine {
  const { deps, core, listeners, health, appender, performance, run } = parts;
  const { clock } = deps;
  const batches = createBatchResults();
  let closing: Promise<void> | null = null;
  const open = <A extends readonly unknown[], R>(verb: (...given: A) => Promise<R>) => {
    return async (...given: A): Promise<R> => {
      if (closing !== null) throw new EngineError('ConnectionError', 'the engine is closed', { retryAfterS: 1 });
      return verb(...given);
    };
  };
  const commands = createStrategyCommands(core, appender, clock);
  const adapting = createAdapting(core, appender, clock, (view) => listeners.emit('adaptation', view));
  return {
    name: deps.name,
    marketRules: { assetTypeOf: (symbol) => core.settings.assetTypes.get(symbol) ?? assetTypeOf(symbol) },
    ...createQueries(core),
    ...adapting,
    forceAdaptation: open(adapting.forceAdaptation),
    revert: open(adapting.revert),
    freeze: open(adapting.freeze),
    register: open(commands.register),
    update: open(commands.update),
    archive: open(commands.archive),
    rollback: open(commands.rollback),
    performance: performance.performance,
    track: open(createTracking(core, appender, clock, performance.metricsOf)),
    processMarketData: open((input) => batches.once(input.batchId, () => run.process(input))),
    advance: open(async (timestampMs) => run.advance(timestampMs, 'all')),
    summary: () =>
      summaryOf({ ...parts, log: deps.log, clock, startedAt, overall: () => performance.performance(null) }),
    alerts: health.alerts,
    on(kind, listener) {
      const stop = listeners.on(kind, listener);
      if (kind === 'signal') tellUnheard(parts);
      return stop;
    },
    intake: (text, { source, arrivalMs }) =>
      parts.intake.push({ text, source, arrivalMs, arrivedAt: clock.monotonicMs() }),
    feedRow: (feed) => core.rows.get(feed) ?? 0,
    define(definition) {
      core.registry.define(definition);
      definitionAdded(core, definition);
    },
    report: (door) => health.report(door.component, door.health, door.message),
    forget: (component) => health.forget(component),
    reportGap: parts.gap,
    countRequest: (httpStatus) => countRequest(parts, httpStatus),
    metricsText: createScrape({ ...parts, ...deps, core, executions: () => executionsOf(parts) }),
    snapshot: () => parts.snapshotter.now(),
    close() {
      closing ??= close(parts);
      return closing;
    },
  };
}

/** Who listens for signals first is handed those that the last run may not have told anybody. */
function tellUnheard({ unheard, listeners }: Parts): void {
  const again = unheard.splice(0);
  queueMicrotask(() => {
    for (const signal of again) listeners.emit('signal', signal);
  });
}

function tellGap(counters: RunCounters, health: Health, listeners: Listeners, gap: Gap): void {
  increment(counters.gaps, gap.source);
  const lengthS = ((gap.toMs - gap.fromMs) / 1_000).toFixed(1);
  health.alert('gap', 'warning', gap.source, `gap of ${lengthS} s in ${gap.source}: ${gap.reason}`);
  listeners.emit('gap', gap);
}

function countRequest({ rates, counters }: Parts, httpStatus: number): void {
  rates.request(httpStatus);
  increment(counters.requests, String(httpStatus));
}

function executionsOf({ performance }: Parts): number {
  return performance.performance(null).metrics.executions ?? 0;
}

/** Drain, keep, close: after this a new start has nothing to replay. */
async function close(parts: Parts): Promise<void> {
  const { deps, intake, snapshotter, run } = parts;
  parts.clockwork.stop();
  intake.drainAll();
  intake.close();
  run.markLog();
  await snapshotter.now().catch(() => undefined);
  snapshotter.close();
  for (const output of deps.outputs) await output.close();
  await deps.tape.close();
  for (const step of deps.closing) await step();
  parts.listeners.clear();
}
