/**
 * Market data from a Redis stream, pulled: an entry is read when the one before it was taken, and acknowledged when it is
 * stored. The consumer group keeps what was handed out; where reading goes on is the listener's cursor, which knows what
 * was taken. So whatever is cut, killed or taken over, each entry is taken once and in its order.
 */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import { isLaterEntry } from '../../core/domain/tick';
import type { FeedLag, FeedState, StreamEntry, StreamFeed, StreamListener } from '../../live/ports';
import { RedisConnection, redisError, retryDelayMs } from './connection';
import { FeedVoice } from './feed-voice';
import { StreamAcks } from './stream-acks';
import { StreamCommands } from './stream-commands';
import { StreamLag } from './stream-lag';
import { type StreamFeedOptions, streamKey, streamNames } from './stream-options';
import { gapOf, type Missing, StreamRanks } from './stream-ranks';
import { laterThan } from './stream-replies';
import { StreamTrimming } from './stream-trimming';
import { Waiting } from './waiting';

class RedisStreamFeed implements StreamFeed {
  readonly name: string;
  private readonly options: StreamFeedOptions;
  private readonly stream: string;
  private readonly connection: RedisConnection;
  private readonly reader: RedisConnection;
  private readonly commands: StreamCommands;
  private readonly acks: StreamAcks;
  private readonly meter: StreamLag;
  private ranks = new StreamRanks();
  private readonly waiting: Waiting;
  private listener: StreamListener | null = null;
  private wanted: 'lead' | 'follow';
  private at = '';
  private readonly voice: FeedVoice;
  private isReading = false;
  private isClosed = false;
  private isRewound = false;
  private failures = 0;
  private entryBytes = limits.streamReadBytes / limits.streamReadFirst;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private readonly trimming: StreamTrimming;
  private running: Promise<void> = Promise.resolve();

  constructor(options: StreamFeedOptions) {
    const { clock, logger } = options;
    this.options = options;
    this.stream = streamKey(options);
    this.name = `stream:${this.stream}`;
    this.wanted = options.mode ?? 'lead';
    this.waiting = new Waiting(clock);
    this.voice = new FeedVoice(this.name, clock, logger, (state, message) => this.listener?.state(state, message));
    this.connection = this.connect('commands');
    this.reader = this.connect('reader');
    const connections = { commands: this.connection, reader: this.reader };
    this.commands = new StreamCommands(streamNames(options), this.name, connections, (ms, call) =>
      clock.after(ms, call),
    );
    const { commands } = this;
    this.trimming = new StreamTrimming(commands, clock, options.keepEntries);
    this.acks = new StreamAcks({ commands, clock, logger, stored: async () => (await this.listener?.stored()) ?? '' });
    this.meter = new StreamLag({
      commands,
      clock,
      at: () => this.at,
      rank: () => this.ranks.rank,
      isLeading: () => this.wanted === 'lead',
      told: (lag) => this.voice.tell(() => this.listener?.lag(lag)),
    });
  }

  private connect(role: 'commands' | 'reader'): RedisConnection {
    return new RedisConnection({
      ...this.options,
      role,
      key: this.stream,
      onReady: () => this.waiting.wake(),
      onState: (state, message) => this.connectionState(role, state, message),
    });
  }

  async start(listener: StreamListener): Promise<void> {
    if (this.listener !== null) return;
    this.listener = listener;
    this.at = listener.cursor();
    if (this.wanted === 'lead') this.acks.start();
    this.voice.become('connecting', `connecting to ${this.connection.address}`);
    const settled = this.voice.settled();
    await Promise.all([this.connection.start(), this.reader.start()]);
    if (this.isClosed) return;
    this.running = this.run();
    this.meter.start();
    await settled;
  }

  mode(): 'lead' | 'follow' {
    return this.wanted;
  }

  rewind(): void {
    this.isRewound = true;
  }

  lag(): FeedLag | null {
    return this.meter.last;
  }

