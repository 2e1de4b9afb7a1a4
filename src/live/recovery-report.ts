/** Says how an engine was recovered, and what was not as it should be. */
import { limits } from '../core/domain/limits';
import type { CoreState } from '../core/state';
import type { Health } from './health';
import type { Logger, Tape } from './ports';
import type { Recovery } from './recover';

export function reportTape(health: Health, tape: Tape): void {
  const state = tape.health();
  health.report('tape', state.health, state.message);
}

export function reportRecovery(recovery: Recovery, health: Health, logger: Logger, tookMs: number): void {
  const { replayedRecords, refusedSnapshots, fromTape, foreignMs } = recovery;
  logger.info('engine recovered', { replayedRecords, refusedSnapshots, fromTape, tookMs: Math.round(tookMs) });
  if (refusedSnapshots > 0) {
    const text = `${refusedSnapshots} damaged snapshot(s) were refused; an older state was taken and replayed`;
    health.alert('snapshot_refused', 'warning', 'snapshots', text);
  }
  if (foreignMs !== null) {
    const at = new Date(foreignMs).toISOString();
    const text = `the market goes on from what another process kept at ${at}; what came since is missing here, but for streams`;
    health.alert('tape_foreign', 'warning', 'tape', text);
  }
}

/** Stored parameters that no longer meet their schema: the strategy runs, and whoever looks is told with what. */
export function reportMisfits(health: Health, core: CoreState): void {
  const component = 'strategies';
  if (core.misfits.size > 0) {
    const list = [...core.misfits].slice(0, limits.errorDetails).map(([id, paths]) => `${id} (${paths.join(', ')})`);
    const text = `${core.misfits.size} run with defaults for stored parameters that no longer fit: ${list.join('; ')}`;
    health.report(component, 'degraded', text);
  } else if (health.components().has(component)) health.report(component, 'up', 'all parameters fit');
}
