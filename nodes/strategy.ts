/** `strategy`: one strategy on the canvas, registered by being deployed. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { LiveEngine, Signal } from '../src/index';
import { EngineError, limits } from '../src/index';
import { DecisionPort, marketMessage, marketOf, readMarket, signalMessages } from './market';
import { common, type Definition, defineNode, type Message, type Shell, setting } from './shell';

const config = z.object({
  ...common,
  strategyType: setting.text('moving_average_crossover'),
  symbols: setting.words(),
  timeframe: setting.text(),
  state: setting.choice(['active', 'shadow', 'paused'], 'active'),
  capital: setting.optional(0, 9e10),
  allowShort: setting.flag(true),
  parameters: z.record(z.string(), z.unknown()).default({}),
  format: setting.choice(['object', 'text'], 'object'),
  decisions: setting.choice(['off', 'changes', 'all'], 'changes'),
});
type Config = z.output<typeof config>;

const message = marketMessage.extend({ action: z.enum(['pause', 'resume']).optional() });

/** Of a node's id, and of how often its strategy was archived before: an archived id is never used again. */
function strategyIdOf(type: string, nodeId: string, generation: number): string {
  const plain = nodeId.toLowerCase().replace(/[^a-z0-9_-]/g, '_');
  const room = 63 - type.length - (generation > 1 ? 3 : 0);
  const tail = plain.length <= room ? plain : createHash('sha256').update(nodeId).digest('hex').slice(0, 16);
  return generation > 1 ? `${type}_${tail}_${generation}` : `${type}_${tail}`;
}

const generations = 99;

function viewOf(engine: LiveEngine, strategyId: string) {
  try {
    return engine.strategy(strategyId);
  } catch (thrown) {
    if (thrown instanceof EngineError && thrown.code === 'NotFoundError') return null;
    throw thrown;
  }
}

/** The settings that make a version, and a mark of them that the version's author carries. */
function settingsOf(shell: Shell<Config>) {
  const { strategyType, symbols, timeframe, state, parameters, name } = shell.config;
  const settings = { parameters, symbols, timeframe: timeframe === '' ? 'auto' : timeframe, state };
  const mark = createHash('sha256')
    .update(JSON.stringify({ ...settings, name }))
    .digest('hex')
    .slice(0, 12);
  const label = name === '' ? `${strategyType} ${shell.node.id}` : name;
  return {
    settings: { ...settings, name: label },
    actor: `node:${shell.node.id}`,
    mark: `node:${shell.node.id}#${mark}`,
  };
}

/** Values a changed form resets: what it leaves empty has its default again. */
function defaultsOf(engine: LiveEngine, strategyType: string): Record<string, unknown> {
  const type = engine.types().types.find((one) => one.type === strategyType);
  const properties = type?.parameters.get('properties');
  const defaults: Record<string, unknown> = {};
  if (!(properties instanceof Map)) return defaults;
  for (const [name, schema] of properties) {
    const value = schema instanceof Map ? schema.get('default') : undefined;
    if (value !== undefined && typeof value !== 'object') defaults[String(name)] = value;
  }
  return defaults;
}

/** Registers the node's strategy, or brings it up to the node's settings; the same settings again change nothing. */
async function enrol(shell: Shell<Config>, engine: LiveEngine): Promise<string> {
  const { strategyType, capital, allowShort } = shell.config;
  const { settings, mark } = settingsOf(shell);
  for (let generation = 1; generation <= generations; generation++) {
    const strategyId = strategyIdOf(strategyType, shell.node.id, generation);
    const view = viewOf(engine, strategyId);
    if (view?.state === 'archived') continue;
    if (!view) {
      const capitalField = capital === null ? {} : { capital };
      await engine.register({ strategyType, strategyId, ...settings, ...capitalField, allowShort, actor: mark });
      return strategyId;
    }
    if (view.capital !== capital || view.allowShort !== allowShort) {
      shell.log.warn(
        `capital and short selling are fixed when a strategy begins: ${strategyId} gives way to a new one`,
      );
      await engine.archive(strategyId, mark);
      continue;
    }
    const ofNode = engine.versions(strategyId).versions.filter((one) => one.actor.startsWith(mark.slice(0, -12)));
    if (ofNode.at(-1)?.actor === mark) return strategyId;
    const parameters = { ...defaultsOf(engine, strategyType), ...settings.parameters };
    await engine.update(strategyId, { ...settings, parameters, actor: mark });
    return strategyId;
  }
  throw new EngineError('ConflictError', 'this node was deleted and restored too often: add a new one');
}

