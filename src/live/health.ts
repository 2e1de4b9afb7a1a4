/** How every component is, since when, and the one word for the whole. Changes are told once, as health and alert. */

import { limits } from '../core/domain/limits';
import type { Alert, ComponentHealth, HealthLevel, Summary } from '../core/domain/summary';
import type { Listeners } from './listeners';
import type { Clock, Logger } from './ports';

export interface Health {
  report(component: string, health: HealthLevel, message: string): void;
  /** A component that is no longer there (a door that closed). */
  forget(component: string): void;
  alert(code: string, level: Alert['level'], component: string, message: string): void;
  components(): ReadonlyMap<string, ComponentHealth>;
  alerts(): readonly Alert[];
  /** Alerts raised so far, by code. */
  counts(): ReadonlyMap<string, number>;
  overall(errorRate: number): Summary['systemHealth'];
}

/** Components without which nothing can be kept or heard. */
const vital = (component: string) => component === 'store' || component.startsWith('input');

export function createHealth(listeners: Listeners, clock: Clock, logger: Logger): Health {
  const components = new Map<string, ComponentHealth>();
  const ring: Alert[] = [];
  const counts = new Map<string, number>();
  let raised = 0;

  function push(code: string, level: Alert['level'], component: string, message: string, recovered: boolean): void {
    raised++;
    counts.set(code, (counts.get(code) ?? 0) + 1);
    const alert = {
      alertId: `alert_${raised}`,
      code,
      level,
      message,
      component,
      timestampMs: clock.nowMs(),
      recovered,
    };
    ring.push(alert);
    if (ring.length > limits.alerts) ring.shift();
    const fields = { component, code };
    if (level === 'info') logger.info(message, fields);
    else logger.warn(message, fields);
    listeners.emit('alert', alert);
  }

  return {
    report(component, health, message) {
      const before = components.get(component);
      if (before?.health === health) {
        if (before.message !== message) components.set(component, { ...before, message });
        return;
      }
      const now: ComponentHealth = { health, message, since: new Date(clock.nowMs()).toISOString() };
      components.set(component, now);
      listeners.emit('health', { component, ...now });
      if (before === undefined && health === 'up') return;
      const level = health === 'up' ? 'info' : vital(component) && health === 'down' ? 'critical' : 'warning';
      const words = health === 'up' ? `${component} recovered: ${message}` : `${component} ${health}: ${message}`;
      push(`${component}_${health}`, level, component, words, health === 'up');
    },
    forget(component) {
      components.delete(component);
    },
    alert(code, level, component, message) {
      push(code, level, component, message, false);
    },
    components: () => components,
    alerts: () => [...ring].reverse(),
    counts: () => counts,
    overall(errorRate) {
      let degraded = false;
      for (const [component, { health }] of components) {
        if (health === 'down' && vital(component)) return 'critical';
        if (health !== 'up') degraded = true;
      }
      if (degraded || errorRate >= 0.01) return 'degraded';
      return errorRate >= 0.001 ? 'good' : 'excellent';
    },
  };
}
