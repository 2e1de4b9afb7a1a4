/** How an engine is: its components, its latency, its alerts. Bodies as in `bodies.ts`. */

export type HealthLevel = 'up' | 'degraded' | 'down';

export interface ComponentHealth {
  readonly health: HealthLevel;
  readonly message: string;
  /** ISO 8601 since when. */
  readonly since: string;
}

export interface LatencyView {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly count: number;
}

export interface Summary {
  readonly systemHealth: 'excellent' | 'good' | 'degraded' | 'critical';
  readonly activeStrategies: number;
  /** Overall success rate 0–1; `null` without executions. */
  readonly totalPerformance: number | null;
  readonly totalPnl: number | null;
  readonly lastUpdate: string;
  readonly uptimeS: number;
  readonly components: ReadonlyMap<string, ComponentHealth>;
  readonly durability: string;
  readonly role: 'leader' | 'standby';
  readonly throughput: {
    readonly ticksTotal: number;
    readonly ticksPerS: number;
    readonly signalsTotal: number;
    readonly executionsTotal: number;
    /** Every tick's outcome, by name; their sum is `ticksTotal`. */
    readonly outcomes: ReadonlyMap<string, number>;
  };
  readonly latencyMs: ReadonlyMap<string, LatencyView>;
  readonly errorRate: number;
}

export interface Alert {
  readonly alertId: string;
  readonly code: string;
  readonly level: 'info' | 'warning' | 'critical';
  readonly message: string;
  readonly component: string;
  /** When it was raised. */
  readonly timestampMs: number;
  /** True when it says that something is over. */
  readonly recovered: boolean;
  /** How often it happened; told again, under the same id, at most once per `limits.alertWindowMs`. */
  readonly count: number;
  /** When it happened last. */
  readonly lastMs: number;
  /** Since when it is so; of a recovery, since when it was not well. */
  readonly sinceMs: number;
  /** Of a recovery: how long it was not well. */
  readonly durationMs?: number;
}
