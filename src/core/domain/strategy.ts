import type { AssetType } from './tick';

export type StrategyState = 'active' | 'paused' | 'shadow';

/** Parameter values by name; names are camelCase here, snake_case on the wire. */
export type Parameters = Readonly<Record<string, unknown>>;

/** What a version of a strategy is made of; every change makes a new one. */
export interface StrategyVersion {
  readonly version: number;
  readonly parameters: Parameters;
  /** Empty = all. */
  readonly symbols: readonly string[];
  /** Empty = all. */
  readonly assetTypes: readonly AssetType[];
  readonly timeframe: string;
  readonly name: string;
  readonly state: StrategyState;
  readonly atMs: number;
  /** Who made it: `api`, `node:<id>`, `library`, `adaptation:<id>`, `rollback`. */
  readonly actor: string;
}

/** A registered strategy: a fold of its events in the log. */
export interface StrategyRecord {
  readonly strategyId: string;
  readonly strategyType: string;
  readonly registeredMs: number;
  readonly capital: number | null;
  readonly allowShort: boolean;
  readonly archived: boolean;
  /** Oldest first; the last one is current. */
  readonly versions: readonly StrategyVersion[];
}

/** The version in force. */
export function currentVersion(record: StrategyRecord): StrategyVersion {
  return record.versions[record.versions.length - 1] as StrategyVersion;
}