/** A node whose type was changed leaves a strategy of the old type behind. */
async function archiveOthers(shell: Shell<Config>, engine: LiveEngine, keep: string): Promise<void> {
  const actor = `node:${shell.node.id}#`;
  let cursor: string | undefined;
  do {
    const page = engine.strategies(cursor === undefined ? {} : { cursor });
    for (const { strategyId, state } of page.strategies) {
      if (strategyId === keep || state === 'archived') continue;
      if (engine.versions(strategyId).versions[0]?.actor.startsWith(actor)) await engine.archive(strategyId, actor);
    }
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
}

class StrategyNode {
  private readonly shell: Shell<Config>;
  private readonly decisions: DecisionPort;
  private readonly fed = new Set<string>();
  /** Signals that may have waited in Node-RED when it was killed, until their symbol comes through this node again. */
  private again: readonly Signal[] = [];
  private enrolled: { readonly engine: LiveEngine; readonly strategyId: string } | null = null;
  private enrolling: Promise<{ readonly engine: LiveEngine; readonly strategyId: string }> | null = null;
  private signals = 0;
  private isWarm = false;
  private paused = false;

  constructor(shell: Shell<Config>) {
    this.shell = shell;
    this.decisions = new DecisionPort(shell.config.decisions);
    shell.status('grey', 'registering', 'ring');
    shell.whenEngine(async (engine) => void (await this.ready(engine)));
  }

  /** The registered strategy; one registration at a time, tried again by whoever asks after it failed. */
  private async ready(known?: LiveEngine) {
    if (this.enrolled) return this.enrolled;
    // Without a pause where the engine is known: market data that waits for the engine too must find it on its way.
    const engine = known ?? (await this.shell.engine());
    if (this.enrolled) return this.enrolled;
    this.enrolling ??= this.enrol(engine).finally(() => {
      this.enrolling = null;
    });
    return this.enrolling;
  }

  private async enrol(engine: LiveEngine) {
    const strategyId = await marketOf(engine).arrive(enrol(this.shell, engine));
    await archiveOthers(this.shell, engine, strategyId);
    this.enrolled = { engine, strategyId };
    if (this.shell.isClosed) return this.enrolled;
    this.again = engine.recent().filter((signal) => signal.strategyId === strategyId);
    this.shell.onClose(marketOf(engine).onLoose((signal) => this.loose(signal)));
    this.paused = engine.strategy(strategyId).state === 'paused';
    if (this.paused) this.shell.status('blue', 'paused');
    else this.shell.status('grey', 'waiting for data', 'ring');
    return this.enrolled;
  }

  async input(msg: z.output<typeof message> & Message, send: (outputs: readonly (readonly Message[])[]) => void) {
    const { engine, strategyId } = await this.ready();
    if (msg.action !== undefined) {
      this.paused = msg.action === 'pause';
      const state = this.paused ? 'paused' : this.shell.config.state === 'shadow' ? 'shadow' : 'active';
      await engine.update(strategyId, { state, actor: `message:${this.shell.node.id}` });
      this.shell.status(this.paused ? 'blue' : 'green', this.paused ? 'paused' : 'resumed');
      return;
    }
    const input = readMarket(engine, msg);
    for (const { symbol } of input.items) if (this.fed.size < limits.symbols) this.fed.add(symbol);
    if (this.again.length > 0) this.sendAgain();
    const result = await marketOf(engine).process(input);
    const own = <T extends { readonly strategyId: string }>(all: readonly T[]) =>
      all.filter((one) => one.strategyId === strategyId);
    const signals = own(result.signals);
    this.signals += signals.length;
    send([signalMessages(msg, signals, this.shell.config.format), this.decisions.messages(msg, own(result.decisions))]);
    this.show(engine, strategyId, result.executionTimeMs);
  }

  /** A signal that time alone made, of a symbol that comes through this node. */
  private loose(signal: Signal): void {
    if (signal.strategyId !== this.enrolled?.strategyId || !this.fed.has(signal.symbol)) return;
    this.signals++;
    this.shell.node.send([[...signalMessages({}, [signal], this.shell.config.format)], []]);
  }

  private sendAgain(): void {
    const due = this.again.filter(({ symbol }) => this.fed.has(symbol));
    this.again = this.again.filter(({ symbol }) => !this.fed.has(symbol));
    this.signals += due.length;
    if (due.length > 0) this.shell.node.send([[...signalMessages({}, due, this.shell.config.format)], []]);
  }

  private show(engine: LiveEngine, strategyId: string, tookMs: number): void {
    if (this.paused) return;
    if (engine.role() === 'standby') {
      this.shell.status('blue', 'standby', 'ring');
      return;
    }
    this.isWarm = this.isWarm || this.signals > 0 || engine.strategy(strategyId).warm;
    if (!this.isWarm) this.shell.status('yellow', 'warming up', 'ring');
    else if (this.shell.config.state === 'shadow') this.shell.status('blue', 'shadow');
    else this.shell.status('green', `${this.signals} sig · ${Math.ceil(tookMs)} ms`);
  }

  /** A deleted node archives its strategy; a restarted one leaves it as it is. */
  async close(removed: boolean): Promise<void> {
    if (!removed) return;
    const { engine, strategyId } = this.enrolled ?? (await this.ready());
    await engine.archive(strategyId, `node:${this.shell.node.id}`);
  }
}

export const definition: Definition<typeof config, typeof message> = {
  type: 'strategy-engine-strategy',
  version: 1,
  config,
  message,
  inOrder: true,
  ports: { count: 2 },
  open(shell) {
    const node = new StrategyNode(shell);
    return { input: (msg, send) => node.input(msg, send), close: (removed) => node.close(removed) };
  },
};

export default defineNode(definition);
