/** `market data in`: ticks from a Redis channel or stream, checked, in batches, with every gap told. */
import { z } from 'zod';
import type { EngineDoor, Feed, FeedState, Gap, LiveEngine, MarketItem } from '../src/index';
import {
  asEngineError,
  createPubSubFeed,
  EngineError,
  gapToWire,
  limits,
  marketItemToWire,
  parseMarketText,
  redisUrlWithPassword,
  systemClock,
} from '../src/index';
import { isGoingOn, type Lease, Registry, releaseGraceMs } from './registry';
import type { EngineNode } from './shell';
import {
  common,
  type Definition,
  defineNode,
  type Fill,
  nextBatchId,
  type Running,
  type Shell,
  setting,
} from './shell';
import { StreamNode } from './stream-source';

const config = z.object({
  ...common,
  redisUrl: setting.text(),
  from: setting.choice(['channel', 'stream'], 'channel'),
  stream: setting.text('strategy_engine:input'),
  group: setting.text('strategy_engine'),
  partition: setting.optional(0, 999_999),
  channel: setting.text('strategy_engine_input'),
  sharded: setting.flag(),
  emit: setting.choice(['batch', 'single'], 'batch'),
  assetType: setting.choice(['', 'crypto', 'forex', 'commodity', 'index', 'equity'], ''),
});
type Config = z.output<typeof config>;

/** How a state looks; a gap shows as long as it is the last thing that happened. */
const looks: Readonly<Record<FeedState, readonly [Fill, 'dot' | 'ring', string]>> = {
  connecting: ['yellow', 'ring', 'connecting'],
  up: ['green', 'dot', 'connected'],
  stale: ['yellow', 'dot', 'no answer'],
  down: ['red', 'ring', 'redis down'],
  closed: ['grey', 'ring', 'closed'],
};

/** The channel's Redis: the node's own, else the engine's, else the one of this machine. */
function urlOf(shell: Shell<Config>): string {
  const holder = shell.RED.nodes.getNode(shell.config.engine) as EngineNode | null;
  const own = shell.config.redisUrl;
  const { redisPassword } = shell.node.credentials as { redisPassword?: string };
  if (own === '' || /^\$\{\w+\}$/.test(own)) return holder?.redisUrl ?? 'redis://127.0.0.1:6379';
  // One that cannot be read is refused where it is opened, and not repeated.
  return redisPassword ? redisUrlWithPassword(own, redisPassword) : own;
}

/** The subscription, which outlives its node: what comes in between waits for the next one. */
interface Held {
  readonly feed: Feed;
  node: ChannelNode | null;
  /** Told while there was no node; at most `limits.intakeTicks`, then it is a gap. */
  readonly waiting: ((node: ChannelNode) => void)[];
  lostFromMs: number | null;
  state: FeedState;
}

const feeds = new Registry<Held>(({ feed }) => feed.close());

function tellOrKeep(held: Held, tell: (node: ChannelNode) => void): void {
  if (held.node) tell(held.node);
  else if (held.waiting.length < limits.intakeTicks) held.waiting.push(tell);
  else held.lostFromMs ??= Date.now();
}

function subscribe(shell: Shell<Config>, name: string): Lease<Held> {
  const { channel, sharded } = shell.config;
  const url = urlOf(shell);
  return feeds.acquire(`${shell.node.id}:${channel}`, { url, channel, sharded }, async () => {
    const edges = { clock: systemClock, logger: shell.log, random: Math.random };
    const feed = createPubSubFeed({ url, channel, sharded, name, ...edges });
    const held: Held = { feed, node: null, waiting: [], lostFromMs: null, state: 'connecting' };
    await feed.start({
      message: (text, arrivalMs) => tellOrKeep(held, (node) => node.message(text, arrivalMs)),
      state: (state, message) => {
        held.state = state;
        held.node?.become(state, message);
      },
      gap: (gap) => tellOrKeep(held, (node) => node.gap(gap)),
    });
    return held;
  });
}

function attach(held: Held, node: ChannelNode, name: string): void {
  held.node = node;
  node.become(held.state, held.state);
  for (const tell of held.waiting.splice(0)) tell(node);
  if (held.lostFromMs === null) return;
  node.gap({
    source: name,
    fromMs: held.lostFromMs,
    toMs: Date.now(),
    lost: null,
    reason: 'too much came during a deploy',
  });
  held.lostFromMs = null;
}

class ChannelNode {
  private readonly shell: Shell<Config>;
  private readonly engine: LiveEngine;
  private readonly component: string;
  private items: MarketItem[] = [];
  private cancelFlush: (() => void) | null = null;
  private received = 0;
  private state: FeedState = 'connecting';
  private gapMs = 0;

  constructor(shell: Shell<Config>, engine: LiveEngine, name: string) {
    this.shell = shell;
    this.engine = engine;
    this.component = `input:${name}`;
  }

