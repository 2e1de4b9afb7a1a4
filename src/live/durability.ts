/** Says of the store that it answers, and of one outside of this process whether it keeps what it was given. */
import type { Health } from './health';
import type { EventLog } from './ports';

const component = 'durability';
const notDurable = 'not durable';

/**
 * The store answers. One that would lose what it acknowledged works all the same: that is how it is set up, not a fault,
 * so it is told as an alert and in words, and the engine's health stays what it is. A store in this process's memory is
 * one on purpose, and only says so.
 */
export function reportStore(health: Health, log: Pick<EventLog, 'durability'>): void {
  const { kind, survivesStoreKill, putBackEvents = 0, lostEvents = 0, text } = log.durability();
  health.report('store', 'up', text);
  if (kind !== 'redis') return;
  const isVolatile = survivesStoreKill === false;
  const words = isVolatile ? `${notDurable}: ${text}` : text;
  const before = health.components().get(component)?.message ?? '';
  health.report(component, 'up', words);
  if (before === words) return;
  if (lostEvents > 0) health.alert('store_lost', 'critical', component, text);
  if (putBackEvents > 0) health.alert('store_put_back', 'warning', component, text);
  if (isVolatile) health.alert('volatile_store', 'warning', component, words);
  else if (before.startsWith(notDurable)) health.alert('durable_store', 'info', component, words);
}
