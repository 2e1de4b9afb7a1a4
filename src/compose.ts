/** Puts an engine together: picks the adapters, hands them to live. The only file that knows them all. */

import { randomBytes } from 'node:crypto';
import { createMetrics } from './adapters/http/metrics';
import { createRedisOutput } from './adapters/redis/output';
import { createPubSubFeed } from './adapters/redis/pubsub-feed';
import { createStreamFeed } from './adapters/redis/stream-feed';
import { systemClock } from './adapters/system/clock';
import { createConsoleLogger } from './adapters/system/console-logger';
import { createLoopLag } from './adapters/system/loop-lag';
import type { CoreOptions } from './core/create';
import type { MarketDataInput } from './core/domain/bodies';
import type { AssetType, Tick } from './core/domain/tick';
import type { StrategyDefinition } from './core/strategies/strategy';
import { checkedOptions } from './engine-options';
import { openLive } from './live/engine';
import type { Engine } from './live/engine-api';
import { attachFeed } from './live/feed';
import type { Clock, IntakeOrigin, Logger, Metrics, Output } from './live/ports';
import { attachStream } from './live/stream-input';
import { type OpenedStore, openStore } from './open-store';
import { dropUndefined } from './wire/defined';
import { parseMarketText, parseOneTick } from './wire/market-data';
import { signalToWire } from './wire/signal';

export type StoreOptions =
  | { readonly kind: 'memory' }
  | { readonly kind: 'embedded'; readonly path: string }
  /**
   * Several processes may open one engine: one leads, the others stand by. `path` is a folder of this process alone, in
   * which its tape lies, and the last events in case that Redis dies with it; without one the tape is in memory, and a
   * kill loses the market since the last snapshot.
   */
  | { readonly kind: 'redis'; readonly url: string; readonly path?: string };

export interface RedisDoors {
  readonly url: string;
  /** Channel to subscribe to; `null` subscribes to nothing. Default `strategy_engine_input`. */
  readonly inputChannel?: string | null;
  /** Stream to read, each entry once and in order; `null` reads none, which is the default. */
  readonly inputStream?: string | null;
  /** Consumer group of the stream; default `strategy_engine`. */
  readonly group?: string;
  /** Reads `<inputStream>:<partition>` and `<inputChannel>:<partition>` instead: the engine has a part of the symbols. */
  readonly partition?: number;
  /** Entries that trimming leaves in the stream; default `limits.inputStreamEntries`. */
  readonly inputStreamEntries?: number;
  /** Channel that signals are published on; `null` publishes nothing. Default `strategy_engine_output`. */
  readonly outputChannel?: string | null;
  /** Default `strategy_engine:signals`; on a cluster it lies in the engine's slot: `strategy_engine:{NAME}:signals`. */
  readonly signalStream?: string;
  /** Default `strategy_engine:rejected`; on a cluster `strategy_engine:{NAME}:rejected`. */
  readonly rejectedStream?: string;
  /**
   * Sharded channels (Redis 7): on a cluster a message then goes to the nodes of its channel's slot only, and signals are
   * published on `strategy_engine_output:{NAME}`. Publishers and subscribers use SPUBLISH and SSUBSCRIBE. Default false.
   */
  readonly sharded?: boolean;
}

export interface EngineOptions {
  /** Names the engine in its store, its Redis keys and its summary. */
  readonly name: string;
  readonly store: StoreOptions;
  /** Redis as a door: ticks in, signals out. */
  readonly redis?: RedisDoors;
  readonly capital?: number;
  readonly accountCurrency?: string;
  readonly risk?: CoreOptions['risk'];
  readonly marketData?: CoreOptions['policies'] & { readonly assetTypes?: Readonly<Record<string, AssetType>> };
  /** Types of the user's own, known before anything is recovered: their state is restored exactly. */
  readonly strategies?: readonly StrategyDefinition[];
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Seeds what is random at the edges (retry jitter); the core has no randomness. */
  readonly seed?: number;
}

/** Opens an engine for a door (HTTP server, nodes). Rejects with an EngineError that says what could not be opened. */
export async function openEngine(given: EngineOptions): Promise<Engine> {
  const options = checkedOptions(given);
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? createConsoleLogger({ clock });
  const random = jitter(options.seed);
  const metrics = createMetrics();
  const edges = { clock, logger, random, metrics };
  const store = await openStore({ ...options, ...edges });
  const lag = createLoopLag();
  const outputs: Output[] = [];
  try {
    outputs.push(...outputsOf(options, store, edges));
    const engine = await openLive({
      name: options.name,
      core: coreOptions(options),
      ...store,
      outputs,
      clock,
      logger,
      metrics,
      lag,
      parse: parseIntake,
      tickOf: tickOfIntake,
      closing: [() => store.close(), async () => lag.close()],
    });
    return await withInput(engine, options, edges);
  } catch (error) {
    lag.close();
    await Promise.allSettled([...outputs.map((output) => output.close()), store.tape.close(), store.close()]);
    throw error;
  }
}

