/** Listeners of one engine. A listener that throws is logged and never stops the others, nor the engine. */
import type { EngineEvents } from './engine-api';
import type { Logger } from './ports';

type Listener<K extends keyof EngineEvents> = (event: EngineEvents[K]) => void;

export interface Listeners {
  on<K extends keyof EngineEvents>(kind: K, listener: Listener<K>): () => void;
  emit<K extends keyof EngineEvents>(kind: K, event: EngineEvents[K]): void;
  count(kind: keyof EngineEvents): number;
  clear(): void;
}

export function createListeners(logger: Logger): Listeners {
  const lists: { [K in keyof EngineEvents]: Set<Listener<K>> } = {
    signal: new Set(),
    decision: new Set(),
    alert: new Set(),
    adaptation: new Set(),
    health: new Set(),
    gap: new Set(),
    fill: new Set(),
  };
  return {
    on(kind, listener) {
      lists[kind].add(listener);
      return () => lists[kind].delete(listener);
    },
    emit(kind, event) {
      for (const listener of lists[kind]) {
        try {
          listener(event);
        } catch (error) {
          logger.error('a listener failed', { kind, error: String(error) });
        }
      }
    },
    count: (kind) => lists[kind].size,
    clear() {
      for (const list of Object.values(lists)) list.clear();
    },
  };
}
