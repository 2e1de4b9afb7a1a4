/** What people do with strategies: register, change, roll back, archive, adapt, undo, freeze. */
import assert from 'node:assert/strict';
import type { StrategyState } from '../../src/core/domain/strategy';
import type { BarInput } from '../../src/core/domain/tick';
import { bar } from '../helpers/core';
import { Client } from './client';
import { symbols } from './market';

const types = ['every_tick', 'obedient', 'obedient', 'moving_average_crossover', 'mean_reversion', 'trend_following'];
const timeframes = ['1s', '5s', '7t', 'auto'];
const states = ['active', 'active', 'active', 'shadow', 'paused'] as const;

export class Commands extends Client {
  async register(): Promise<void> {
    const { random } = this;
    const strategyType = random.pick(types);
    const confidenceThreshold = random.int(0, 90) / 100;
    const chosen = random.chance(0.2) ? { strategyId: `own-${this.nextName()}` } : {};
    const timeframe = strategyType === 'every_tick' ? 'auto' : random.pick(timeframes);
    const limited = random.chance(0.4) ? { symbols: [random.pick(symbols)] } : {};
    const cooldownMs = random.pick([0, 2_000]);
    const input = {
      strategyType,
      timeframe,
      ...chosen,
      ...limited,
      parameters: { confidenceThreshold, cooldownMs },
      ...(random.chance(0.3) ? { history: this.drawHistory() } : {}),
      idempotencyKey: `key ${this.nextName()}`,
    };
    const { strategyId } = await this.insist((engine) => engine.register(input));
    this.model.registered(strategyId, strategyType, confidenceThreshold);
  }

  /** Bars of the last minute, of one symbol, which the engine may never have heard of. */
  private drawHistory(): BarInput[] {
    const { random } = this;
    const symbol = random.pick([...symbols, 'NEW']);
    const firstMs = Math.floor(this.now() / 1_000) * 1_000 - 60_000;
    return Array.from({ length: random.int(1, 60) }, (_, i) => {
      const open = random.int(200, 900);
      return bar(symbol, firstMs + i * 1_000, [open, open + 2, open - 2, open + random.int(-2, 2)], '1s');
    });
  }

  async change(): Promise<void> {
    const { random, model } = this;
    const active = model.active();
    if (active.length === 0) return;
    const strategyId = random.pick(active);
    const { versions } = model.of(strategyId);
    const before = versions.length;
    const rollsBack = random.chance(0.3);
    const to = random.int(1, before);
    const wanted: { readonly threshold: number; readonly state: StrategyState } = rollsBack
      ? (versions[to - 1] as (typeof versions)[number])
      : { threshold: random.int(0, 90) / 100, state: random.pick(states) };
    const { threshold, state } = wanted;
    const acted = await this.world.act(async (engine) => {
      if (rollsBack) return engine.rollback(strategyId, to);
      return engine.update(strategyId, {
        parameters: { confidence_threshold: threshold },
        state,
        expectedVersion: before,
      });
    });
    const isSame = threshold === model.current(strategyId).threshold && state === model.current(strategyId).state;
    if (acted.kind === 'done') assert.equal(acted.value.version, isSame && !rollsBack ? before : before + 1);
    else await this.settle(acted.kind);
    const now = this.world.engine.versions(strategyId).versions.length;
    if (now > before) model.changed(strategyId, now, threshold, state);
    else assert.equal(now, before);
  }

  async archive(): Promise<void> {
    const active = this.model.active();
    if (active.length < 3) return;
    const strategyId = this.random.pick(active);
    await this.insist((engine) => engine.archive(strategyId));
    this.model.of(strategyId).archived = true;
  }

  async adapt(): Promise<void> {
    const { random, model, world } = this;
    if (random.chance(0.2)) {
      const frozen = random.chance(0.3);
      await this.insist((engine) => engine.freeze(frozen));
      model.frozen = frozen;
      return;
    }
    const applied = [...model.adaptations.keys()];
    const active = model.active();
    if (active.length === 0) return;
    const marketConditions = { volatility: random.pick(['low', 'high'] as const) };
    const before = model.adaptations.size;
    const acted =
      random.chance(0.4) && applied.length > 0
        ? await world.act((engine) => engine.revert(random.pick(applied)).then(() => 1))
        : await world.act((engine) =>
            engine
              .forceAdaptation({ strategyId: random.pick(active), marketConditions })
              .then(({ adaptations }) => adaptations.filter((one) => one.applied).length),
          );
    const isRail = acted.kind === 'refused' && acted.error.code === 'ConflictError';
    if (acted.kind !== 'done' && !isRail) await this.settle(acted.kind);
    this.adopt();
    const grown = model.adaptations.size - before;
    if (acted.kind === 'done') assert.equal(grown, acted.value, 'adaptations told and kept');
    else assert.ok(grown <= (isRail ? 0 : 1));
  }

  /** Adaptations that the model has not heard of. */
  private adopt(): void {
    const { model, world } = this;
    const { adaptations } = world.engine.adaptations({ limit: 1_000 });
    for (const { adaptationId, strategyId, to, evidence } of [...adaptations].reverse()) {
      if (model.adaptations.has(adaptationId)) continue;
      model.adaptations.set(adaptationId, { strategyId, undone: false });
      const undone = model.adaptations.get(String(evidence.reverses));
      if (undone !== undefined) undone.undone = true;
      const { versions } = model.of(strategyId);
      model.changed(strategyId, versions.length + 1, Number(to.confidenceThreshold), model.current(strategyId).state);
    }
  }
}