function coreOptions(options: EngineOptions): CoreOptions {
  const { assetTypes, ...policies } = options.marketData ?? {};
  return {
    policies,
    ...(options.risk === undefined ? {} : { risk: options.risk }),
    ...(options.capital === undefined ? {} : { capital: options.capital }),
    ...(options.accountCurrency === undefined ? {} : { currency: options.accountCurrency }),
    ...(options.strategies === undefined ? {} : { definitions: options.strategies }),
    assetTypes: new Map(Object.entries(assetTypes ?? {})),
  };
}

/** Reconnections of that connection, from 0 on. */
function counted(metrics: Metrics, connection: string): () => void {
  metrics.count('reconnects', connection, 0);
  return () => metrics.count('reconnects', connection);
}

/** What every connection is handed. */
interface Edges {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly metrics: Metrics;
}

function outputsOf(options: EngineOptions, { fence }: OpenedStore, { metrics, ...edges }: Edges): Output[] {
  const { redis } = options;
  if (redis === undefined || redis.outputChannel === null) return [];
  return [
    createRedisOutput({
      url: redis.url,
      engineName: options.name,
      ...dropUndefined({
        channel: redis.outputChannel,
        stream: redis.signalStream,
        rejectedStream: redis.rejectedStream,
        sharded: redis.sharded,
      }),
      // The lease lies in the store's Redis; in another one it could not be asked for.
      ...(fence !== undefined && options.store.kind === 'redis' && options.store.url === redis.url ? { fence } : {}),
      ...edges,
      onReconnect: counted(metrics, 'output'),
      encode: (signal) => JSON.stringify(signalToWire(signal)),
    }),
  ];
}

async function withInput(engine: Engine, options: EngineOptions, { metrics, ...edges }: Edges): Promise<Engine> {
  const { redis } = options;
  if (redis === undefined) return engine;
  const detaching: (() => Promise<void>)[] = [];
  const onReconnect = counted(metrics, 'input');
  if (redis.inputChannel !== null) {
    const { inputChannel: channel, partition, sharded } = redis;
    const named = dropUndefined({ channel, partition, sharded });
    const feed = createPubSubFeed({ url: redis.url, ...named, ...edges, onReconnect });
    detaching.push(await attachFeed(engine, feed));
  }
  if (redis.inputStream) {
    const feed = createStreamFeed({ ...streamOptions(redis, options.name), ...edges, onReconnect });
    detaching.push(await attachStream({ engine, feed, parse: entryParser(redis), logger: edges.logger }));
  }
  if (detaching.length === 0) return engine;
  return {
    ...engine,
    async close() {
      await Promise.all(detaching.map((detach) => detach()));
      await engine.close();
    },
  };
}

function streamOptions({ url, inputStream, group, partition, inputStreamEntries, ...rest }: RedisDoors, name: string) {
  return {
    url,
    consumer: name,
    ...dropUndefined({
      stream: inputStream ?? undefined,
      group,
      partition,
      keepEntries: inputStreamEntries,
      rejectedStream: rest.rejectedStream,
    }),
  };
}

/** A pushing door's message: live, and of any asset type. */
function parseIntake(text: string, { source, arrivalMs }: IntakeOrigin): MarketDataInput {
  return parseMarketText(text, { source, arrivalMs, door: 'live' });
}

/**
 * An entry of a stream: in order, and read again it is the same. The partitions of a stream are one source: a symbol that
 * moves from one to another goes on as it was.
 */
function entryParser({ inputStream, partition }: RedisDoors) {
  return (text: string, { source, arrivalMs }: IntakeOrigin): MarketDataInput => {
    const whole = partition === undefined ? source : `stream:${inputStream}`;
    return parseMarketText(text, { source: whole, arrivalMs, door: 'ordered' });
  };
}

function tickOfIntake(text: string, { source, arrivalMs }: IntakeOrigin): Tick | null {
  return parseOneTick(text, { source, arrivalMs, door: 'live' });
}

/** Uniform in [0, 1): a 32-bit mixer, so that retries of many clients do not fall together; seeded for tests. */
function jitter(seed = randomBytes(4).readUInt32LE()): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
