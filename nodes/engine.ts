/** `strategy engine`: the configuration node behind all others. The engine itself lives in the registry. */
import { join, resolve } from 'node:path';
import type { NodeAPI } from 'node-red';
import { z } from 'zod';
import type { EngineOptions, LiveEngine, Logger } from '../src/index';
import { createRegistry, EngineError, openEngine, redisUrlWithPassword, typesToWire } from '../src/index';
import { flowsStopping, isGoingOn, type Lease, Registry, releaseGraceMs } from './registry';
import { common, type Definition, defineNode, type EngineNode, type Shell, setting } from './shell';

const outputChannelDefault = 'strategy_engine_output';
const policies = ['drop', 'flag', 'accept'] as const;

const config = z.object({
  name: common.name,
  version: common.version,
  engineName: setting.text('main'),
  store: setting.choice(['embedded', 'memory', 'redis', 'auto'], 'embedded'),
  path: setting.text(),
  redisUrl: setting.text(),
  outputChannel: setting.text(outputChannelDefault),
  sharded: setting.flag(),
  listen: setting.flag(),
  capital: setting.optional(0, 9e10),
  accountCurrency: setting.text(),
  maxRiskPerTrade: setting.optional(0, 100),
  maxExposure: setting.optional(0, 1_000),
  maxTotalExposure: setting.optional(0, 1_000),
  maxOpenPositions: setting.optional(1, 100_000),
  dailyLossLimit: setting.optional(0, 9e10),
  latenessMs: setting.optional(0, 60_000),
  late: setting.choice(policies, 'drop'),
  duplicate: setting.choice(policies, 'flag'),
  offMarket: setting.choice(policies, 'drop'),
});
type Config = z.output<typeof config>;

const engines = new Registry<LiveEngine>((engine) => engine.close());

/** An environment variable that is not set leaves its own name behind. */
function given(text: string): string {
  return /^\$\{\w+\}$/.test(text) ? '' : text;
}

/** Without what was left empty, so that the engine's own defaults hold. */
function filled<T extends object>(settings: T): { [K in keyof T]: Exclude<T[K], null> } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null)) as {
    [K in keyof T]: Exclude<T[K], null>;
  };
}

function redisUrlOf(shell: Shell<Config>): string {
  const url = given(shell.config.redisUrl);
  const { redisPassword } = shell.node.credentials as { redisPassword?: string };
  // One that cannot be read is refused where it is opened, and not repeated.
  return redisPassword ? redisUrlWithPassword(url, redisPassword) : url;
}

function pathOf({ RED, config: { path, engineName } }: Shell<Config>): string {
  const userDir = RED.settings.userDir ?? process.cwd();
  return given(path) === '' ? join(userDir, 'strategy-engine', engineName) : resolve(userDir, path);
}

/** `auto` is the Redis where one is named, else the folder: the same flow runs with and without one. */
function storeOf(shell: Shell<Config>, url: string): EngineOptions['store'] {
  const { store } = shell.config;
  if (store === 'memory') return { kind: 'memory' };
  if (store === 'embedded' || (store === 'auto' && url === '')) return { kind: 'embedded', path: pathOf(shell) };
  if (url === '') throw new EngineError('ValueError', 'a store in Redis needs its address');
  // A folder of its own: an embedded store may lie in the other one.
  return { kind: 'redis', url, path: join(pathOf(shell), 'local') };
}

function keyOf(options: EngineOptions, nodeId: string): string {
  const { store, name } = options;
  if (store.kind === 'memory') return `memory:${nodeId}`;
  return store.kind === 'embedded' ? `embedded:${store.path}` : `redis:${store.path}:${name}`;
}

function redisOf({ outputChannel, sharded, listen }: Config, url: string): NonNullable<EngineOptions['redis']> {
  // The channel of all engines is in no engine's slot: a sharded one has the engine's name.
  const isNamed = !sharded || outputChannel !== outputChannelDefault;
  return {
    ...{ url, sharded },
    ...(isNamed ? { outputChannel: outputChannel === '' ? null : outputChannel } : {}),
    ...(listen ? {} : { inputChannel: null }),
  };
}

