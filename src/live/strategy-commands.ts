/** Registering, changing, archiving strategies: each an event of the log, idempotent where a caller may retry. */
import { randomUUID } from 'node:crypto';
import type { RegisterInput, RegisterResult, UpdateInput, UpdateResult } from '../core/domain/bodies';
import { EngineError, notFound, valueError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import type { NewEvent, StrategyRegistered, StrategyUpdated } from '../core/domain/log-event';
import { currentVersion, type StrategyRecord, type StrategyVersion } from '../core/domain/strategy';
import type { BarInput } from '../core/domain/tick';
import { timeframeOf } from '../core/domain/timeframe';
import type { CoreState } from '../core/state';
import { nextStrategyId } from '../core/strategies/records';
import { mergeParameters, parseParameters } from '../core/strategies/registry';
import { type Appender, contentHash } from './append';
import type { Clock } from './ports';

const strategyIdPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** How often a lost race for a number or a version is run again. */
const attempts = 16;

export interface StrategyCommands {
  register(input: RegisterInput): Promise<RegisterResult>;
  update(strategyId: string, input: UpdateInput): Promise<UpdateResult>;
  archive(strategyId: string, actor?: string): Promise<{ readonly strategyId: string; readonly archived: true }>;
  rollback(strategyId: string, version: number, actor?: string): Promise<UpdateResult>;
}

/** The record, archived ones included. Throws `NotFoundError`. */
export function requireRecord(core: CoreState, strategyId: string): StrategyRecord {
  const record = core.records.byId.get(strategyId);
  if (record === undefined) throw notFound('strategy', strategyId);
  return record;
}

export const aggregateOf = (strategyId: string) => `strategy:${strategyId}`;

export function createStrategyCommands(core: CoreState, appender: Appender, clock: Clock): StrategyCommands {
  return {
    register: (input) => register(core, appender, clock, input),
    update: (strategyId, input) => update(core, appender, clock, strategyId, input),
    async archive(strategyId, actor = 'library') {
      const record = requireRecord(core, strategyId);
      if (record.archived) return { strategyId, archived: true };
      const base = eventBase(clock, actor, `archive:${strategyId}`, null);
      await appender.append({
        ...base,
        type: 'strategy_archived',
        aggregate: aggregateOf(strategyId),
        expectedVersion: null,
        data: { strategyId },
      });
      return { strategyId, archived: true };
    },
    async rollback(strategyId, version, actor) {
      const record = requireRecord(core, strategyId);
      const target = record.versions.find((one) => one.version === version);
      if (target === undefined) throw notFound(`version of ${strategyId}`, String(version));
      const { parameters, symbols, assetTypes, timeframe, name, state } = target;
      const content: StrategyUpdated = { strategyId, parameters, symbols, assetTypes, timeframe, name, state };
      return write(core, appender, clock, record, content, actor ?? 'rollback', []);
    },
  };
}

function eventBase(clock: Clock, actor: string, id: string, content: unknown) {
  return { id, contentHash: contentHash(content), v: 1 as const, atMs: clock.nowMs(), actor };
}

async function register(
  core: CoreState,
  appender: Appender,
  clock: Clock,
  input: RegisterInput,
): Promise<RegisterResult> {
  const { data, warnings } = registration(core, input);
  const { idempotencyKey: _key, actor, ...sent } = input;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const strategyId = input.strategyId ?? nextStrategyId(core.records, input.strategyType);
    const again = input.strategyId === undefined ? undefined : core.records.byId.get(input.strategyId);
    if (again?.archived) throw taken('strategy_id', strategyId, 'is archived, and its id is not used again');
    const id = eventId(input);
    const event: NewEvent = {
      ...eventBase(clock, actor ?? 'library', id, sent),
      type: 'strategy_registered',
      aggregate: aggregateOf(strategyId),
      expectedVersion: 0,
      data: { ...data, strategyId, name: input.name ?? strategyId },
    };
    const outcome = await appender.append(event);
    if (outcome.kind === 'applied') return registered(core, strategyId, warnings);
    if (outcome.kind === 'duplicate') {
      if (!outcome.sameContent) throw reused(input, strategyId);
      return registered(core, strategyBySeq(core, outcome.seq, strategyId), warnings);
    }
    if (input.strategyId !== undefined) throw reused(input, strategyId);
  }
  throw new EngineError('ConflictError', 'too many strategies are being registered at once; try again');
}

/** A chosen id says what is the same registration, whichever key each try came with; else the key does. */
function eventId(input: RegisterInput): string {
  if (input.strategyId !== undefined) return `register:id:${input.strategyId}`;
  if (input.idempotencyKey !== undefined) return `register:key:${input.idempotencyKey}`;
  return `register:${randomUUID()}`;
}

function strategyBySeq(core: CoreState, seq: number, fallback: string): string {
  return core.records.bySeq.get(seq) ?? fallback;
}

function reused({ strategyId: asked, idempotencyKey }: RegisterInput, strategyId: string): EngineError {
  const path = asked === undefined ? 'Idempotency-Key' : 'strategy_id';
  return taken(path, asked ?? idempotencyKey ?? strategyId, 'is in use with another content');
}

function taken(path: string, id: string, message: string): EngineError {
  return new EngineError('ConflictError', `"${id}" ${message}`, { details: [{ path, message, received: id }] });
}

