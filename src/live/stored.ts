/** How far what came from a stream is stored: evaluated, on the tape, and the tape on the disk. */
import type { CoreState } from '../core/state';
import type { Logger, Tape } from './ports';
import type { Snapshotter } from './snapshotter';

export interface StoredDeps {
  readonly core: CoreState;
  readonly tape: Tape;
  readonly snapshotter: Pick<Snapshotter, 'now'>;
  readonly logger: Logger;
}

/**
 * Answers the last entry of a feed that is stored, empty when that cannot be said now. Where the tape lost its word (a
 * sync failed), a snapshot holds what it may have lost; until one does, nothing is stored.
 */
export function createStored({ core, tape, snapshotter, logger }: StoredDeps): (feed: string) => Promise<string> {
  let doubts = 0;
  let settled = 0;
  return async (feed) => {
    const entry = core.entries.get(feed) ?? '';
    if (!(await tape.synced())) doubts++;
    if (doubts === settled) return entry;
    const before = doubts;
    try {
      await snapshotter.now();
      settled = Math.max(settled, before);
    } catch (error) {
      logger.warn('entries wait: neither the tape nor a snapshot keeps them', { feed, error: String(error) });
    }
    return doubts === settled ? entry : '';
  };
}
