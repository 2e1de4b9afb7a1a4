/** An engine whose log went on without events that it has folded: it becomes what is stored, and goes on from there. */
import { createCore } from '../core/create';
import { isLaterEntry } from '../core/domain/tick';
import { definitionAdded } from '../core/fold';
import type { CoreState } from '../core/state';
import type { Appender } from './append';
import type { EngineDeps } from './engine-deps';
import type { EntryOrder } from './entry-order';
import type { Health } from './health';
import type { LogReader } from './ports';
import { makeAnew } from './recover';
import { reportMisfits, reportRecovery } from './recovery-report';
import type { Snapshotter } from './snapshotter';

export interface AnewParts {
  readonly deps: EngineDeps;
  readonly core: CoreState;
  readonly health: Health;
  readonly snapshotter: Pick<Snapshotter, 'hold' | 'release'>;
  readonly appender: Pick<Appender, 'forget'>;
  readonly order: Pick<EntryOrder, 'wentBack'>;
  /** Told when feeds went back: what was taken of them is to be handed over again. */
  readonly onRewind: ReadonlySet<() => void>;
  /** Answers while the engine's own log answers nobody. */
  readonly log: LogReader;
}

/** When it rejects no snapshot is written until it has succeeded: what would be in it is not what the log says. */
export async function beginAnew(parts: AnewParts): Promise<void> {
  const { deps, core, health, snapshotter, appender, log } = parts;
  const { registry } = core;
  const startedAt = deps.clock.monotonicMs();
  // Types are code, not history.
  const fresh = () => ({ ...createCore(deps.core), registry });
  appender.forget();
  await snapshotter.hold();
  const recovery = await makeAnew(core, { ...deps, fresh, log }, (before) => rewind(parts, before));
  for (const definition of registry.all()) definitionAdded(core, definition);
  reportRecovery(recovery, health, deps.logger, deps.clock.monotonicMs() - startedAt);
  reportMisfits(health, core);
  snapshotter.release();
}

/** The market goes on from another process's snapshot where that is the newest: then what came since is still to be read. */
function rewind({ core, order, onRewind }: AnewParts, before: CoreState): void {
  let isBack = false;
  for (const [feed, entry] of before.entries) {
    const cursor = core.entries.get(feed) ?? '';
    if (!isLaterEntry(entry, cursor)) continue;
    order.wentBack(feed, cursor);
    isBack = true;
  }
  for (const [feed, row] of before.rows) if ((core.rows.get(feed) ?? 0) < row) isBack = true;
  if (isBack) for (const told of onRewind) told();
}
