/** Market data through nodes: messages in, the engine's answer split into messages out. */
import { z } from 'zod';
import type { Decision, EngineDoor, LiveEngine, MarketDataInput, MarketDataResult, Signal } from '../src/index';
import {
  addedMs,
  decisionToWire,
  EngineError,
  limits,
  parseMarketText,
  parseMarketValue,
  signalText,
  signalToWire,
} from '../src/index';
import type { Message } from './message';
import { offshoot, sequence } from './message';

const feed = z.string().min(1).max(256);
const entry = z.string().regex(/^\d{1,20}-\d{1,20}$/, 'must be the id of an entry, as 1767225600000-0');

/** What a message of market data may say beside its payload. */
export const marketMessage = z.object({
  batch_id: z.string().min(1).max(128).optional(),
  feed_position: z
    .union([
      z.object({ feed, row: z.number().int().min(1) }),
      z
        .object({ feed, entry, after: entry.or(z.literal('')).optional() })
        .transform(({ after, ...position }) => (after === undefined ? position : { ...position, after })),
    ])
    .optional(),
});
export type MarketMessage = z.output<typeof marketMessage> & Message;

/** The message as the engine takes it; throws a `ValueError` when not one item of it can be used. */
export function readMarket(engine: LiveEngine, msg: MarketMessage): MarketDataInput {
  const { batch_id: batchId, feed_position: position } = msg;
  // Of a stream, data is as old as its entry; and an entry without one good tick is taken all the same.
  const streamed = position !== undefined && 'entry' in position ? position : null;
  const door: EngineDoor = engine;
  const context = {
    arrivalMs: streamed === null ? Date.now() : addedMs(streamed.entry),
    source: 'wire',
    door: position ? ('ordered' as const) : ('live' as const),
    ...door.marketRules,
  };
  const payload = Buffer.isBuffer(msg.payload) ? msg.payload.toString('utf8') : msg.payload;
  const input = typeof payload === 'string' ? parseMarketText(payload, context) : parseMarketValue(payload, context);
  if (input.items.length === 0 && streamed === null) throw noneValid(input);
  return { ...input, ...(batchId === undefined ? {} : { batchId }), ...(position === undefined ? {} : { position }) };
}

function noneValid(input: MarketDataInput): EngineError {
  const first = input.rejected[0];
  if (!first) return new EngineError('ValueError', 'market_data must have at least one tick');
  const details = input.rejected.slice(0, limits.errorDetails).map(({ index: _index, ...detail }) => detail);
  return new EngineError('ValueError', `${first.path} ${first.message}`, { details });
}

/**
 * What all nodes of one engine share: which signals their own messages caused. A bar that a clock closes makes a signal
 * of no message; the strategy's node sends that one too, and to do so it must tell it from the others.
 */
class NodeMarket {
  private readonly engine: LiveEngine;
  private underWay = 0;
  private readonly caused = new Set<string>();
  private readonly arriving = new Set<Promise<unknown>>();

  constructor(engine: LiveEngine) {
    this.engine = engine;
  }

  /** A strategy that is being registered by its node: market data that comes meanwhile waits for it. */
  async arrive<T>(registered: Promise<T>): Promise<T> {
    this.arriving.add(registered);
    try {
      return await registered;
    } finally {
      this.arriving.delete(registered);
    }
  }

  async process(input: MarketDataInput): Promise<MarketDataResult> {
    // Else the first messages after a deploy would pass by strategies that stand on the canvas.
    if (this.arriving.size > 0) await Promise.allSettled(this.arriving);
    this.underWay++;
    try {
      const result = await this.engine.processMarketData(input);
      for (const { signalId } of result.signals) this.remember(signalId);
      return result;
    } finally {
      this.underWay--;
    }
  }

  private remember(signalId: string): void {
    this.caused.add(signalId);
    if (this.caused.size <= limits.nodeDecisions) return;
    const oldest = this.caused.values().next().value;
    if (oldest !== undefined) this.caused.delete(oldest);
  }

  /** Signals that no message of a node caused. */
  onLoose(listener: (signal: Signal) => void): () => void {
    let stopped = false;
    const settle = (signal: Signal): void => {
      if (stopped) return;
      if (this.underWay > 0) setTimeout(settle, 1, signal);
      else if (!this.caused.has(signal.signalId)) listener(signal);
    };
    const stop = this.engine.on('signal', (signal) => void setImmediate(settle, signal));
    return () => {
      stopped = true;
      stop();
    };
  }
}

const markets = new WeakMap<LiveEngine, NodeMarket>();

/** The one of that engine. */
export function marketOf(engine: LiveEngine): NodeMarket {
  const known = markets.get(engine);
  if (known) return known;
  const made = new NodeMarket(engine);
  markets.set(engine, made);
  return made;
}

/** One message a signal; numbered when there are several. */
export function signalMessages(
  msg: Message,
  signals: readonly Signal[],
  format: 'object' | 'text',
): readonly Message[] {
  const messages = signals.map((signal) =>
    offshoot(msg, format === 'text' ? signalText(signal) : signalToWire(signal), {
      topic: signal.symbol,
      strategy_id: signal.strategyId,
      signal_id: signal.signalId,
    }),
  );
  return sequence(messages, String(msg._msgid ?? ''));
}

/** Which decisions leave a node: none, changes of reason, or all that the engine keeps. */
export class DecisionPort {
  private readonly mode: 'off' | 'changes' | 'all';
  private readonly last = new Map<string, string>();

  constructor(mode: 'off' | 'changes' | 'all') {
    this.mode = mode;
  }

  messages(msg: Message, decisions: readonly Decision[]): readonly Message[] {
    if (this.mode === 'off') return [];
    const wanted = this.mode === 'all' ? decisions : decisions.filter((decision) => this.isChange(decision));
    const messages = wanted.map((decision) =>
      offshoot(msg, decisionToWire(decision), { topic: decision.symbol, strategy_id: decision.strategyId }),
    );
    return sequence(messages, String(msg._msgid ?? ''));
  }

  private isChange({ strategyId, symbol, code }: Decision): boolean {
    const key = `${strategyId} ${symbol}`;
    const before = this.last.get(key);
    if (before === undefined && this.last.size >= limits.nodeDecisions) this.last.clear();
    this.last.set(key, code);
    return before !== code || code === 'signal';
  }
}
