/** One engine over one disk, through as many lives as it takes, and what a run without crashes would have come to. */
import assert from 'node:assert/strict';
import { createCore } from '../../src/core/create';
import type { MarketDataInput } from '../../src/core/domain/bodies';
import { EngineError } from '../../src/core/domain/errors';
import type { LogEvent } from '../../src/core/domain/log-event';
import type { Signal } from '../../src/core/domain/signal';
import type { MarketItem } from '../../src/core/domain/tick';
import { advance, onBatch, outcomeTotals } from '../../src/core/engine';
import { apply } from '../../src/core/fold';
import { capture, markAllDirty, restore } from '../../src/core/snapshot';
import type { CoreState } from '../../src/core/state';
import { openLive } from '../../src/live/engine';
import type { Engine } from '../../src/live/engine-api';
import type { Metrics, Output } from '../../src/live/ports';
import { createManualClock, type ManualClock } from '../helpers/manual-clock';
import { everyTick, obedient } from '../helpers/obedient';
import { recordingLogger } from '../helpers/temporary';
import { differences } from './difference';
import { Disk, type Handles, never } from './disk';
import type { Bug } from './faults';

const coreOptions = { definitions: [everyTick, obedient] as never[], capital: 100_000 };

const nothing = (): void => undefined;
const noMetrics: Metrics = {
  count: nothing,
  gauge: nothing,
  latency: nothing,
  append: nothing,
  component: nothing,
  forget: nothing,
  text: async () => '',
};

/** Lets everything that is due in this turn of the loop happen. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export type Acted<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly error: EngineError }
  | { readonly kind: 'died' };

export interface Crash {
  /** Records at the end of the tape that are lost, as a power cut may. */
  readonly torn: number;
  readonly damagesSnapshot: boolean;
  readonly downtimeMs: number;
}

const killed: Crash = { torn: 0, damagesSnapshot: false, downtimeMs: 10 };

export class World {
  readonly disk: Disk;
  /** Signals that a far end with a memory for ids took, by id. */
  readonly published = new Map<string, Signal>();
  clock: ManualClock = createManualClock();
  /** Whether the next signals that leave are the last thing this process does. */
  diesPublishing = false;
  lives = 0;
  /** Numbers given away: ids of this world are unique in it. */
  names = 0;
  private engineOrNull: Engine | null = null;
  private handles: Handles | null = null;
  private reference: CoreState = createCore(coreOptions);
  private folded = 0;
  /** Of the reference: how long after it was made each signal was worth sending, by id. */
  private expected = new Map<string, number | null>();
  private forgiven = new Set<string>();

  constructor(bug: Bug | null) {
    this.disk = new Disk(bug);
  }

  get engine(): Engine {
    assert.ok(this.engineOrNull);
    return this.engineOrNull;
  }

  async open(): Promise<void> {
    this.disk.faults = { log: 'none', snapshots: 'none', tape: 'none' };
    this.diesPublishing = false;
    const handles = this.disk.open();
    this.handles = handles;
    this.lives++;
    const { log, snapshots, tape } = handles;
    this.engineOrNull = await openLive({
      name: 'simulated',
      core: coreOptions,
      log,
      snapshots,
      tape,
      tapeId: 'simulated',
      outputs: [this.output(handles)],
      clock: this.clock,
      logger: recordingLogger(),
      metrics: noMetrics,
      parse: (text, { arrivalMs }) => inputOf(JSON.parse(text) as MarketItem[], arrivalMs, 'live'),
      closing: [],
    });
  }

  /** The process ends here and now; another one starts on what is left. */
  async crash(crash: Crash = killed): Promise<void> {
    this.handles?.kill();
    await turn();
    this.disk.tearTape(crash.torn);
    if (crash.damagesSnapshot) this.disk.damageNewestSet();
    this.clock = createManualClock(this.clock.nowMs() + crash.downtimeMs);
    await this.open();
    // What had been, the crash may have undone.
    this.reference = createCore(coreOptions);
    this.expected = new Map();
    this.folded = 0;
    this.refold();
    this.forgiveStale();
  }

  /** Calls the engine; a life that ends meanwhile is replaced by the next. */
  async act<T>(call: (engine: Engine) => Promise<T>): Promise<Acted<T>> {
    const died = this.handles?.died ?? Promise.resolve('died' as const);
    const called = call(this.engine).then(
      (value): Acted<T> => ({ kind: 'done', value }),
      (error: unknown): Acted<T> => {
        if (error instanceof EngineError) return { kind: 'refused', error };
        throw error;
      },
    );
    const first = await Promise.race([died, called]);
    if (first !== 'died') return (await this.isDead()) ? { kind: 'died' } : first;
    await this.crash();
    return { kind: 'died' };
  }

  /** After something that can kill without a call waiting for it. */
  async isDead(): Promise<boolean> {
    const died = this.handles?.died ?? never();
    const isDead = (await Promise.race([died, turn()])) === 'died';
    if (isDead) await this.crash();
    return isDead;
  }

