/**
 * Ticks of a Redis stream on the canvas: every message says where it stands, so that the engine takes it once, and an entry
 * is acknowledged only when the engine has stored it.
 */
import type { FeedLag, FeedState, Gap, LiveEngine, StreamEntry, StreamFeed, StreamRefusal } from '../src/index';
import {
  batchesOf,
  createStreamFeed,
  type EngineDoor,
  gapToWire,
  isLaterEntry,
  lagText,
  limits,
  marketItemToWire,
  parseMarketText,
  readEntry,
  type StreamBatch,
  systemClock,
} from '../src/index';
import type { Fill, Shell } from './shell';

export interface StreamSettings {
  readonly url: string;
  readonly stream: string;
  readonly group: string;
  readonly partition: number | null;
  readonly assetType: '' | 'crypto' | 'forex' | 'commodity' | 'index' | 'equity';
}

/** A batch on its way: it is known by its last entry, and kept until the engine has stored that. */
interface Sent {
  readonly entry: string;
  readonly entries: readonly StreamEntry[];
}

type Look = readonly [Fill, 'dot' | 'ring', string];

const looks: Readonly<Record<Exclude<FeedState, 'up'>, Look>> = {
  connecting: ['yellow', 'ring', 'connecting'],
  stale: ['yellow', 'dot', 'no answer'],
  down: ['red', 'ring', 'redis down'],
  closed: ['grey', 'ring', 'closed'],
};

export class StreamNode {
  private readonly shell: Shell<unknown>;
  private readonly engine: LiveEngine;
  private readonly settings: StreamSettings;
  private readonly feed: StreamFeed;
  private open: Sent[] = [];
  /** Last entry that was sent. */
  private at = '';
  private received = 0;
  private state: FeedState = 'connecting';
  private message = '';
  private gapMs = 0;
  private movedAt = 0;
  private sendAgainAt = 0;
  private againMs: number = limits.nodeRetryMs;
  private stopListening: () => void = () => {};
  /** Counts how often the engine's cursor went back, so that what was read before is not sent behind it. */
  private rewinds = 0;
  private isClosed = false;

  constructor(shell: Shell<unknown>, engine: LiveEngine, settings: StreamSettings) {
    const { url, stream, group, partition } = settings;
    this.shell = shell;
    this.engine = engine;
    this.settings = settings;
    this.feed = createStreamFeed({
      url,
      stream,
      group,
      ...(partition === null ? {} : { partition }),
      consumer: `node:${shell.node.id}`,
      clock: systemClock,
      logger: shell.log,
      random: Math.random,
    });
  }

