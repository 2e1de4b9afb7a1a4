/**
 * The bounded intake of doors that push (pub/sub, wires): the handler only puts a message down, a drain takes batches
 * out between other work. When messages come faster than they are evaluated, what waits is folded into one partial bar
 * per symbol and source: nothing of the range or the volume is lost, and what it touches is marked.
 */
import type { MarketDataInput, Rejection } from '../core/domain/bodies';
import { asEngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import type { MarketItem, PartialBar, Tick, TickNumber } from '../core/domain/tick';
import type { IntakeOrigin, Logger } from './ports';

export interface RawMessage {
  readonly text: string;
  readonly source: string;
  readonly arrivalMs: number;
  readonly arrivedAt: number;
}

export interface Drained {
  readonly items: readonly MarketItem[];
  /** Of conflated ticks. */
  readonly numbers?: readonly TickNumber[];
  readonly arrivalMs: number;
  /** Monotonic instant of the oldest message, for latency. */
  readonly arrivedAt: number;
}

export interface IntakePort {
  parse(text: string, origin: IntakeOrigin): MarketDataInput;
  /** The text as one plain tick, or `null`: the short way of nearly every message. */
  tickOf(text: string, origin: IntakeOrigin): Tick | null;
  evaluate(drained: Drained): void;
  rejected(message: RawMessage, reason: string, rejections: readonly Rejection[]): void;
  overloaded(waiting: number): void;
  readonly logger: Logger;
}

export interface Intake {
  push(message: RawMessage): void;
  /** Evaluates all that waits, now. */
  drainAll(): void;
  waiting(): number;
  /** When the oldest waiting message came; `null` when none waits. */
  oldestArrivalMs(): number | null;
  conflatedTicks(): number;
  close(): void;
}

export function createIntake(port: IntakePort): Intake {
  return new BoundedIntake(port);
}

class BoundedIntake implements Intake {
  private readonly port: IntakePort;
  private queue: RawMessage[] = [];
  private head = 0;
  private scheduled: NodeJS.Immediate | null = null;
  private conflated = 0;
  private closed = false;

  constructor(port: IntakePort) {
    this.port = port;
  }

  push(message: RawMessage): void {
    if (this.closed) return;
    this.queue.push(message);
    this.schedule();
  }

  drainAll(): void {
    while (this.waiting() > 0) this.drainOnce();
  }

  waiting(): number {
    return this.queue.length - this.head;
  }

  oldestArrivalMs(): number | null {
    return this.queue[this.head]?.arrivalMs ?? null;
  }

  conflatedTicks(): number {
    return this.conflated;
  }

  close(): void {
    this.closed = true;
    if (this.scheduled !== null) clearImmediate(this.scheduled);
  }

  private schedule(): void {
    if (this.scheduled === null && this.waiting() > 0) this.scheduled = setImmediate(() => this.run());
  }

  private run(): void {
    this.scheduled = null;
    if (this.closed) return;
    try {
      this.drainOnce();
    } catch (error) {
      // A defect of ours in one batch; nothing may leave a callback of the loop, and the next batch has its turn.
      this.port.logger.error('a batch could not be evaluated', { error: String(error) });
    }
    this.schedule();
  }

  private drainOnce(): void {
    const over = this.waiting() > limits.intakeTicks;
    if (over) this.port.overloaded(this.waiting());
    const { items, first } = this.take(over ? Number.POSITIVE_INFINITY : limits.ticksPerBatch);
    if (first === null || items.length === 0) return;
    const numbers = over ? numbersOf(items) : [];
    const used = over ? conflate(items) : items;
    if (over) this.conflated += items.length - used.length;
    for (let at = 0; at < used.length; at += limits.ticksPerBatch) {
      const part = used.slice(at, at + limits.ticksPerBatch);
      const told = at === 0 && numbers.length > 0 ? { numbers } : {};
      this.port.evaluate({ items: part, ...told, arrivalMs: first.arrivalMs, arrivedAt: first.arrivedAt });
    }
  }

  private take(max: number): { items: MarketItem[]; first: RawMessage | null } {
    const items: MarketItem[] = [];
    let first: RawMessage | null = null;
    while (this.waiting() > 0 && items.length < max) {
      const message = this.queue[this.head++] as RawMessage;
      first ??= message;
      this.parse(message, items);
    }
    if (this.waiting() === 0) {
      this.queue = [];
      this.head = 0;
    } else if (this.head >= limits.intakeTicks) {
      // A queue that never runs quite empty must not keep what was taken from it.
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    return { items, first };
  }

  private parse(message: RawMessage, items: MarketItem[]): void {
    const { port } = this;
    const tick = port.tickOf(message.text, message);
    if (tick !== null) {
      items.push(tick);
      return;
    }
    try {
      const input = port.parse(message.text, message);
      for (const item of input.items) items.push(item);
      if (input.rejected.length > 0) port.rejected(message, 'some ticks were refused', input.rejected);
    } catch (thrown) {
      const error = asEngineError(thrown);
      if (error.code === 'InternalError') port.logger.error('intake failed', { error: String(error.cause ?? error) });
      port.rejected(message, error.message, []);
    }
  }
}

/** The producers' numbers of all ticks, in the order in which they came. */
function numbersOf(items: readonly MarketItem[]): TickNumber[] {
  const numbers: TickNumber[] = [];
  for (const item of items) {
    if (item.kind !== 'tick' || item.extras?.seq === undefined) continue;
    const { source, symbol, timestampMs } = item;
    numbers.push({ source, symbol, seq: item.extras.seq, timestampMs });
  }
  return numbers;
}

/** The same tick without its number, which is told apart from it. */
function unnumbered(tick: Tick): Tick {
  if (tick.extras?.seq === undefined) return tick;
  const { seq: _, ...extras } = tick.extras;
  return { ...tick, extras: Object.keys(extras).length === 0 ? null : extras };
}

/** Ticks of one symbol and source in a row become one partial bar; bars and news stay as they are. Numbers are told apart. */
export function conflate(items: readonly MarketItem[]): MarketItem[] {
  const out: MarketItem[] = [];
  const forming = new Map<string, { at: number; bar: PartialBar }>();
  for (const item of items) {
    if (item.kind !== 'tick' || item.extras?.event !== undefined) {
      out.push(item.kind === 'tick' ? unnumbered(item) : item);
      continue;
    }
    const key = `${item.symbol}\n${item.source}`;
    const known = forming.get(key);
    if (known === undefined) {
      const { symbol, source, timestampMs, price, volume, assetType } = item;
      const range = { open: price, high: price, low: price, close: price };
      const bar = { kind: 'partial' as const, symbol, source, firstMs: timestampMs, timestampMs, ...range, volume };
      forming.set(key, { at: out.length, bar: { ...bar, count: 1, assetType } });
      out.push(unnumbered(item));
      continue;
    }
    const { bar } = known;
    known.bar = {
      ...bar,
      firstMs: Math.min(bar.firstMs, item.timestampMs),
      timestampMs: Math.max(bar.timestampMs, item.timestampMs),
      high: Math.max(bar.high, item.price),
      low: Math.min(bar.low, item.price),
      close: item.price,
      volume: bar.volume + item.volume,
      count: bar.count + 1,
    };
    out[known.at] = known.bar;
  }
  return out;
}
