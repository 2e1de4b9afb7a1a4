/** What a connection says of itself in the log: a line for each change of its state, and no flood of them. */
import { limits } from '../../core/domain/limits';
import type { FeedState, Logger } from '../../live/ports';

/** Two reasons of one outage may take turns for as long as it lasts: each is logged once. */
export function stateLog(role: string, logger: Logger): (state: FeedState, message: string) => void {
  const told = new Set<string>();
  return (state, message) => {
    if (state !== 'down') told.clear();
    if (told.has(message) || told.size >= limits.redisReasonsLogged) return;
    if (state === 'down') told.add(message);
    logger[state === 'up' || state === 'closed' ? 'info' : 'warn'](`redis ${role}: ${message}`);
  };
}