  /** What the engine holds, byte for byte, is what a run without crashes would hold. Answers that, and its core. */
  async check(): Promise<{ readonly state: string; readonly core: CoreState }> {
    this.disk.faults = { log: 'none', snapshots: 'none', tape: 'none' };
    await this.engine.snapshot();
    this.refold();
    const core = restored(this.disk.chunks());
    const state = stateOf(core);
    if (state !== stateOf(this.reference)) {
      const where = differences(core, restored(this.reference));
      assert.fail(`not the state of a run without crashes:\n  ${where.join('\n  ')}`);
    }
    this.checkCounts(core);
    this.checkSignals();
    return { state, core };
  }

  private checkCounts(core: CoreState): void {
    const { throughput } = this.engine.summary();
    const sum = [...outcomeTotals(core).values()].reduce((total, one) => total + one, 0);
    assert.equal(sum, core.ticksTotal, 'every tick ends in one outcome');
    assert.equal(throughput.ticksTotal, core.ticksTotal);
    assert.equal(throughput.signalsTotal, core.signalsTotal);
    for (const [strategyId, { log }] of core.strategies) {
      const counted = log.counts.reduce((total, one) => total + one, 0);
      assert.equal(counted, log.evaluated, `funnel of ${strategyId}`);
    }
  }

  private checkSignals(): void {
    for (const id of this.expected.keys()) {
      assert.ok(this.published.has(id) || this.forgiven.has(id), `signal ${id} never left`);
    }
  }

  /** Brings the reference up to date with what has happened to the engine. */
  private refold(): void {
    const events: readonly LogEvent[] = this.disk.log();
    for (const entry of this.disk.history.slice(this.folded)) {
      this.folded++;
      if (entry.kind === 'event') apply(this.reference, events[entry.seq - 1] as LogEvent);
      if (entry.kind !== 'market') continue;
      const { record } = entry;
      if (record.kind === 'batch') {
        const { batch } = record;
        this.expect(onBatch(this.reference, batch).signals, batch.door === 'live' ? batch.evaluatedMs : null);
      } else if (record.kind === 'advance') {
        const { timestampMs, scope } = record;
        this.expect(advance(this.reference, timestampMs, scope).signals, scope === 'live' ? timestampMs : null);
      }
    }
  }

  private expect(signals: CoreState['effects']['signals'], madeMs: number | null): void {
    for (const { signalId, validUntilMs, timestampMs } of signals) {
      const worthMs = madeMs === null || validUntilMs === null ? null : madeMs + validUntilMs - timestampMs;
      this.expected.set(signalId, worthMs);
    }
  }

  /** What was not sent before the crash and is old by now is not sent any more. */
  private forgiveStale(): void {
    for (const [id, worthMs] of this.expected) {
      if (worthMs !== null && this.clock.nowMs() > worthMs && !this.published.has(id)) this.forgiven.add(id);
    }
  }

  private output(handles: Handles): Output {
    let isOurs = true;
    handles.died.then(() => {
      isOurs = false;
    });
    return {
      name: 'far end',
      publish: async (signals) => {
        if (this.diesPublishing) {
          this.diesPublishing = false;
          isOurs = false;
          handles.kill();
        }
        if (!isOurs) return { published: 0, duplicates: 0 };
        let published = 0;
        for (const signal of signals) {
          if (this.published.has(signal.signalId)) continue;
          this.published.set(signal.signalId, signal);
          published++;
        }
        return { published, duplicates: signals.length - published };
      },
      reject: async () => undefined,
      onState: () => undefined,
      start: async () => undefined,
      close: async () => undefined,
    };
  }
}

export function inputOf(
  items: readonly MarketItem[],
  arrivalMs: number,
  door: 'live' | 'ordered',
  more: Partial<MarketDataInput> = {},
): MarketDataInput {
  return { items, indexes: items.map((_, i) => i), rejected: [], received: items.length, door, arrivalMs, ...more };
}

function restored(from: CoreState | ReadonlyMap<string, Uint8Array>): CoreState {
  const core = createCore(coreOptions);
  restore(core, from instanceof Map ? from : new Map(captureAll(from as CoreState)));
  return core;
}

function captureAll(core: CoreState): (readonly [string, Uint8Array])[] {
  markAllDirty(core);
  return capture(core).dirty.map(({ name, bytes }) => [name, bytes] as const);
}

/**
 * All of a core as text that two runs of one seed have in common: adaptation ids are random, so each stands as a number,
 * and so are the hashes that are made of them.
 */
function stateOf(core: CoreState): string {
  const names = new Map<string, string>();
  return captureAll(core)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => `${name}:${Buffer.from(bytes).toString('latin1')}`)
    .join('\n')
    .replace(/adp_[0-9a-f-]{36}/g, (id) => {
      const known = names.get(id) ?? `adp_${names.size}`;
      names.set(id, known);
      return known;
    })
    .replace(/"hash":"[0-9a-f]{64}"/g, '"hash":""');
}