function optionsOf(shell: Shell<Config>): EngineOptions {
  const { engineName, capital, accountCurrency, ...rest } = shell.config;
  const url = redisUrlOf(shell);
  const { maxRiskPerTrade, maxExposure, maxTotalExposure, maxOpenPositions, dailyLossLimit } = rest;
  const share = maxRiskPerTrade === null ? null : maxRiskPerTrade / 100;
  const { latenessMs, late, duplicate, offMarket } = rest;
  return {
    name: engineName === '' ? 'main' : engineName,
    store: storeOf(shell, url),
    ...(url === '' ? {} : { redis: redisOf(shell.config, url) }),
    ...(capital === null || capital === 0 ? {} : { capital }),
    ...(given(accountCurrency) === '' ? {} : { accountCurrency: accountCurrency.toUpperCase() }),
    risk: filled({ maxRiskPerTrade: share, maxExposure, maxTotalExposure, maxOpenPositions, dailyLossLimit }),
    marketData: filled({ latenessMs, late, duplicateTuple: duplicate, offMarket }),
  };
}

/** Node-RED's log; it outlives the node that opened the engine, as the engine does. */
function engineLogger(RED: NodeAPI, name: string): Logger {
  const line = (message: string, fields?: Readonly<Record<string, unknown>>) =>
    `[strategy-engine:${name}] ${message}${fields && Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : ''}`;
  return {
    debug: (message, fields) => RED.log.debug(line(message, fields)),
    info: (message, fields) => RED.log.info(line(message, fields)),
    warn: (message, fields) => RED.log.warn(line(message, fields)),
    error: (message, fields) => RED.log.error(line(message, fields)),
  };
}

function acquire(shell: Shell<Config>): Lease<LiveEngine> {
  const options = optionsOf(shell);
  const key = keyOf(options, shell.node.id);
  const logger = engineLogger(shell.RED, options.name);
  const lease = engines.acquire(key, options, () => openEngine({ ...options, logger }));
  if (lease.settingsDiffer)
    shell.log.warn(
      'its folder is in use by another configuration in this Node-RED: that one, and its settings, are shared',
    );
  return lease;
}

const heardOf = new WeakSet<object>();

/** Tells a deploy, which starts everything again, from a shutdown: only a deploy comes with what it changes. */
function listenToDeploys(events: NodeAPI['events']): void {
  if (heardOf.has(events)) return;
  heardOf.add(events);
  events.on('flows:stopping', ({ diff }: { diff?: object }) => {
    flowsStopping(diff !== undefined && Object.hasOwn(diff, 'globalConfigChanged'));
  });
}

export const definition: Definition<typeof config> = {
  type: 'strategy-engine',
  version: 1,
  config,
  credentials: { redisPassword: { type: 'password' } },
  ports: { count: 0 },
  setup(RED) {
    listenToDeploys(RED.events);
    const mayRead = RED.auth.needsPermission('strategy-engine.read');
    RED.httpAdmin.get('/strategy-engine/types', mayRead, (_request, response) => {
      response.json({ types: createRegistry().typeViews().map(typesToWire) });
    });
    RED.httpAdmin.get(
      '/strategy-engine/state/:id',
      RED.auth.needsPermission('strategy-engine.read'),
      (request, response) => {
        const node = RED.nodes.getNode(String(request.params.id)) as { living?: () => LiveEngine | null } | null;
        if (!node?.living) return void response.sendStatus(404);
        const summary = node.living()?.summary();
        // One that no node has asked for yet does not run.
        if (summary === undefined) return void response.json({ running: false });
        response.json({ running: true, durability: summary.durability, role: summary.role });
      },
    );
  },
  open(shell) {
    let lease: Lease<LiveEngine> | null = null;
    let living: LiveEngine | null = null;
    const holder: Pick<EngineNode, 'engine' | 'redisUrl'> & { living(): LiveEngine | null } = {
      living: () => living,
      redisUrl: redisUrlOf(shell) || null,
      async engine() {
        lease ??= acquire(shell);
        try {
          living = await lease.value;
          return living;
        } catch (thrown) {
          // Asked again, it is opened again.
          lease = null;
          throw thrown;
        }
      },
    };
    Object.assign(shell.node, holder);
    return {
      async close() {
        const released = lease?.release(releaseGraceMs());
        if (!isGoingOn()) await released;
      },
    };
  },
};

export default defineNode(definition);
