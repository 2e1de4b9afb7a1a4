/** An engine that lives: opened by recovering, fed through a bounded intake, kept by log, tape and snapshots. */

import { createCore } from '../core/create';
import { assetTypeOf } from '../core/domain/asset-type';
import { limits } from '../core/domain/limits';
import type { Signal } from '../core/domain/signal';
import { definitionAdded } from '../core/fold';
import { ledgerView } from '../core/performance/ledger';
import { createAdapting } from './adapting';
import { createAppender } from './append';
import { createBatchResults } from './batches';
import { beginAnew } from './begin-anew';
import { startClockwork } from './clockwork';
import { closeEngine, createCalls } from './closing';
import { reportStore } from './durability';
import type { Engine } from './engine-api';
import type { EngineDeps } from './engine-deps';
import { createEntryOrder } from './entry-order';
import { reportState } from './feed';
import { followLog, knownElsewhere } from './follow';
import { createHealth, type Health } from './health';
import { createIntake } from './intake';
import { intakePort } from './intake-port';
import { createLatency } from './latency';
import { createListeners, type Listeners } from './listeners';
import { createMarketRun, withLatency } from './market-run';
import { measuredLog } from './measured-log';
import { createPerformance } from './performance';
import type { Gap, Output } from './ports';
import { createQueries } from './queries';
import { createRates } from './rates';
import { isFresh, type Recovery, recover } from './recover';
import { reportMisfits, reportRecovery, reportTape } from './recovery-report';
import { createRoles, type Roles } from './roles';
import { createRunCounters, createScrape, increment, inputReports, type RunCounters } from './scrape';
import { createSnapshotter } from './snapshotter';
import { createSpeaker, soleLease } from './speaker';
import { createStored } from './stored';
import { createStrategyCommands } from './strategy-commands';
import { summaryOf } from './summary';
import { createTracking } from './tracking';

/** Opens an engine. Rejects with an EngineError when the store cannot be opened or its log cannot be read. */
export async function openLive(deps: EngineDeps): Promise<Engine> {
  const { clock, logger, log, tape } = deps;
  const startedAt = clock.monotonicMs();
  const listeners = createListeners(logger);
  const health = createHealth(listeners, clock, logger);
  const { snapshots, tapeId, lease = soleLease } = deps;
  const fresh = () => createCore(deps.core);
  const roles = createRoles(lease, health, log.isShared);
  await roles.start();
  const recovery = await recover({ fresh, log, snapshots, tape, tapeId, logger });
  reportStore(health, log);
  log.onState?.((state, message) => {
    if (state === 'up') reportStore(health, log);
    else reportState(health, 'store', state, message);
  });
  reportTape(health, tape);
  reportRecovery(recovery, health, logger, clock.monotonicMs() - startedAt);
  for (const output of deps.outputs) await startOutput(output, health);
  const parts = assemble(deps, recovery, listeners, health, roles);
  if (tape.lastPosition() < recovery.fromTape) await startTapeAnew(parts);
  log.onForked?.((reader) => beginAnew({ ...parts, log: reader }));
  return verbs(parts, startedAt);
}

async function startOutput(output: Output, health: Health): Promise<void> {
  output.onState((state, message) => {
    reportState(health, `output:${output.name}`, state, message);
  });
  await output.start();
}

/** The tape is not the one that the snapshot goes on from: its records count only from a snapshot that knows it. */
async function startTapeAnew({ health, snapshotter }: Parts): Promise<void> {
  health.alert('tape_lost', 'warning', 'tape', 'the tape ends before the last snapshot; it starts anew from here');
  await snapshotter.now().catch(() => undefined);
}

type Parts = ReturnType<typeof assemble>;

/** The parts of a living engine, put together once. */
function assemble(deps: EngineDeps, recovery: Recovery, listeners: Listeners, health: Health, roles: Roles) {
  const { clock, logger, log, tape, metrics, outputs, lease = soleLease } = deps;
  const { core } = recovery;
  const latency = createLatency();
  const rates = createRates(clock);
  const failed = (output: Output, error: unknown) =>
    logger.error('an output failed', { output: output.name, error: String(error) });
  const speaker = createSpeaker({ lease, outputs, listeners, clock, failed });
  const snapshotter = createSnapshotter({ ...deps, core, health, isWriter: speaker.isSpeaking });
  const appender = createAppender(core, measuredLog(log, metrics, clock), health, () => {
    snapshotter.moved(0);
    reportMisfits(health, core);
  });
  const counters = createRunCounters();
  const tapeFailed = () => reportTape(health, tape);
  const gap = (one: Gap) => tellGap(counters, health, listeners, one);
  const moved = (ticks: number) => snapshotter.moved(ticks);
  const refused = (count: number) => {
    counters.rejected += count;
  };
  const order = createEntryOrder();
  const stored = createStored({ core, tape, snapshotter, logger });
  const told = { speaker, gap, tapeFailed, moved, refused, order };
  const run = createMarketRun({ core, tape, clock, listeners, latency, rates, metrics, ...told });
  const intake = createIntake(intakePort(deps, run, health, counters));
  const performance = createPerformance(core, clock);
  const clockwork = startClockwork({ core, run, intake, tape, health, clock, logger });
  const fresh = (list: Recovery['signals']) =>
    list.filter((one) => isFresh(one, clock.nowMs())).map(({ draft }) => withLatency(draft, 0));
  const recovered = fresh(recovery.signals);
  if (recovered.length > 0) speaker.say(recovered);
  roles.listen((role) => {
    if (role !== 'leader') return;
    snapshotter.anew();
    speaker.takeOver().catch((error: unknown) => logger.error('taking over failed', { error: String(error) }));
  });
  const stopFollowing = log.isShared ? followLog(appender, clock, logger) : () => undefined;
  reportMisfits(health, core);
  const retellUntil = clock.monotonicMs() + limits.retellMs;
  const stillToTell = (list: Recovery['signals']) =>
    speaker.isSpeaking() && clock.monotonicMs() < retellUntil ? fresh(list) : [];
  const { unheard, recent } = recovery;
  const retell = { unheard: () => stillToTell(unheard), recent: () => stillToTell(recent) };
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
    retell,
    counters,
    gap,
    feedStored: async (feed: string) => ({ entry: await stored(feed), isRefused: order.isRefused(feed) }),
    order,
    onRewind: new Set<() => void>(),
    roles,
    lease,
    stopFollowing,
  };
}

