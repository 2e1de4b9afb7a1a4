/** The registry as a fold of its events: who is registered, in which version, under which number. */
import type { LogEvent, StrategyRegistered, StrategyUpdated } from '../domain/log-event';
import type { StrategyRecord, StrategyVersion } from '../domain/strategy';
import { currentVersion } from '../domain/strategy';

export interface Records {
  readonly byId: Map<string, StrategyRecord>;
  /** Highest number given per type; never reused, archived ones included. */
  readonly numbers: Map<string, number>;
  /** Strategy id by the seq of its registration: what a retried registration is answered with. */
  readonly bySeq: Map<number, string>;
}

export function createRecords(): Records {
  return { byId: new Map(), numbers: new Map(), bySeq: new Map() };
}

/** `trend_following_001`: the type, then the next free number. Skips ids that a user chose by hand. */
export function nextStrategyId(records: Records, type: string): string {
  let number = (records.numbers.get(type) ?? 0) + 1;
  while (records.byId.has(numbered(type, number))) number++;
  return numbered(type, number);
}

function numbered(type: string, number: number): string {
  return `${type}_${String(number).padStart(3, '0')}`;
}

function noteNumber(records: Records, type: string, strategyId: string): void {
  if (!strategyId.startsWith(`${type}_`)) return;
  const tail = strategyId.slice(type.length + 1);
  if (!/^[0-9]{3,9}$/.test(tail)) return;
  records.numbers.set(type, Math.max(records.numbers.get(type) ?? 0, Number(tail)));
}

/** Folds an event that concerns a strategy's registration; answers its record, or `null` for any other event. */
export function foldRecord(records: Records, event: LogEvent): StrategyRecord | null {
  if (event.type === 'strategy_registered') return registered(records, event, event.data);
  const strategyId = 'strategyId' in event.data ? event.data.strategyId : null;
  const known = strategyId === null ? undefined : records.byId.get(strategyId);
  if (!known) return null;
  const changed = change(known, event);
  if (changed) records.byId.set(known.strategyId, changed);
  return changed;
}

function registered(records: Records, event: LogEvent, data: StrategyRegistered): StrategyRecord {
  const record: StrategyRecord = {
    strategyId: data.strategyId,
    strategyType: data.strategyType,
    registeredMs: event.atMs,
    capital: data.capital,
    allowShort: data.allowShort,
    archived: false,
    versions: [versionOf(data, 1, event)],
  };
  records.byId.set(data.strategyId, record);
  records.bySeq.set(event.seq, data.strategyId);
  noteNumber(records, data.strategyType, data.strategyId);
  return record;
}

function change(record: StrategyRecord, event: LogEvent): StrategyRecord | null {
  if (event.type === 'strategy_archived') return { ...record, archived: true };
  if (event.type === 'strategy_updated') return withVersion(record, versionOf(event.data, nextVersion(record), event));
  if (event.type !== 'adaptation') return null;
  const last = currentVersion(record);
  const parameters = { ...last.parameters, ...event.data.to };
  const actor = `adaptation:${event.data.adaptationId}`;
  return withVersion(record, { ...last, version: nextVersion(record), parameters, atMs: event.atMs, actor });
}

function nextVersion(record: StrategyRecord): number {
  return currentVersion(record).version + 1;
}

function withVersion(record: StrategyRecord, version: StrategyVersion): StrategyRecord {
  return { ...record, versions: [...record.versions, version] };
}

function versionOf(data: StrategyUpdated, version: number, event: LogEvent): StrategyVersion {
  return {
    version,
    parameters: data.parameters,
    symbols: data.symbols,
    assetTypes: data.assetTypes,
    timeframe: data.timeframe,
    name: data.name,
    state: data.state,
    atMs: event.atMs,
    actor: event.actor,
  };
}
