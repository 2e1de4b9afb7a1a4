/** A living engine over a disk in memory, with a clock that only the test moves, and everything it says kept. */
import { createMetrics } from '../../src/adapters/http/metrics';
import type { CoreOptions } from '../../src/core/create';
import type { MarketDataInput, RegisterInput } from '../../src/core/domain/bodies';
import type { Signal } from '../../src/core/domain/signal';
import type { MarketItem } from '../../src/core/domain/tick';
import type { StrategyDefinition } from '../../src/core/strategies/strategy';
import { openLive } from '../../src/live/engine';
import type { Engine } from '../../src/live/engine-api';
import type { EngineDeps } from '../../src/live/engine-deps';
import type { Output } from '../../src/live/ports';
import { parseMarketText } from '../../src/wire/market-data';
import { Disk, type Handles } from '../simulation/disk';
import { startMs } from './core';
import { createManualClock, type ManualClock } from './manual-clock';
import { everyTick, obedient } from './obedient';
import { type RecordingLogger, recordingLogger } from './temporary';

/** A far end that remembers ids, and keeps what was rejected. */
export interface RecordingOutput extends Output {
  readonly published: Signal[];
  readonly rejected: { readonly text: string; readonly reason: string }[];
}

export interface Living {
  readonly engine: Engine;
  readonly clock: ManualClock;
  readonly disk: Disk;
  readonly handles: Handles;
  readonly output: RecordingOutput;
  readonly logger: RecordingLogger;
  /** Ends the process without a word and opens a new one on what is left, `downtimeMs` later. */
  crash(downtimeMs?: number, core?: CoreOptions): Promise<Living>;
}

export interface LivingOptions {
  readonly disk?: Disk;
  readonly nowMs?: number;
  readonly core?: CoreOptions;
  readonly output?: RecordingOutput;
  readonly deps?: Partial<EngineDeps>;
}

export const definitions = [everyTick, obedient] as unknown as StrategyDefinition[];

export async function living(options: LivingOptions = {}): Promise<Living> {
  const { disk = new Disk(), nowMs = startMs, output = recordingOutput() } = options;
  const clock = createManualClock(nowMs);
  const logger = recordingLogger();
  const handles = disk.open();
  const { log, snapshots, tape } = handles;
  const engine = await openLive({
    name: 'test',
    core: { definitions, capital: 100_000, ...options.core },
    log,
    snapshots,
    tape,
    tapeId: 'test',
    outputs: [output],
    clock,
    logger,
    metrics: createMetrics(),
    parse: (text, origin) => parseMarketText(text, { ...origin, door: 'live' }),
    closing: [],
    ...options.deps,
  });
  return {
    engine,
    clock,
    disk,
    handles,
    output,
    logger,
    async crash(downtimeMs = 10, core = options.core) {
      handles.kill();
      return living({ ...options, disk, output, nowMs: clock.nowMs() + downtimeMs, ...(core ? { core } : {}) });
    },
  };
}

export function recordingOutput(): RecordingOutput {
  const published: Signal[] = [];
  const rejected: RecordingOutput['rejected'] = [];
  return {
    name: 'far end',
    published,
    rejected,
    async publish(signals) {
      const fresh = signals.filter(({ signalId }) => !published.some((known) => known.signalId === signalId));
      published.push(...fresh);
      return { published: fresh.length, duplicates: signals.length - fresh.length };
    },
    async reject({ text, reason }) {
      rejected.push({ text, reason });
    },
    onState: () => undefined,
    start: async () => undefined,
    close: async () => undefined,
  };
}

/** A message of the library's. */
export function message(items: readonly MarketItem[], more: Partial<MarketDataInput> = {}): MarketDataInput {
  const arrivalMs = items[items.length - 1]?.timestampMs ?? startMs;
  const indexes = items.map((_, i) => i);
  return { items, indexes, rejected: [], received: items.length, door: 'ordered', arrivalMs, ...more };
}

/** An `obedient` strategy on bars of a minute, as every test here wants it unless it says otherwise. */
export function obedientOn(strategyId: string, more: Partial<RegisterInput> = {}): RegisterInput {
  return { strategyType: 'obedient', strategyId, timeframe: '1m', ...more };
}

/** Lets what was scheduled for this turn of the loop happen. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Code of the error a call ends with; `null` when it does not. */
export async function codeOf(call: Promise<unknown>): Promise<string | null> {
  return call.then(
    () => null,
    (error: { readonly code?: string; readonly name: string }) => error.code ?? error.name,
  );
}