function registered(core: CoreState, strategyId: string, warnings: readonly string[]): RegisterResult {
  const record = requireRecord(core, strategyId);
  const registrationTime = new Date(record.registeredMs).toISOString();
  return { strategyId, registrationTime, version: currentVersion(record).version, warnings };
}

function registration(core: CoreState, input: RegisterInput) {
  const definition = core.registry.require(input.strategyType);
  if (input.strategyId !== undefined && !strategyIdPattern.test(input.strategyId)) {
    throw valueError('strategy_id', `must match ${strategyIdPattern.source}`, input.strategyId);
  }
  const active = [...core.records.byId.values()].filter((record) => !record.archived).length;
  if (active >= limits.strategies) {
    throw valueError('strategy_type', `cannot be registered: ${limits.strategies} strategies are active already`);
  }
  const { parameters, warnings } = parseParameters(definition, input.parameters ?? {});
  // A type of the user's own that cannot start must fail here: once in the log, it would fail at every start.
  definition.create(parameters);
  const data: StrategyRegistered = {
    strategyId: '',
    strategyType: input.strategyType,
    parameters: { ...parameters },
    symbols: (input.symbols ?? []).map((symbol) => symbol.toUpperCase()),
    assetTypes: input.assetTypes ?? [],
    timeframe: checkedTimeframe(input.timeframe ?? 'auto'),
    name: '',
    state: input.state ?? 'active',
    capital: input.capital ?? null,
    allowShort: input.allowShort ?? true,
    ...(input.history === undefined ? {} : { history: historyBars(input) }),
  };
  return { data, warnings };
}

function historyBars(input: RegisterInput): BarInput[] {
  const bars: BarInput[] = [];
  for (const item of input.history ?? []) if (item.kind === 'bar') bars.push(item);
  return bars.slice(-limits.barHistoryMax);
}

function checkedTimeframe(name: string): string {
  if (name !== 'auto' && timeframeOf(name) === null) {
    throw valueError('timeframe', 'must be auto, or one of 1s 5s 15s 30s 1m … 1d, or a tick count such as 100t', name);
  }
  return name;
}

async function update(
  core: CoreState,
  appender: Appender,
  clock: Clock,
  strategyId: string,
  input: UpdateInput,
): Promise<UpdateResult> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const record = requireRecord(core, strategyId);
    const last = currentVersion(record);
    if (input.expectedVersion !== undefined && input.expectedVersion !== last.version) {
      throw staleVersion(input.expectedVersion, last.version);
    }
    const { content, warnings } = updated(core, record, last, input);
    if (!record.archived && contentHash(content) === contentHash(contentOf(strategyId, last))) {
      return { strategyId, version: last.version, parameters: last.parameters, warnings };
    }
    try {
      return await write(core, appender, clock, record, content, input.actor ?? 'library', warnings);
    } catch (error) {
      const lost = error instanceof EngineError && error.code === 'ConflictError' && !record.archived;
      if (!lost || input.expectedVersion !== undefined) throw error;
    }
  }
  throw new EngineError('ConflictError', `"${strategyId}" is being changed by others; try again`);
}

function contentOf(strategyId: string, version: StrategyVersion): StrategyUpdated {
  const { parameters, symbols, assetTypes, timeframe, name, state } = version;
  return { strategyId, parameters, symbols, assetTypes, timeframe, name, state };
}

function updated(core: CoreState, record: StrategyRecord, last: StrategyVersion, input: UpdateInput) {
  const definition = core.registry.get(record.strategyType);
  if (definition === undefined) throw notFound('strategy type', record.strategyType);
  const { parameters, warnings } = mergeParameters(definition, last.parameters, input.parameters ?? {});
  const content: StrategyUpdated = {
    strategyId: record.strategyId,
    parameters: { ...parameters },
    symbols: input.symbols?.map((symbol) => symbol.toUpperCase()) ?? last.symbols,
    assetTypes: input.assetTypes ?? last.assetTypes,
    timeframe: checkedTimeframe(input.timeframe ?? last.timeframe),
    name: input.name ?? last.name,
    state: input.state ?? last.state,
  };
  return { content, warnings };
}

async function write(
  core: CoreState,
  appender: Appender,
  clock: Clock,
  record: StrategyRecord,
  content: StrategyUpdated,
  actor: string,
  warnings: readonly string[],
): Promise<UpdateResult> {
  const { strategyId } = record;
  if (record.archived) throw new EngineError('ConflictError', `"${strategyId}" is archived and changes no more`);
  const expected = currentVersion(record).version;
  const outcome = await appender.append({
    ...eventBase(clock, actor, `update:${randomUUID()}`, content),
    type: 'strategy_updated',
    aggregate: aggregateOf(strategyId),
    expectedVersion: expected,
    data: content,
  });
  if (outcome.kind === 'conflict') throw staleVersion(expected, outcome.aggregateVersion);
  const now = currentVersion(requireRecord(core, strategyId));
  return { strategyId, version: now.version, parameters: now.parameters, warnings };
}

function staleVersion(expected: number, current: number): EngineError {
  return new EngineError('ConflictError', `version ${expected} is not current: it is ${current}`, {
    details: [{ path: 'expected_version', message: `must be ${current}`, received: expected }],
  });
}