  message(text: string, arrivalMs: number): void {
    const { channel, assetType } = this.shell.config;
    try {
      const context = {
        arrivalMs,
        source: `redis:${channel}`,
        door: 'live' as const,
        ...(this.engine as EngineDoor).marketRules,
      };
      const typed = assetType === '' ? context : { ...context, assetTypeOf: () => assetType };
      const { items, rejected } = parseMarketText(text, typed);
      for (const item of items) this.add(assetType === '' || item.kind === 'partial' ? item : { ...item, assetType });
      const raw = text.slice(0, limits.deadLetterChars);
      for (const { index, path, message } of rejected) this.reject({ index, path, message, raw });
    } catch (thrown) {
      this.reject({
        index: 0,
        path: '',
        message: asEngineError(thrown).message,
        raw: text.slice(0, limits.deadLetterChars),
      });
    }
  }

  private reject(payload: Readonly<Record<string, unknown>>): void {
    this.shell.node.send([null, { topic: 'rejected', payload }]);
  }

  private add(item: MarketItem): void {
    this.items.push(item);
    this.received++;
    if (this.items.length >= limits.ticksPerBatch) this.flush();
    else this.cancelFlush ??= this.shell.after(limits.nodeBatchMs, () => this.flush());
  }

  private flush(): void {
    this.cancelFlush?.();
    this.cancelFlush = null;
    const { items } = this;
    if (items.length === 0 || this.shell.isClosed) return;
    this.items = [];
    const { channel, emit } = this.shell.config;
    if (emit === 'batch') {
      this.shell.node.send([{ topic: channel, payload: items.map(marketItemToWire), batch_id: nextBatchId() }, null]);
    } else {
      const single = items.map((item) => ({
        topic: item.symbol,
        payload: marketItemToWire(item),
        batch_id: nextBatchId(),
      }));
      this.shell.node.send([single, null]);
    }
    this.show();
  }

  become(state: FeedState, message: string): void {
    this.state = state;
    const health = state === 'up' ? 'up' : state === 'down' ? 'down' : 'degraded';
    if (!this.shell.isClosed) this.engine.report({ component: this.component, health, message });
    this.show();
  }

  gap(gap: Gap): void {
    this.gapMs = gap.toMs - gap.fromMs;
    this.engine.reportGap(gap);
    this.shell.node.send([null, { topic: 'gap', payload: gapToWire(gap) }]);
    this.show();
    // Green again once the gap is old news; it stays counted in the engine's summary.
    this.shell.after(limits.gapShownMs, () => {
      this.gapMs = 0;
      this.show();
    });
  }

  /** Answers what has not left yet, for the node that comes next. */
  close(willGoOn: boolean): readonly MarketItem[] {
    if (!willGoOn) this.engine.forget(this.component);
    return this.items.splice(0);
  }

  /** What the node before could not send any more. */
  takeOver(items: readonly MarketItem[]): void {
    for (const item of items) this.add(item);
  }

  private show(): void {
    const [fill, shape, text] = looks[this.state];
    if (this.state !== 'up') this.shell.status(fill, text, shape);
    else if (this.gapMs > 0) this.shell.status('yellow', `gap ${Math.max(1, Math.round(this.gapMs / 1_000))} s`);
    else this.shell.status('green', this.received > 0 ? `${this.received} ticks` : text);
  }
}

function openChannel(shell: Shell<Config>): Running<unknown> {
  const name = `redis:${shell.config.channel}`;
  let lease: Lease<Held> | null = null;
  let held: Held | null = null;
  let node: ChannelNode | null = null;
  shell.whenEngine(async (engine) => {
    lease = subscribe(shell, name);
    held = await lease.value;
    if (shell.isClosed) return;
    node = new ChannelNode(shell, engine, name);
    attach(held, node, name);
    shell.onClose(() => {
      if (held?.node === node) held.node = null;
    });
  });
  return {
    async close(removed) {
      const willGoOn = isGoingOn() && !removed;
      const left = node?.close(willGoOn) ?? [];
      if (left.length > 0) held?.waiting.unshift((next) => next.takeOver(left));
      const released = lease?.release(willGoOn ? releaseGraceMs() : 0);
      if (!willGoOn) await released;
    },
  };
}

/** Nothing outlives the node: the engine knows what it has taken, and the next one goes on from there. */
function openStream(shell: Shell<Config>): Running<unknown> {
  let node: StreamNode | null = null;
  shell.whenEngine(async (engine) => {
    if (shell.config.stream === '') throw new EngineError('ValueError', 'stream: name the stream to read');
    node = new StreamNode(shell, engine, { ...shell.config, url: urlOf(shell) });
    await node.start();
  });
  return { close: () => node?.close() };
}

export const definition: Definition<typeof config> = {
  type: 'strategy-engine-market-data-in',
  version: 2,
  config,
  credentials: { redisPassword: { type: 'password' } },
  migrations: [
    (saved) => saved,
    // Until then there were channels only.
    (saved) => ({ ...saved, from: 'channel' }),
  ],
  ports: { count: 2 },
  open(shell) {
    shell.status('yellow', 'connecting', 'ring');
    return shell.config.from === 'stream' ? openStream(shell) : openChannel(shell);
  },
};

export default defineNode(definition);