function verbs(parts: Parts, startedAt: number): Engine {
  const { deps, core, listeners, health, appender, performance, run, lease } = parts;
  const { clock } = deps;
  const batches = createBatchResults();
  let closing: Promise<void> | null = null;
  const calls = createCalls();
  const { open } = calls;
  const shared = <A extends readonly unknown[], R>(verb: (...given: A) => Promise<R>) =>
    open(deps.log.isShared ? knownElsewhere(verb, appender) : verb);
  const commands = createStrategyCommands(core, appender, clock);
  const adapting = createAdapting(core, appender, clock, (view) => listeners.emit('adaptation', view));
  return {
    name: deps.name,
    marketRules: { assetTypeOf: (symbol) => core.settings.assetTypes.get(symbol) ?? assetTypeOf(symbol) },
    ...createQueries(core),
    ...adapting,
    forceAdaptation: shared(adapting.forceAdaptation),
    revert: shared(adapting.revert),
    freeze: open(adapting.freeze),
    register: open(commands.register),
    update: shared(commands.update),
    archive: shared(commands.archive),
    rollback: shared(commands.rollback),
    performance: performance.performance,
    track: shared(createTracking(core, appender, clock, performance.metricsOf)),
    processMarketData: open((input) => batches.once(input.batchId, () => run.process(input))),
    advance: open(async (timestampMs) => run.advance(timestampMs, 'all')),
    summary: () =>
      summaryOf({
        ...parts,
        log: deps.log,
        clock,
        startedAt,
        overall: () => performance.performance(null),
        executions: () => executionsOf(parts),
        role: () => lease.role(),
      }),
    alerts: health.alerts,
    ...listening(parts),
    intake: (text, { source, arrivalMs }) =>
      parts.intake.push({ text, source, arrivalMs, arrivedAt: clock.monotonicMs() }),
    feedRow: (feed) => core.rows.get(feed) ?? 0,
    feedEntry: (feed) => core.entries.get(feed) ?? '',
    feedStored: parts.feedStored,
    define(definition) {
      core.registry.define(definition);
      definitionAdded(core, definition);
      reportMisfits(health, core);
    },
    report: (door) => health.report(door.component, door.health, door.message),
    reportGap: parts.gap,
    ...inputReports(parts.counters, health),
    countRequest: (httpStatus) => countRequest(parts, httpStatus),
    metricsText: createScrape({
      ...parts,
      ...deps,
      core,
      startedAt,
      executions: () => executionsOf(parts),
      isLeader: () => lease.role() === 'leader',
    }),
    snapshot: open(() => parts.snapshotter.now()),
    close() {
      closing ??= closeEngine({ ...parts, calls });
      return closing;
    },
  };
}

/** Whoever wants to hear of the engine. */
function listening(parts: Parts): Pick<Engine, 'on' | 'recent' | 'role' | 'onRole' | 'onRewind'> {
  const { listeners, retell, lease, roles, onRewind } = parts;
  return {
    on(kind, listener) {
      const stop = listeners.on(kind, listener);
      // The compiler does not see that the listener of this kind takes signals.
      if (kind === 'signal') tellUnheard(parts, listener as (signal: Signal) => void);
      return stop;
    },
    recent: retell.recent,
    role: () => lease.role(),
    onRole: roles.listen,
    onRewind(listener) {
      onRewind.add(listener);
      return () => onRewind.delete(listener);
    },
  };
}

/** Who begins to listen is handed the signals that the last life may not have told anybody. */
function tellUnheard({ retell, deps }: Parts, listener: (signal: Signal) => void): void {
  const again = retell.unheard();
  queueMicrotask(() => {
    try {
      for (const signal of again) listener(signal);
    } catch (error) {
      deps.logger.error('a listener failed', { kind: 'signal', error: String(error) });
    }
  });
}

function tellGap(counters: RunCounters, health: Health, listeners: Listeners, gap: Gap): void {
  increment(counters.gaps, gap.source);
  increment(counters.gapMs, gap.source, gap.toMs - gap.fromMs);
  const lengthS = ((gap.toMs - gap.fromMs) / 1_000).toFixed(1);
  health.alert('gap', 'warning', gap.source, `gap of ${lengthS} s in ${gap.source}: ${gap.reason}`);
  listeners.emit('gap', gap);
}

function countRequest({ rates, counters }: Parts, httpStatus: number): void {
  rates.request(httpStatus);
  increment(counters.requests, String(httpStatus));
}

/** Of every mode: real and simulated ones are never added up, but each was tracked. */
function executionsOf({ core }: Parts): number {
  const { book, others } = ledgerView(core.ledger, null);
  return [...others.values()].reduce((sum, count) => sum + count, book?.tally.executions ?? 0);
}
