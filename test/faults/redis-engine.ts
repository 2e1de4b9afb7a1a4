/** Engines whose store is a Redis, as the fault tests need them. */
import { type EngineOptions, openEngine } from '../../src/compose';
import type { Engine } from '../../src/live/engine-api';
import { type LogLines, logLines } from '../helpers/redis-probe';

export const counted = 'counted';

/** With an AOF, durable as a store of money has to be; with `none` Redis comes back empty, with `saved` as a second ago. */
export type Aof = 'everysec' | 'always' | 'none' | 'saved';

export const aofArgs = (aof: Aof): readonly string[] =>
  aof === 'none' || aof === 'saved'
    ? ['--appendonly', 'no', '--save', aof === 'none' ? '' : '1 1']
    : ['--appendonly', 'yes', '--appendfsync', aof];

export interface RedisEngine {
  readonly engine: Engine;
  readonly logger: LogLines;
}

/** Opens one, with the strategy that is tracked. */
export async function openRedisEngine(url: string, more: Partial<EngineOptions> = {}): Promise<RedisEngine> {
  const logger = logLines();
  const engine = await openEngine({ name: 'counting', store: { kind: 'redis', url }, logger, seed: 7, ...more });
  await engine
    .register({ strategyType: 'mean_reversion', strategyId: counted })
    .catch((thrown: { readonly code?: string }) => {
      if (thrown.code !== 'ConflictError') throw thrown;
    });
  return { engine, logger };
}
