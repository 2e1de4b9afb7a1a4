/** Who commands the engine: retries as a careful client does, and tells the model what was acknowledged. */
import type { Engine } from '../../src/live/engine-api';
import type { Model } from './model';
import type { Random } from './random';
import type { World } from './world';

export class Client {
  readonly random: Random;
  readonly world: World;
  readonly model: Model;

  constructor(random: Random, world: World, model: Model) {
    this.random = random;
    this.world = world;
    this.model = model;
  }

  /** A number that was not used before. */
  nextName(): number {
    return this.world.names++;
  }

  now(): number {
    return this.world.clock.nowMs();
  }

  /** Does as a careful client does: the same again until there is an answer. */
  async insist<T>(call: (engine: Engine) => Promise<T>): Promise<T> {
    for (;;) {
      const acted = await this.world.act(call);
      if (acted.kind === 'done') return acted.value;
      await this.settle(acted.kind);
    }
  }

  /** After a failure: the store works again, and the engine has caught up with what is in it. */
  async settle(kind: 'refused' | 'died'): Promise<void> {
    this.world.disk.faults.log = 'none';
    if (kind === 'died') return;
    const strategyId = [...this.model.strategies.keys()][0];
    if (strategyId === undefined) return;
    const executionId = `settled ${this.nextName()}`;
    const executionResult = { pnl: 0.01, success: true, executionTimeMs: 1, timestampMs: this.now(), executionId };
    const acted = await this.world.act((engine) => engine.track({ strategyId, executionResult }));
    if (acted.kind === 'refused') throw acted.error;
    if (acted.kind === 'done') this.model.executed(strategyId, executionId, 0.01, true, true);
    else await this.insist((engine) => engine.track({ strategyId, executionResult }).then(() => undefined));
    if (acted.kind === 'died') this.model.executed(strategyId, executionId, 0.01, true, true);
  }
}
