/** Which role this process has in an engine that several keep, told to whoever must act on it. */
import type { Health } from './health';
import type { Lease, Role } from './ports';

export interface Roles {
  /** Settles when the role is known. */
  start(): Promise<void>;
  /** Told of every change. Answers the function that stops listening. */
  listen(listener: (role: Role) => void): () => void;
}

/** @param isShown an engine that nobody can share shows no lease among its components. */
export function createRoles(lease: Lease, health: Health, isShown: boolean): Roles {
  const listeners = new Set<(role: Role) => void>();
  let known: Role | null = null;

  function changed(role: Role, message: string): void {
    if (isShown) health.report('lease', 'up', message);
    const isNews = known !== null && role !== known;
    known = role;
    if (!isNews) return;
    if (role === 'leader') health.alert('took_over', 'info', 'lease', 'this process leads the engine now');
    else health.alert('stood_down', 'warning', 'lease', message);
    for (const listener of listeners) listener(role);
  }

  return {
    async start() {
      await lease.start(changed);
      changed(lease.role(), lease.message());
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