  async lead(): Promise<void> {
    this.wanted = 'lead';
    this.acks.start();
  }

  async follow(): Promise<void> {
    this.wanted = 'follow';
    await this.acks.stop();
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.meter.stop();
    if (this.connection.state === 'up') {
      // What is stored by now need not be looked at again by the next reader.
      await this.waiting.within(this.acks.once());
    }
    this.waiting.end();
    this.commands.cutRead('closed');
    await Promise.all([this.acks.stop(), this.connection.close(), this.reader.close()]);
    await this.waiting.within(this.running);
    this.voice.become('closed', 'closed');
    this.listener = null;
  }

  private connectionState(role: 'commands' | 'reader', state: FeedState, message: string): void {
    if (role === 'reader' && state === 'down') this.commands.cutRead(message);
    if (state === 'up') {
      if (this.isReading) this.reading();
      this.waiting.wake();
    } else if (state !== 'closed') this.voice.become(state, message);
  }

  /** Reads until closed. Every failure is said, and after a pause it goes on from the last entry that was taken. */
  private async run(): Promise<void> {
    while (!this.isClosed) {
      this.isReading = false;
      try {
        await this.waiting.until(() => this.connection.state === 'up' && this.reader.state === 'up');
        if (this.isClosed) return;
        await this.session(this.wanted);
      } catch (thrown) {
        if (this.isClosed) return;
        this.failed(thrown);
        await this.waiting.after(retryDelayMs(this.failures, this.options.random));
      }
    }
  }

  private failed(thrown: unknown): void {
    this.failures += 1;
    const { message } = redisError(thrown, this.connection.redact);
    const isDown = this.failures > 1 || this.connection.state === 'down' || this.reader.state === 'down';
    this.voice.become(isDown ? 'down' : 'stale', `${this.stream} cannot be read: ${message}`);
  }

  private async session(mode: 'lead' | 'follow'): Promise<void> {
    if (this.isRewound) {
      this.isRewound = false;
      this.at = this.listener?.cursor() ?? '';
      this.ranks = new StreamRanks();
    }
    if (mode === 'lead') await this.commands.createGroup();
    await this.look(mode);
    if (mode === 'lead') await this.sweep();
    this.isReading = true;
    this.reading();
    while (!this.isClosed && !this.isRewound && this.wanted === mode) {
      await this.room();
      const entries =
        mode === 'lead'
          ? await this.commands.readNew(this.pageSize())
          : await this.commands.readOn(this.at, this.pageSize());
      this.failures = 0;
      if (entries.length > 0) await this.arrived(entries, mode);
      if (this.options.clock.monotonicMs() - this.lookedAt >= limits.streamLagEveryMs) await this.look(mode);
    }
  }

  private reading(): void {
    const how = this.wanted === 'lead' ? 'reading' : 'following';
    this.voice.become('up', `${how} ${this.stream} at ${this.connection.address}`);
  }

  /** As many entries as make about `limits.streamReadBytes`, by the size of the last ones. */
  private pageSize(): number {
    const count = Math.floor(limits.streamReadBytes / Math.max(1, this.entryBytes));
    return Math.min(limits.streamReadEntries, Math.max(1, count));
  }

  /** The group hands out what it has not handed out to anybody, which need not be what comes next. */
  private async arrived(entries: readonly StreamEntry[], mode: 'lead' | 'follow'): Promise<void> {
    const fresh = laterThan(entries, this.at);
    if (mode === 'lead') {
      const seen = entries.filter(({ id }) => !isLaterEntry(id, this.at));
      if (seen.length > 0) this.acks.add(seen, this.listener?.refusals(seen) ?? []);
      if (fresh[0] !== undefined) await this.catchUp(`(${fresh[0].id}`);
    }
    await this.hand(fresh);
  }

