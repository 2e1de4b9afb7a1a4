/** An engine that lives, as the library, the nodes and the HTTP API hold it. */
import type { AdaptationView } from '../core/domain/bodies';
import type { Decision } from '../core/domain/decision';
import type { Fill } from '../core/domain/fill';
import type { Signal } from '../core/domain/signal';
import type { Alert, ComponentHealth } from '../core/domain/summary';
import type { AssetType } from '../core/domain/tick';
import type { EngineVerbs } from '../core/domain/verbs';
import type { StrategyDefinition } from '../core/strategies/strategy';
import type { FeedLag, Gap, Role } from './ports';

export interface EngineEvents {
  readonly signal: Signal;
  readonly decision: Decision;
  readonly alert: Alert;
  readonly adaptation: AdaptationView;
  readonly health: { readonly component: string } & ComponentHealth;
  readonly gap: Gap;
  readonly fill: Fill;
}

/** Reported by a door (HTTP server, feed) so that its state stands in the summary. */
export interface DoorReport {
  readonly component: string;
  readonly health: 'up' | 'degraded' | 'down';
  readonly message: string;
}

export interface Engine extends EngineVerbs {
  readonly name: string;
  /** Settings of single symbols that a door must know. */
  readonly marketRules: { assetTypeOf(symbol: string): AssetType };
  /** Everything of the engine, once, whichever door it came through. Answers the function that stops listening. */
  on<K extends keyof EngineEvents>(kind: K, listener: (event: EngineEvents[K]) => void): () => void;
  /**
   * Signals of the last records before a crash, still valid; empty soon after the start. For doors that hand signals on
   * later than they hear them, so that what waited in them then is not lost: it may come twice, with the same id.
   */
  recent(): readonly Signal[];
  /**
   * The bounded intake of a pushing door: one raw message as it came (JSON text). Never throws, never blocks; overload
   * conflates. What is refused goes to `onRejected` listeners, counted.
   */
  intake(text: string, origin: { readonly source: string; readonly arrivalMs: number }): void;
  /** Last row of a feed that is on the tape; 0 when none: a file goes on from there after a restart. */
  feedRow(feed: string): number;
  /** Id of the last entry of a stream that is on the tape; empty when none. */
  feedEntry(feed: string): string;
  /**
   * Id of the last entry of a stream that is stored: evaluated, and on the disk; empty when that cannot be said now.
   * `isRefused`: an entry could not be taken, and nothing after it is until it is handed over again.
   */
  feedStored(feed: string): Promise<{ readonly entry: string; readonly isRefused: boolean }>;
  /** Whether this process speaks for the engine, or stands by: warm, and silent. */
  role(): Role;
  /** Told of every change of role. Answers the function that stops listening. */
  onRole(listener: (role: Role) => void): () => void;
  /**
   * Told when what was taken of feeds is not known any more, because the store has lost it: they go on from `feedEntry` and
   * `feedRow`, which went back. Answers the function that stops listening.
   */
  onRewind(listener: () => void): () => void;
  /** Adds a strategy type of the user's own; strategies registered with it earlier start now. Throws a `ValueError`. */
  define(definition: StrategyDefinition): void;
  report(door: DoorReport): void;
  /** A door that closed is no component any more. */
  forget(component: string): void;
  reportGap(gap: Gap): void;
  /** How far the input that reports as `component` is behind, until it is forgotten. */
  reportLag(component: string, lag: FeedLag): void;
  /** Counts one answered request for the error rate (5xx are ours). */
  countRequest(httpStatus: number): void;
  /** Prometheus text. */
  metricsText(): Promise<string>;
  /** Takes a snapshot now. */
  snapshot(): Promise<void>;
  /** Drains, snapshots, closes; at most `limits.closeMs`. Idempotent. */
  close(): Promise<void>;
}
