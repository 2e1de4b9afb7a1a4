/**
 * The bounded intake of doors that push (pub/sub, wires): the handler only puts a message down, a drain takes batches
 * out between other work. When messages come faster than they are evaluated, what waits is folded into one partial bar
 * per symbol and source: nothing of the range or the volume is lost, and what it touches is marked.
 */
import type { MarketDataInput, Rejection } from '../core/domain/bodies';
import { asEngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import type { MarketItem, PartialBar } from '../core/domain/tick';
import type { Logger } from './ports';

export interface RawMessage {
  readonly text: string;
  readonly source: string;
  readonly arrivalMs: number;
  readonly arrivedAt: number;
}

export interface Drained {
  readonly items: readonly MarketItem[];
  readonly arrivalMs: number;
  /** Monotonic instant of the oldest message, for latency. */
  readonly arrivedAt: number;
}

export interface IntakePort {
  parse(text: string, origin: { readonly source: string; readonly arrivalMs: number }): MarketDataInput;
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
  conflatedTicks(): number;
  close(): void;
}

export function createIntake(port: IntakePort): Intake {
  let queue: RawMessage[] = [];
  let head = 0;
  let scheduled: NodeJS.Immediate | null = null;
  let conflated = 0;
  let closed = false;

  function take(max: number): { items: MarketItem[]; first: RawMessage | null } {
    const items: MarketItem[] = [];
    let first: RawMessage | null = null;
    while (head < queue.length && items.length < max) {
      const message = queue[head++] as RawMessage;
      first ??= message;
      collect(message, items);
    }
    if (head === queue.length) {
      queue = [];
      head = 0;
    }
    return { items, first };
  }

  function collect(message: RawMessage, items: MarketItem[]): void {
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

  function drainOnce(): void {
    const over = queue.length - head > limits.intakeTicks;
    if (over) port.overloaded(queue.length - head);
    const { items, first } = take(over ? Number.POSITIVE_INFINITY : limits.ticksPerBatch);
    if (first === null || items.length === 0) return;
    const used = over ? conflate(items) : items;
    if (over) conflated += items.length - used.length;
    for (let at = 0; at < used.length; at += limits.ticksPerBatch) {
      const part = used.slice(at, at + limits.ticksPerBatch);
      port.evaluate({ items: part, arrivalMs: first.arrivalMs, arrivedAt: first.arrivedAt });
    }
  }

  function run(): void {
    scheduled = null;
    if (closed) return;
    drainOnce();
    schedule();
  }

  function schedule(): void {
    if (scheduled === null && head < queue.length) scheduled = setImmediate(run);
  }

  return {
    push(message) {
      if (closed) return;
      queue.push(message);
      schedule();
    },
    drainAll() {
      while (head < queue.length) drainOnce();
    },
    waiting: () => queue.length - head,
    conflatedTicks: () => conflated,
    close() {
      closed = true;
      if (scheduled !== null) clearImmediate(scheduled);
    },
  };
}

/** Ticks of one symbol and source in a row become one partial bar; bars and news stay as they are. */
export function conflate(items: readonly MarketItem[]): MarketItem[] {
  const out: MarketItem[] = [];
  const forming = new Map<string, { at: number; bar: PartialBar }>();
  for (const item of items) {
    if (item.kind !== 'tick' || item.extras?.event !== undefined) {
      out.push(item);
      continue;
    }
    const key = `${item.symbol}\n${item.source}`;
    const known = forming.get(key);
    if (known === undefined) {
      const { symbol, source, timestampMs, price, volume, assetType } = item;
      const range = { open: price, high: price, low: price, close: price };
      const bar = { kind: 'partial' as const, symbol, source, firstMs: timestampMs, timestampMs, ...range, volume };
      forming.set(key, { at: out.length, bar: { ...bar, count: 1, assetType } });
      out.push(item);
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
