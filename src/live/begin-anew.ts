/** An engine whose log went on without events that it has folded: it becomes what is stored, and goes on from there. */
import { createCore } from '../core/create';
import type { CoreState } from '../core/state';
import { createRegistry } from '../core/strategies/registry';
import type { Appender } from './append';
import type { EngineDeps } from './engine-deps';
import type { Health } from './health';
import type { LogReader } from './ports';
import { makeAnew } from './recover';
import { reportMisfits, reportRecovery } from './recovery-report';
import type { Snapshotter } from './snapshotter';

export interface AnewParts {
  readonly deps: EngineDeps;
  readonly core: CoreState;
  readonly health: Health;
  readonly snapshotter: Pick<Snapshotter, 'idle' | 'anew'>;
  readonly appender: Pick<Appender, 'forget'>;
  /** Answers while the engine's own log answers nobody. */
  readonly log: LogReader;
}

export async function beginAnew({ deps, core, health, snapshotter, appender, log }: AnewParts): Promise<void> {
  const startedAt = deps.clock.monotonicMs();
  const builtIn = createRegistry();
  const definitions = core.registry.all().filter(({ type }) => builtIn.get(type) === undefined);
  const fresh = () => createCore({ ...deps.core, definitions });
  appender.forget();
  await snapshotter.idle();
  const recovery = await makeAnew(core, { ...deps, fresh, log });
  reportRecovery(recovery, health, deps.logger, deps.clock.monotonicMs() - startedAt);
  reportMisfits(health, core);
  snapshotter.anew();
}
