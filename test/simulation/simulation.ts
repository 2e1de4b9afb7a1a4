/**
 * One schedule, drawn from one seed: market data, commands, executions, clock steps, faults and crashes in any order,
 * against a model that knows what was acknowledged and a fold that never crashed.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { MarketItem } from '../../src/core/domain/tick';
import type { Engine } from '../../src/live/engine-api';
import { tick } from '../helpers/core';
import { Commands } from './commands';
import { Executions } from './executions';
import type { Bug, Faults } from './faults';
import { createMarket, type SimulatedMarket } from './market';
import { Model } from './model';
import { createRandom, type Random } from './random';
import { inputOf, turn, World } from './world';

export interface SimulationOptions {
  readonly seed: number;
  readonly steps?: number;
  readonly bug?: Bug;
}

export interface SimulationResult {
  /** Of everything that can be known at the end. */
  readonly hash: string;
  readonly lives: number;
  readonly ticks: number;
  readonly signals: number;
  readonly executions: number;
  readonly events: number;
}

/** Runs one schedule; rejects with an AssertionError that names the seed when something does not hold. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  try {
    return await new Simulation(options).run();
  } catch (error) {
    throw new Error(`seed ${options.seed}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

class Simulation {
  private readonly random: Random;
  private readonly world: World;
  private readonly model = new Model();
  private readonly market: SimulatedMarket;
  private readonly steps: number;
  private readonly commands: Commands;
  private readonly executions: Executions;
  private rows = 0;

  constructor({ seed, steps = 45, bug }: SimulationOptions) {
    this.random = createRandom(seed);
    this.world = new World(bug ?? null);
    this.market = createMarket(this.random);
    this.steps = steps;
    this.commands = new Commands(this.random, this.world, this.model);
    this.executions = new Executions(this.random, this.world, this.model);
  }

  async run(): Promise<SimulationResult> {
    await this.world.open();
    for (let i = 0; i < 3; i++) await this.commands.register();
    for (let i = 0; i < this.steps; i++) await this.step();
    await this.check();
    // And once more from what is left when the process dies right now.
    await this.world.crash();
    const { state, core } = await this.check();
    const { lives, published } = this.world;
    const hash = createHash('sha256')
      .update(state)
      .update([...published.keys()].join())
      .digest('hex');
    const events = this.world.disk.log().length;
    const executions = this.model.executions.size;
    return { hash, lives, ticks: core.ticksTotal, signals: published.size, executions, events };
  }

  private async check() {
    const { state, core } = await this.world.check();
    this.model.checkLog(this.world.disk.log());
    this.model.checkCore(core);
    return { state, core };
  }

  private async step(): Promise<void> {
    this.drawFaults();
    const at = this.random.next();
    if (at < 0.4) await this.feed();
    else if (at < 0.5) await this.executions.track();
    else if (at < 0.55) await this.commands.register();
    else if (at < 0.61) await this.commands.change();
    else if (at < 0.66) await this.commands.adapt();
    else if (at < 0.68) await this.commands.archive();
    else if (at < 0.72) await this.world.act((engine) => engine.advance(this.now() + this.random.int(-500, 3_000)));
    else if (at < 0.86) await this.passTime(this.random.int(0, 4_000));
    else if (at < 0.89) this.world.clock.setNow(this.now() + this.random.pick([-3_600_000, 3_600_000]));
    else if (at < 0.92) await this.world.act((engine) => engine.snapshot().catch(() => undefined));
    else if (at < 0.94) await this.check();
    else await this.crash();
    await this.world.isDead();
    this.world.disk.faults = { log: 'none', snapshots: 'none', tape: 'none' };
    this.world.diesPublishing = false;
  }

  private drawFaults(): void {
    const { random, world } = this;
    const logFaults: Faults['log'][] = ['refuse', 'timeout_lost', 'timeout_written', 'die_before', 'die_after'];
    if (random.chance(0.2)) world.disk.faults.log = random.pick(logFaults);
    if (random.chance(0.1)) world.disk.faults.snapshots = random.pick(['refuse', 'die_before', 'die_after'] as const);
    if (random.chance(0.05)) world.disk.faults.tape = 'full';
    if (random.chance(0.05)) world.diesPublishing = true;
  }

  private now(): number {
    return this.world.clock.nowMs();
  }

  private async passTime(ms: number): Promise<void> {
    this.world.clock.advance(ms);
    await turn();
  }

  private async crash(): Promise<void> {
    const { random } = this;
    await this.world.crash({
      torn: random.chance(0.3) ? random.int(1, 6) : 0,
      damagesSnapshot: random.chance(0.3),
      downtimeMs: random.chance(0.3) ? random.int(0, 120_000) : random.int(0, 2_000),
    });
  }

  private async feed(): Promise<void> {
    const { random, world } = this;
    await this.passTime(random.int(0, 700));
    if (await world.isDead()) return;
    const how = random.next();
    if (how < 0.2) return this.readFile();
    const items = this.market.draw(this.now(), random.int(1, 25));
    if (how < 0.6) {
      const batchId = random.chance(0.3) ? `b${this.commands.nextName()}` : undefined;
      const input = inputOf(items, this.now(), 'live', batchId === undefined ? {} : { batchId });
      const twice = (engine: Engine) =>
        Promise.all([engine.processMarketData(input), batchId && engine.processMarketData(input)]);
      const acted = await world.act(twice);
      if (acted.kind === 'done' && batchId !== undefined) assert.equal(acted.value[0], acted.value[1]);
      return;
    }
    for (const item of items) {
      world.engine.intake(JSON.stringify([item]), { source: 'wire', arrivalMs: this.now() });
      if (random.chance(0.1)) await turn();
    }
    await turn();
  }

  /** A file goes on where the engine says it is, or a bit before. */
  private async readFile(): Promise<void> {
    const { random, world } = this;
    const taken = world.engine.feedRow('file');
    const from = Math.max(1, taken + 1 - random.int(0, 5));
    const count = random.int(5, 40);
    this.rows = Math.max(this.rows, from + count - 1);
    const items = Array.from({ length: count }, (_, i) => fileItem(from + i));
    const position = { feed: 'file', row: from };
    await world.act((engine) => engine.processMarketData(inputOf(items, this.now(), 'ordered', { position })));
  }
}

/** Row `row` of the file that is replayed: the same whenever it is read. */
function fileItem(row: number): MarketItem {
  const price = 300 + Math.round(40 * Math.sin(row / 9)) + (row % 7);
  return tick('FILE', Date.UTC(2025, 5, 2) + row * 330, price, { source: 'file', volume: row % 5 });
}