  /** Takes what lies between the last entry taken and `to`, whoever it was handed to. */
  private async catchUp(to: string): Promise<void> {
    for (;;) {
      await this.room();
      const entries = await this.commands.range(this.at, to, this.pageSize());
      if (entries.length === 0 || this.isClosed || this.isRewound) return;
      await this.hand(entries);
    }
  }

  /** Hands entries over until they are taken. */
  private async hand(entries: readonly StreamEntry[]): Promise<void> {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.entryBytes = entries.reduce((sum, { text }) => sum + (text?.length ?? 0), 0) / entries.length;
    for (let attempt = 1; !this.isClosed && !this.isRewound; attempt++) {
      try {
        const refusals = (await this.listener?.take(entries)) ?? [];
        this.at = last.id;
        this.ranks.moved(entries.length);
        if (this.wanted === 'lead') this.acks.add(entries, refusals);
        if (attempt > 1) this.reading();
        return;
      } catch (thrown) {
        const why = thrown instanceof EngineError ? thrown.message : 'the engine failed';
        if (!(thrown instanceof EngineError)) this.options.logger.error('entries', { error: String(thrown) });
        this.voice.become('stale', `entries of ${this.stream} wait: ${why}`);
        await this.waiting.after(retryDelayMs(attempt, this.options.random));
      }
    }
  }

  /** Waits until less is unacknowledged, and says so when that takes long. */
  private async room(): Promise<void> {
    if (!this.acks.isFull) return;
    const cancel = this.options.clock.after(limits.diskStallMs, () =>
      this.voice.become('stale', `${this.acks.size} entries of ${this.stream} wait to be stored`),
    );
    await this.acks.room();
    cancel();
    if (this.isReading) this.reading();
  }

  /** Compares with the server while nothing is being read: what others were handed, what is gone, what may go. */
  private async look(mode: 'lead' | 'follow'): Promise<void> {
    this.lookedAt = this.options.clock.monotonicMs();
    const group = mode === 'lead' ? await this.commands.groupInfo() : null;
    if (mode === 'lead' && group === null) throw new Error(`NOGROUP the group of ${this.stream} is gone`);
    const stream = await this.commands.streamInfo();
    if (stream === null) return;
    const before = this.at;
    const missing = this.ranks.check(before, stream, group);
    if (missing !== null) this.gap(before, missing);
    if (group === null) return;
    const { rank } = this.ranks;
    if (rank !== null && group.deliveredId === before && before !== '' && group.read !== rank) {
      await this.commands.setRank(before, rank);
    }
    if (isLaterEntry(group.deliveredId, before)) await this.catchUp(group.deliveredId);
    if (group.pending > this.acks.size) await this.sweep();
    await this.trimming.look(stream, this.ranks, Math.max(group.pending, this.acks.size));
  }

  private gap(before: string, missing: Missing): void {
    const gap = { source: this.name, ...gapOf(before, missing, this.options.clock.nowMs()) };
    this.options.logger.warn(`${this.name}: market data is missing`, gap);
    this.voice.tell(() => this.listener?.gap(gap));
  }

  /** What any consumer was handed and did not acknowledge is ours; what of it was taken is acknowledged when stored. */
  private async sweep(): Promise<void> {
    let start = '0-0';
    do {
      await this.room();
      const { next, entries } = await this.commands.claim(start, Math.min(limits.streamAcks, this.pageSize()));
      const taken = entries.filter(({ id }) => !isLaterEntry(id, this.at));
      this.acks.add(taken, this.listener?.refusals(taken) ?? []);
      start = next;
    } while (start !== '0-0' && !this.isClosed);
  }
}

/**
 * A feed of one Redis stream (Redis 7 for counts of what is behind or missing). `start` settles with the first attempt's
 * outcome and never rejects; an outage shows as state `stale` or `down` within 3 s. Throws a
 * `ValueError` for a URL that is none.
 */
export function createStreamFeed(options: StreamFeedOptions): StreamFeed {
  return new RedisStreamFeed(options);
}
