/**
 * The library: the verbs of an engine with the contract's bodies in camelCase. Every call goes through the one table of
 * endpoints, so what HTTP checks, names and answers is checked, named and answered here too; failures are thrown.
 */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { systemClock } from './adapters/system/clock';
import { type EngineOptions, openEngine } from './compose';
import { EngineError, valueError } from './core/domain/errors';
import type { FeedPosition } from './core/domain/tick';
import type { CommonParameters, StateShape, StrategyDefinition } from './core/strategies/strategy';
import type { Engine as LiveEngine } from './live/engine-api';
import { fromWire, inputToWire } from './wire/case';
import type { WireRequest } from './wire/endpoint';
import { endpoints } from './wire/endpoints';
import { adaptationToWire, alertToWire, decisionToWire, fillToWire, gapToWire, positionToWire } from './wire/events';
import { parseMarketValue } from './wire/market-data';
import { receivedOf } from './wire/problems';
import { marketResultToWire } from './wire/routes/market';
import type * as responses from './wire/schemas/responses';
import { signalToWire } from './wire/signal';
import { parseTimestamp } from './wire/time';

type CamelName<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<CamelName<B>>}` : S;
/** A body of the contract with camelCase names at every depth. */
export type Camel<T> = T extends readonly (infer E)[]
  ? Camel<E>[]
  : T extends object
    ? { [K in keyof T as K extends string ? CamelName<K> : K]: Camel<T[K]> }
    : T;
type Body<T extends z.ZodType> = Camel<z.output<T>>;

export type Signal = Body<typeof responses.signalResponse>;
export type MarketDataResult = Body<typeof responses.marketDataResponse>;

/** Fields of a body; numbers as text are accepted where the contract accepts them. */
type Fields = Readonly<Record<string, unknown>>;

export interface MarketDataOptions {
  /** Source of ticks that name none; default `library`. */
  readonly source?: string;
  /** `ordered` for history read in order (lateness 0, time never told by the clock); default `live`. */
  readonly door?: 'live' | 'ordered';
  /** A batch with an id is evaluated once. */
  readonly batchId?: string;
  /** Where the batch stands in a feed that can be read again: rows already taken are skipped. */
  readonly position?: FeedPosition;
}

export interface EngineEvents {
  readonly signal: Signal;
  readonly decision: Fields;
  readonly alert: Fields;
  readonly adaptation: Fields;
  readonly health: {
    readonly component: string;
    readonly health: string;
    readonly message: string;
    readonly since: string;
  };
  readonly gap: Fields;
  readonly fill: Fields;
}

/** An engine in this process. All bodies are the contract's, in camelCase; failures are thrown as `EngineError`. */
export interface Engine {
  /** A tick or bar, an array of them, or `{ marketData }`. */
  processMarketData(input: unknown, options?: MarketDataOptions): Promise<MarketDataResult>;
  /** Tells the time: bars that end by `timestampMs` close. */
  advance(timestampMs: number): Promise<MarketDataResult>;
  register(body: Fields): Promise<Body<typeof responses.registerResponse>>;
  update(strategyId: string, body: Fields): Promise<Body<typeof responses.updateResponse>>;
  archive(strategyId: string): Promise<Body<typeof responses.archiveResponse>>;
  strategies(query?: Fields): Promise<Body<typeof responses.strategiesResponse>>;
  strategy(strategyId: string): Promise<Body<typeof responses.strategyResponse>>;
  types(): Promise<Body<typeof responses.typesResponse>>;
  versions(strategyId: string, query?: Fields): Promise<Body<typeof responses.versionsResponse>>;
  rollback(strategyId: string, version: number): Promise<Body<typeof responses.updateResponse>>;
  decisions(strategyId: string, query?: Fields): Promise<Body<typeof responses.decisionsResponse>>;
  /** `{ strategyId, executionResult }`. */
  track(body: Fields): Promise<Body<typeof responses.trackResponse>>;
  /** One strategy's performance, or with `null` all together. */
  performance(strategyId: string | null, query?: Fields): Promise<Body<typeof responses.performanceResponse>>;
  position(strategyId: string, symbol: string): Fields | null;
  positions(): readonly Fields[];
  forceAdaptation(body: Fields): Promise<Body<typeof responses.forceAdaptationResponse>>;
  insights(query?: Fields): Promise<Body<typeof responses.insightsResponse>>;
  adaptations(query?: Fields): Promise<Body<typeof responses.adaptationsResponse>>;
  revert(adaptationId: string): Promise<Body<typeof responses.revertResponse>>;
  freeze(body?: Fields): Promise<Body<typeof responses.freezeResponse>>;
  summary(): Promise<Body<typeof responses.summaryResponse>>;
  /** Adds a strategy type of your own. To have its state restored exactly, hand it to `createEngine` instead. */
  define<P extends CommonParameters, S extends StateShape>(definition: StrategyDefinition<P, S>): void;
  on<K extends keyof EngineEvents>(kind: K, listener: (event: EngineEvents[K]) => void): () => void;
  /** Last row taken of a feed that can be read again; 0 before the first. */
  feedRow(feed: string): number;
  /**
   * Told when feeds went back, because a store in Redis lost what it had acknowledged: whoever feeds rows goes on behind
   * `feedRow`. Answers the function that stops listening.
   */
  onRewind(listener: () => void): () => void;
  snapshot(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an engine; opening is recovering what its store holds.
 * @throws EngineError `ConnectionError` when the store is held by another process or cannot be opened.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  return libraryOf(await openEngine(options), options);
}

/** Names under which keys are data (ids, codes, currencies), not field names. */
const dataKeyed: ReadonlySet<string> = new Set(['members', 'components', 'outcomes', 'totals', 'groups']);
const byId: ReadonlySet<string> = new Set([...dataKeyed, 'new_parameters']);

function inCamel<T>(body: unknown): T {
  const adaptations = (body as { readonly adaptations?: readonly unknown[] }).adaptations;
  const several = adaptations !== undefined && adaptations.length !== 1;
  return fromWire(body, several ? byId : dataKeyed) as T;
}

function pathInCamel(path: string): string {
  return path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The same error with the names that its reader wrote. */
function errorInCamel(thrown: unknown): unknown {
  if (!(thrown instanceof EngineError) || thrown.details.length === 0) return thrown;
  const { code, message, httpStatus, cause } = thrown;
  const details = thrown.details.map((detail) => ({ ...detail, path: pathInCamel(detail.path) }));
  const [first] = thrown.details;
  const names = first !== undefined && first.path !== '' && message.startsWith(`${first.path} `);
  const told = names ? pathInCamel(first.path) + message.slice(first.path.length) : message;
  return new EngineError(code, told, { details, httpStatus, ...(cause === undefined ? {} : { cause }) });
}

const byOperation = new Map(endpoints.map((endpoint) => [endpoint.operationId, endpoint]));

/** The library's face of a living engine. */
export function libraryOf(engine: LiveEngine, options: Pick<EngineOptions, 'clock'> = {}): Engine {
  const clock = options.clock ?? systemClock;

  async function call<T>(operationId: string, request: Partial<WireRequest> = {}): Promise<T> {
    const endpoint = byOperation.get(operationId);
    if (endpoint === undefined) throw new EngineError('InternalError', `no operation ${operationId}`);
    const own = { nowMs: clock.nowMs(), requestId: randomUUID(), actor: 'library', source: 'library' };
    try {
      return inCamel<T>(await endpoint.call(engine, { ...own, ...request }));
    } catch (thrown) {
      throw errorInCamel(thrown);
    }
  }
  const body = (fields: Fields = {}) => ({ body: inputToWire(fields) });
  const query = (fields: Fields = {}) => ({ query: inputToWire(fields) as Fields });
  const of = (id: string) => ({ params: { id } });

  return {
    async processMarketData(input, given = {}) {
      const { source = 'library', door = 'live', ...rest } = given;
      const context = { arrivalMs: clock.nowMs(), source, door, ...engine.marketRules };
      try {
        const parsed = parseMarketValue(inputToWire(input), context);
        const { rejected, ...result } = await engine.processMarketData({ ...parsed, ...rest });
        const named = rejected.map((one) => ({ ...one, path: pathInCamel(one.path) }));
        return inCamel(marketResultToWire({ ...result, rejected: named }));
      } catch (thrown) {
        throw errorInCamel(thrown);
      }
    },
    async advance(timestampMs) {
      const time = parseTimestamp(timestampMs);
      if ('error' in time) throw valueError('timestampMs', time.error, receivedOf(timestampMs));
      return inCamel(marketResultToWire(await engine.advance(time.ms)));
    },
    register: (fields) => call('registerStrategy', body(fields)),
    update: (id, fields) => call('updateStrategy', { ...of(id), ...body(fields) }),
    archive: (id) => call('archiveStrategy', of(id)),
    strategies: (fields) => call('listStrategies', query(fields)),
    strategy: (id) => call('getStrategy', of(id)),
    types: () => call('strategyTypes'),
    versions: (id, fields) => call('strategyVersions', { ...of(id), ...query(fields) }),
    rollback: (id, version) => call('rollbackStrategy', { ...of(id), ...body({ version }) }),
    decisions: (id, fields) => call('strategyDecisions', { ...of(id), ...query(fields) }),
    track: (fields) => call('trackPerformance', body(fields)),
    performance: (id, fields) =>
      id === null
        ? call('totalPerformance', query(fields))
        : call('strategyPerformance', { ...of(id), ...query(fields) }),
    position(strategyId, symbol) {
      const position = engine.position(strategyId, symbol);
      return position === null ? null : (fromWire(positionToWire(position)) as Fields);
    },
    positions: () => engine.positions().map((position) => fromWire(positionToWire(position)) as Fields),
    forceAdaptation: (fields) => call('forceAdaptation', body(fields)),
    insights: (fields) => call('insights', query(fields)),
    adaptations: (fields) => call('listAdaptations', query(fields)),
    revert: (id) => call('revertAdaptation', of(id)),
    freeze: (fields) => call('freezeLearning', body(fields)),
    summary: () => call('summary'),
    define: (definition) => engine.define(definition as StrategyDefinition<never, never>),
    on: (kind, listener) => listen(engine, kind, listener),
    feedRow: (feed) => engine.feedRow(feed),
    onRewind: (listener) => engine.onRewind(listener),
    snapshot: () => engine.snapshot(),
    close: () => engine.close(),
  };
}

const eventKinds = ['signal', 'decision', 'alert', 'adaptation', 'health', 'gap', 'fill'];

function listen<K extends keyof EngineEvents>(
  engine: LiveEngine,
  kind: K,
  listener: (event: EngineEvents[K]) => void,
): () => void {
  const tell = (event: unknown) => listener(inCamel(event));
  switch (kind) {
    case 'signal':
      return engine.on('signal', (signal) => tell(signalToWire(signal)));
    case 'decision':
      return engine.on('decision', (decision) => tell(decisionToWire(decision)));
    case 'alert':
      return engine.on('alert', (alert) => tell(alertToWire(alert)));
    case 'adaptation':
      return engine.on('adaptation', (adaptation) => tell(adaptationToWire(adaptation)));
    case 'gap':
      return engine.on('gap', (gap) => tell(gapToWire(gap)));
    case 'fill':
      return engine.on('fill', (fill) => tell(fillToWire(fill)));
    case 'health':
      return engine.on('health', tell);
    default:
      throw valueError('kind', `must be one of ${eventKinds.join(', ')}`, receivedOf(kind));
  }
}
