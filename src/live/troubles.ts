/**
 * The alerts of components: each trouble is told, and its end exactly once, with how long it lasted. A component that
 * comes back to a trouble too often within a window flaps: that is told, and then only what it is once it is steady.
 */

import { limits } from '../core/domain/limits';
import type { Alert, ComponentHealth, HealthLevel } from '../core/domain/summary';
import type { Alerts, RaisedCode } from './alerts';
import type { Clock } from './ports';

export interface Troubles {
  /** The component's health is another than before; `code` names the alert of it. */
  changed(component: string, now: ComponentHealth, code: RaisedCode): void;
  forget(component: string): void;
  /** Tells of those that flapped and are steady now. */
  beat(components: ReadonlyMap<string, ComponentHealth>): void;
}

/** Components without which nothing can be kept or heard. */
export function isVital(component: string): boolean {
  return component === 'store' || component.startsWith('input');
}

/** A connection, which is not well until it stands: that it is being made is no news. */
export function isDoor(component: string): boolean {
  return component.startsWith('input:') || component.startsWith('output:');
}

interface Trouble {
  code: RaisedCode;
  /** When the present one began, by both clocks; `null` while it is well. */
  began: { readonly nowMs: number; readonly at: number } | null;
  /** When each state was told, within the last window. */
  readonly toldAt: Map<HealthLevel, readonly number[]>;
  /** While it flaps: when it changed last, and became well last, and how often it ceased to be well. */
  flapping: { changedAt: number; wellAt: number; times: number } | null;
}

export function createTroubles(alerts: Alerts, clock: Clock): Troubles {
  return new ToldTroubles(alerts, clock);
}

class ToldTroubles implements Troubles {
  private readonly alerts: Alerts;
  private readonly clock: Clock;
  private readonly troubles = new Map<string, Trouble>();

  constructor(alerts: Alerts, clock: Clock) {
    this.alerts = alerts;
    this.clock = clock;
  }

  changed(component: string, now: ComponentHealth, code: RaisedCode): void {
    const at = this.clock.monotonicMs();
    const trouble = this.troubleOf(component, code);
    const isWell = now.health === 'up';
    if (!isWell) trouble.began ??= { nowMs: this.clock.nowMs(), at };
    if (trouble.flapping !== null) {
      trouble.flapping.changedAt = at;
      this.alerts.count(code);
      if (isWell) trouble.flapping.wellAt = at;
      else {
        trouble.flapping.times++;
        this.tellFlapping(component, now.health);
      }
    } else if (isWell) {
      if (trouble.began !== null) this.tellRecovery(component, now.message, trouble, { at, times: 1 });
    } else if (this.toldLately(trouble, now.health).length >= limits.alertFlaps) {
      trouble.flapping = { changedAt: at, wellAt: at, times: 1 };
      this.alerts.count(code);
      this.tellFlapping(component, now.health);
    } else this.tellTrouble(component, now, trouble);
  }

  forget(component: string): void {
    this.troubles.delete(component);
    this.alerts.settle('flapping', component);
  }

  beat(components: ReadonlyMap<string, ComponentHealth>): void {
    for (const [component, trouble] of this.troubles) {
      const { flapping } = trouble;
      if (flapping === null || this.clock.monotonicMs() - flapping.changedAt < limits.alertWindowMs) continue;
      trouble.flapping = null;
      this.alerts.settle('flapping', component);
      const now = components.get(component);
      if (now === undefined) continue;
      const { wellAt, times } = flapping;
      if (now.health === 'up') this.tellRecovery(component, now.message, trouble, { at: wellAt, times });
      else this.tellTrouble(component, now, trouble);
    }
  }

  private troubleOf(component: string, code: RaisedCode): Trouble {
    const known = this.troubles.get(component);
    if (known !== undefined) {
      known.code = code;
      return known;
    }
    const trouble: Trouble = { code, began: null, toldAt: new Map(), flapping: null };
    this.troubles.set(component, trouble);
    return trouble;
  }

  private toldLately(trouble: Trouble, health: HealthLevel): readonly number[] {
    const fromAt = this.clock.monotonicMs() - limits.alertWindowMs;
    return (trouble.toldAt.get(health) ?? []).filter((at) => at > fromAt);
  }

  private tellTrouble(component: string, { health, message }: ComponentHealth, trouble: Trouble): void {
    const { code, began } = trouble;
    trouble.toldAt.set(health, [...this.toldLately(trouble, health), this.clock.monotonicMs()]);
    const sinceMs = began?.nowMs ?? this.clock.nowMs();
    const level = levelOf(component, health);
    this.alerts.tell({ code, level, component, message: `${component} ${health}: ${message}`, sinceMs });
  }

  private tellRecovery(
    component: string,
    message: string,
    trouble: Trouble,
    well: { readonly at: number; readonly times: number },
  ): void {
    const began = trouble.began ?? { nowMs: this.clock.nowMs(), at: well.at };
    trouble.began = null;
    const durationMs = Math.round(well.at - began.at);
    const often = well.times > 1 ? `, ${well.times} times` : '';
    const words = `${component} recovered after ${(durationMs / 1_000).toFixed(1)} s${often}: ${message}`;
    const over = { level: 'info', recovered: true, sinceMs: began.nowMs, durationMs } as const;
    this.alerts.tell({ code: `${component}_up`, component, message: words, ...over });
  }

  private tellFlapping(component: string, health: HealthLevel): void {
    const steadyS = limits.alertWindowMs / 1_000;
    const message = `${component} flaps: ${health} again; it is told when it stays as it is for ${steadyS} s`;
    this.alerts.raise({ code: 'flapping', level: levelOf(component, health), component, message });
  }
}

function levelOf(component: string, health: HealthLevel): Alert['level'] {
  return isVital(component) && health === 'down' ? 'critical' : 'warning';
}