  async start(): Promise<void> {
    this.at = this.engine.feedEntry(this.feed.name);
    const act = (role: 'leader' | 'standby') => void (role === 'leader' ? this.feed.lead() : this.feed.follow());
    const stops = [this.engine.onRole(act), this.engine.onRewind(() => this.rewind())];
    this.stopListening = () => {
      for (const stop of stops) stop();
    };
    act(this.engine.role());
    await this.feed.start({
      cursor: () => this.at,
      take: (entries) => this.take(entries),
      refusals: (entries) => entries.flatMap((entry) => readEntry(entry, this.feed.name, this.parse).refusals),
      stored: () => this.stored(),
      state: (state, message) => {
        this.state = state;
        this.message = message;
        this.show();
      },
      gap: (gap) => this.gap(gap),
      lag: (lag) => {
        this.engine.reportLag(this.component, lag);
        this.show();
      },
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.stopListening();
    await this.feed.close();
    this.engine.forget(this.component);
  }

  private rewind(): void {
    this.rewinds += 1;
    this.open = [];
    this.at = this.engine.feedEntry(this.feed.name);
    this.feed.rewind();
  }

  private get component(): string {
    return `input:${this.feed.name}`;
  }

  private readonly parse: Parameters<typeof readEntry>[2] = (text, { source, arrivalMs }) => {
    const { assetType } = this.settings;
    const context = { source, arrivalMs, door: 'ordered' as const, ...(this.engine as EngineDoor).marketRules };
    if (assetType === '') return parseMarketText(text, context);
    const input = parseMarketText(text, { ...context, assetTypeOf: () => assetType });
    return { ...input, items: input.items.map((item) => (item.kind === 'partial' ? item : { ...item, assetType })) };
  };

  private async take(entries: readonly StreamEntry[]): Promise<readonly StreamRefusal[]> {
    const refusals: StreamRefusal[] = [];
    const { rewinds } = this;
    let rest = entries;
    for (const batch of batchesOf(entries, this.feed.name, this.at, this.parse)) {
      await this.room();
      if (this.isClosed || rewinds !== this.rewinds) break;
      const { entry } = batch.input.position;
      const its = rest.filter(({ id }) => !isLaterEntry(id, entry));
      rest = rest.slice(its.length);
      this.send(batch);
      if (this.open.length === 0) this.movedAt = performance.now();
      this.open.push({ entry, entries: its });
      refusals.push(...batch.refusals);
      for (const refusal of batch.refusals) this.reject(refusal);
    }
    this.show();
    return refusals;
  }

  private send({ input }: StreamBatch): void {
    const { items, position } = input;
    this.at = position.entry;
    this.received += items.length;
    const first = items[0];
    const isOne = items.every(({ symbol }) => symbol === first?.symbol);
    const ticks = {
      topic: isOne && first ? first.symbol : 'market_data',
      payload: items.map(marketItemToWire),
      batch_id: `${this.feed.name}:${position.entry}`,
      feed_position: position,
    };
    this.shell.node.send([ticks, null]);
  }

  private reject({ entry, text, reason }: StreamRefusal): void {
    const payload = { index: 0, path: '', message: reason, raw: text.slice(0, limits.deadLetterChars), entry };
    this.shell.node.send([null, { topic: 'rejected', payload }]);
  }

  private async room(): Promise<void> {
    while (this.open.length >= limits.nodeBatchesOpen && !this.isClosed) {
      await this.stored();
      await new Promise<void>((resolve) => void systemClock.after(limits.streamAckMs, resolve));
    }
  }

  /** What the engine has stored leaves the window; what it could not take is sent again, in its order. */
  private async stored(): Promise<string> {
    const { entry, isRefused } = await this.engine.feedStored(this.feed.name);
    const before = this.open.length;
    this.open = this.open.filter((sent) => isLaterEntry(sent.entry, entry));
    const nowMs = performance.now();
    if (this.open.length < before) {
      this.movedAt = nowMs;
      this.againMs = limits.nodeRetryMs;
    }
    if (isRefused && this.open.length > 0 && nowMs >= this.sendAgainAt && !this.isClosed) this.sendAgain(nowMs);
    if (this.isUntaken() || this.open.length < before) this.show();
    return entry;
  }

  private sendAgain(nowMs: number): void {
    this.sendAgainAt = nowMs + this.againMs;
    this.againMs = Math.min(this.againMs * 2, limits.nodeRetryMaxMs);
    const entries = this.open.flatMap((sent) => sent.entries);
    this.open = [];
    for (const batch of batchesOf(entries, this.feed.name, this.engine.feedEntry(this.feed.name), this.parse)) {
      const { entry } = batch.input.position;
      const last = this.open.at(-1)?.entry ?? '';
      const its = entries.filter(({ id }) => isLaterEntry(id, last) && !isLaterEntry(id, entry));
      this.open.push({ entry, entries: its });
      this.received -= batch.input.items.length;
      this.send(batch);
    }
  }

  /** Nothing behind this node hands its ticks to the engine. */
  private isUntaken(): boolean {
    return this.open.length > 0 && performance.now() - this.movedAt > limits.nodeUntakenMs;
  }

  private gap(gap: Gap): void {
    this.gapMs = Math.max(1, gap.toMs - gap.fromMs);
    this.engine.reportGap(gap);
    this.shell.node.send([null, { topic: 'gap', payload: gapToWire(gap) }]);
    this.show();
    this.shell.after(limits.gapShownMs, () => {
      this.gapMs = 0;
      this.show();
    });
  }

  private show(): void {
    if (this.shell.isClosed || this.isClosed) return;
    const lag = this.feed.lag();
    const isBehind = lag !== null && lag.ageMs > limits.streamLagMs;
    const [fill, shape, text] = this.look(isBehind ? lag : null);
    this.shell.status(fill, text, shape);
    const health =
      this.state === 'up'
        ? isBehind || this.isUntaken()
          ? 'degraded'
          : 'up'
        : this.state === 'down'
          ? 'down'
          : 'degraded';
    const untaken = `${this.open.length} batches wait: no node behind this one hands them to the engine`;
    const words = this.isUntaken() ? untaken : this.message;
    this.engine.report({
      component: this.component,
      health,
      message: lag === null ? words : `${words}; ${lagText(lag)}`,
    });
  }

  private look(behind: FeedLag | null): Look {
    if (this.state !== 'up') return looks[this.state];
    if (this.isUntaken()) return ['yellow', 'ring', 'engine takes nothing'];
    if (behind !== null) return ['yellow', 'dot', `${Math.round(behind.ageMs / 1_000)} s behind`];
    if (this.gapMs > 0) return ['yellow', 'dot', `gap ${Math.max(1, Math.round(this.gapMs / 1_000))} s`];
    return ['green', 'dot', this.received > 0 ? `${this.received} ticks` : 'connected'];
  }
}
