/** Executions as they come back: several at once, some again, some late, some with an id that was used for another. */
import assert from 'node:assert/strict';
import type { TrackInput } from '../../src/core/domain/bodies';
import type { Engine } from '../../src/live/engine-api';
import { Client } from './client';
import { symbols } from './market';

export class Executions extends Client {
  private readonly sent: TrackInput[] = [];
  /** Event ids of which nobody knows whether they had arrived. */
  private readonly unsure = new Set<string>();

  async track(): Promise<void> {
    const { random, world, model } = this;
    const inputs = Array.from({ length: random.int(1, 6) }, () => this.drawExecution());
    const acknowledged = new Set<TrackInput>();
    const told = async (engine: Engine, input: TrackInput) => {
      const { strategyId, executionResult } = input;
      const { executionId = null, pnl, success } = executionResult;
      const { duplicate } = await engine.track(input);
      acknowledged.add(input);
      const key = `execution:${strategyId}:${executionId}`;
      // Sent again after a failure nobody knows whether it had arrived.
      const isNew = this.unsure.has(key) ? !model.executions.has(key) : !duplicate;
      model.executed(strategyId, executionId, pnl, success, isNew);
    };
    const acted = await world.act((engine) => Promise.allSettled(inputs.map((input) => told(engine, input))));
    if (acted.kind === 'done' && acted.value.every(({ status }) => status === 'fulfilled')) return;
    for (const { strategyId, executionResult } of inputs) {
      this.unsure.add(`execution:${strategyId}:${executionResult.executionId}`);
    }
    world.disk.faults.log = 'none';
    for (const input of inputs) if (!acknowledged.has(input)) await this.insist((engine) => told(engine, input));
    await this.otherContent();
  }

  private drawExecution(): TrackInput {
    const { random, world } = this;
    if (this.sent.length > 0 && random.chance(0.25)) return { ...random.pick(this.sent) };
    const pnl = random.int(-100_000, 100_000) / 100;
    const traded = random.chance(0.4)
      ? {
          symbol: random.pick(symbols),
          side: random.pick(['buy', 'sell'] as const),
          quantity: random.int(1, 20),
          price: random.int(100, 900),
          ...(random.chance(0.3) ? { positionAfter: random.int(-2, 2) * 10 } : {}),
        }
      : {};
    const sure = world.disk.faults.log === 'none' && random.chance(0.15);
    const executionResult = {
      pnl,
      success: random.chance(0.5),
      executionTimeMs: random.int(1, 900),
      timestampMs: this.now() - (random.chance(0.2) ? random.int(0, 3 * 86_400_000) : 0),
      ...(sure ? {} : { executionId: `e${this.nextName()}` }),
      ...traded,
    };
    const input = { strategyId: random.pick([...this.model.strategies.keys()]), executionResult };
    if (!sure) this.sent.push(input);
    return input;
  }

  /** A known id with another content is refused, and changes nothing. */
  private async otherContent(): Promise<void> {
    const known = this.random.pick(this.sent);
    const executionResult = { ...known.executionResult, pnl: known.executionResult.pnl + 1 };
    const acted = await this.world.act((engine) => engine.track({ ...known, executionResult }));
    assert.equal(acted.kind === 'refused' && acted.error.code, 'ConflictError');
  }
}
