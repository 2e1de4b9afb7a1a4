/** Says of the store that it answers, and of a store of its own process whether it keeps what it was given. */
import type { Health } from './health';
import type { EventLog } from './ports';

const component = 'durability';

/**
 * The store answers. One that would lose what it acknowledged is a component that is not well, with a name of its own
 * among the alerts. A store in this process's memory is one on purpose, and only says so.
 */
export function reportStore(health: Health, log: Pick<EventLog, 'durability'>): void {
  const { kind, survivesStoreKill, text } = log.durability();
  health.report('store', 'up', text);
  if (kind !== 'redis') return;
  if (survivesStoreKill === false) health.report(component, 'degraded', `not durable: ${text}`, 'volatile_store');
  else if (health.components().has(component)) health.report(component, 'up', text);
}
