/**
 * What an operator is told, and how often: the same alert again within a window only counts. It is told once more, with
 * how often it happened, when the window ends; when nothing came, the next one is a new alert.
 */
import type { AlertCode } from '../core/domain/alerts';
import { limits } from '../core/domain/limits';
import type { Alert } from '../core/domain/summary';
import type { Listeners } from './listeners';
import type { Clock, Logger } from './ports';

/** A code of the catalogue, or the state of a component. */
export type RaisedCode = AlertCode | `${string}_${'up' | 'degraded' | 'down'}`;

export interface Raised {
  readonly code: RaisedCode;
  readonly level: Alert['level'];
  readonly component: string;
  readonly message: string;
  readonly recovered?: boolean;
  readonly sinceMs?: number;
  readonly durationMs?: number;
}

export interface Alerts {
  /** Told now, whatever was told before. */
  tell(raised: Raised): void;
  /** Told now, or counted when it was told a moment ago. */
  raise(raised: Raised): void;
  /** One that happened and is not told. */
  count(code: RaisedCode): void;
  /** The alert is over: what was counted since it was told is not told any more. */
  settle(code: RaisedCode, component: string): void;
  /** Tells what is due; from the heartbeat. */
  beat(): void;
  /** The newest first. */
  list(): readonly Alert[];
  /** How often each code happened, told or not. */
  counts(): ReadonlyMap<string, number>;
}

interface Window {
  alert: Alert;
  message: string;
  toldAt: number;
  toldCount: number;
}

export function createAlerts(listeners: Listeners, clock: Clock, logger: Logger): Alerts {
  return new BoundedAlerts(listeners, clock, logger);
}

class BoundedAlerts implements Alerts {
  private readonly listeners: Listeners;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly ring: Alert[] = [];
  private readonly totals = new Map<string, number>();
  private readonly windows = new Map<string, Window>();
  private raised = 0;

  constructor(listeners: Listeners, clock: Clock, logger: Logger) {
    this.listeners = listeners;
    this.clock = clock;
    this.logger = logger;
  }

  tell(raised: Raised): void {
    this.count(raised.code);
    this.out(this.made(raised));
  }

  raise(raised: Raised): void {
    this.count(raised.code);
    const key = keyOf(raised.code, raised.component);
    const open = this.windows.get(key);
    if (open !== undefined && (!this.isOver(open) || this.tellAgain(open))) {
      open.message = raised.message;
      const level = raised.level === 'critical' ? raised.level : open.alert.level;
      open.alert = { ...open.alert, level, count: open.alert.count + 1, lastMs: this.clock.nowMs() };
      this.keep(open.alert);
      return;
    }
    const alert = this.made(raised);
    this.windows.delete(key);
    this.windows.set(key, { alert, message: raised.message, toldAt: this.clock.monotonicMs(), toldCount: 1 });
    if (this.windows.size > limits.alertWindows) {
      const oldest = this.windows.keys().next().value;
      if (oldest !== undefined) this.windows.delete(oldest);
    }
    this.out(alert);
  }

  count(code: RaisedCode): void {
    this.totals.set(code, (this.totals.get(code) ?? 0) + 1);
  }

  settle(code: RaisedCode, component: string): void {
    this.windows.delete(keyOf(code, component));
  }

  beat(): void {
    for (const [key, open] of this.windows) {
      if (this.isOver(open) && !this.tellAgain(open)) this.windows.delete(key);
    }
  }

  list(): readonly Alert[] {
    return [...this.ring].reverse();
  }

  counts(): ReadonlyMap<string, number> {
    return this.totals;
  }

  private isOver({ toldAt }: Window): boolean {
    return this.clock.monotonicMs() - toldAt >= limits.alertWindowMs;
  }

  /** Whether there was anything to tell since; then a new window begins. */
  private tellAgain(open: Window): boolean {
    const { alert, toldCount } = open;
    if (alert.count === toldCount) return false;
    const passedS = Math.round((this.clock.monotonicMs() - open.toldAt) / 1_000);
    open.alert = { ...alert, message: `${open.message} (${alert.count - toldCount} more in ${passedS} s)` };
    open.toldAt = this.clock.monotonicMs();
    open.toldCount = alert.count;
    this.out(open.alert);
    return true;
  }

  private made(raised: Raised): Alert {
    const nowMs = this.clock.nowMs();
    const id = { alertId: `alert_${++this.raised}`, timestampMs: nowMs };
    return { ...id, recovered: false, count: 1, lastMs: nowMs, sinceMs: nowMs, ...raised };
  }

  private out(alert: Alert): void {
    this.keep(alert);
    const { code, component, count } = alert;
    const fields = { component, code, ...(count > 1 ? { count } : {}) };
    if (alert.level === 'info') this.logger.info(alert.message, fields);
    else this.logger.warn(alert.message, fields);
    this.listeners.emit('alert', alert);
  }

  /** In the ring once, where it came first, as it is now. */
  private keep(alert: Alert): void {
    const at = this.ring.findLastIndex(({ alertId }) => alertId === alert.alertId);
    if (at >= 0) this.ring[at] = alert;
    else if (this.ring.push(alert) > limits.alerts) this.ring.shift();
  }
}

function keyOf(code: string, component: string): string {
  return `${code}\n${component}`;
}
