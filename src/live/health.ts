/**
 * How every component is, since when, and the one word for the whole. A change is told as health at once. As an alert
 * too, unless the component goes to and fro: then that is told, and itself only when it has stayed as it is for a while.
 */
import type { AlertCode } from '../core/domain/alerts';
import type { Alert, ComponentHealth, HealthLevel, Summary } from '../core/domain/summary';
import { createAlerts } from './alerts';
import type { Listeners } from './listeners';
import type { Clock, Logger } from './ports';
import { createTroubles, isDoor, isVital } from './troubles';

export interface Health {
  report(component: string, health: HealthLevel, message: string): void;
  /** A component that is no longer there (a door that closed). */
  forget(component: string): void;
  alert(code: AlertCode, level: Alert['level'], component: string, message: string): void;
  /** Tells what waited for its time. */
  beat(): void;
  components(): ReadonlyMap<string, ComponentHealth>;
  alerts(): readonly Alert[];
  /** Alerts raised so far, by code, those that were only counted included. */
  counts(): ReadonlyMap<string, number>;
  overall(errorRate: number): Summary['systemHealth'];
}

export function createHealth(listeners: Listeners, clock: Clock, logger: Logger): Health {
  const alerts = createAlerts(listeners, clock, logger);
  const components = new Map<string, ComponentHealth>();
  const troubles = createTroubles(alerts, clock);

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
      const isStarting = before === undefined && (health === 'up' || (health === 'degraded' && isDoor(component)));
      if (!isStarting) troubles.changed(component, now, `${component}_${health}`);
    },
    forget(component) {
      components.delete(component);
      troubles.forget(component);
    },
    alert: (code, level, component, message) => alerts.raise({ code, level, component, message }),
    beat() {
      troubles.beat(components);
      alerts.beat();
    },
    components: () => components,
    alerts: () => alerts.list(),
    counts: () => alerts.counts(),
    overall(errorRate) {
      let degraded = false;
      for (const [component, { health }] of components) {
        if (health === 'down' && isVital(component)) return 'critical';
        if (health !== 'up') degraded = true;
      }
      if (degraded || errorRate >= 0.01) return 'degraded';
      return errorRate >= 0.001 ? 'good' : 'excellent';
    },
  };
}
