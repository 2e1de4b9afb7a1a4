/** One supervised connection to Redis: the client's settings for money, a heartbeat, and a state that can be shown. */
import type { Redis } from 'ioredis';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Clock, FeedState, Logger } from '../../live/ports';
import { openClient, type RedisRole } from './client';
import { type ClusterRoute, createRoute } from './cluster-connector';
import { parseRedisUrl, redactor } from './redis-target';
import { stateLog } from './state-log';

export type { RedisRole } from './client';

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://` with optional user, password and database number, or `redis-cluster://` with its nodes. */
  readonly url: string;
  readonly role: RedisRole;
  /** On a cluster the owner of this key's slot is connected to, and serves only keys of that slot. Absent: whichever node answers. */
  readonly key?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): the jitter of the retries. */
  readonly random: () => number;
  /** Called each time the server answers commands (again). */
  readonly onReady?: () => void;
  /** Called when it answers again after it was lost. */
  readonly onReconnect?: () => void;
  readonly onState?: (state: FeedState, message: string) => void;
}

/** Delay before attempt `attempt` (from 1), in ms: full jitter below an exponential ceiling. */
export function retryDelayMs(attempt: number, random: () => number): number {
  const ceilingMs = Math.min(limits.redisRetryMaxMs, limits.redisRetryMinMs * 2 ** Math.min(attempt, 30));
  return Math.round(limits.redisRetryMinMs + random() * (ceilingMs - limits.redisRetryMinMs));
}

/** What a Redis call failed with, as an error of the catalogue. The client's own errors carry arguments, so none is kept. */
export function redisError(thrown: unknown, redact: (text: string) => string): EngineError {
  const text = redact(thrown instanceof Error ? thrown.message : String(thrown));
  return text === 'Command timed out'
    ? silence()
    : new EngineError('ConnectionError', `Redis: ${text}`, { retryAfterS: 1 });
}

function silence(): EngineError {
  return new EngineError('TimeoutError', `Redis did not answer within ${limits.storeMs} ms`, { retryAfterS: 1 });
}

/** What the client says when somebody took the connection and then nothing came. */
const silences = /^Socket timeout|timed out|ETIMEDOUT|PINGs in a row/;

/** An answer that says no, in contrast to none. */
function isRefusal(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === 'ReplyError';
}

/**
 * A connection that comes back by itself. Dead, frozen and silent peers are noticed within 3 s. Commands go through
 * `client` and reject at once while the connection is not up, or after `limits.storeMs`; catch each of them.
 */
export class RedisConnection {
  readonly client: Redis;
  readonly redact: (text: string) => string;
  /** Calendar time at which the last answered PING was sent: all that was published before it has arrived. */
  aliveMs: number;
  private readonly options: RedisConnectionOptions;
  private readonly home: string;
  /** How the node is found; `null` where there is no cluster. */
  private readonly route: ClusterRoute | null;
  private current: FeedState = 'connecting';
  private message = '';
  private lastError = 'connection closed';
  private readonly log: (state: FeedState, message: string) => void;
  private attempts = 0;
  private readySinceMs: number | null = null;
  private wasReady = false;
  private misses = 0;
  /** It answered in this session, and does not refuse. */
  private isServed = false;
  /** The peer is there and says nothing, in contrast to one that is gone. */
  private isSilent = false;
  private heardSincePing = false;
  private cancelWatch: () => void = () => {};
  private firstOutcome: () => void = () => {};
  private closing: Promise<void> | null = null;

  constructor(options: RedisConnectionOptions) {
    this.options = options;
    this.log = stateLog(options.role, options.logger);
    this.redact = redactor(options.url);
    this.aliveMs = options.clock.nowMs();
    const target = parseRedisUrl(options.url);
    this.route = target.isCluster ? createRoute(target, options.key ?? null) : null;
    this.home = `${target.nodes[0].host}:${target.nodes[0].port}`;
    this.client = openClient(target, this.route, options.role, () => this.nextDelayMs());
    // Without an error listener the client prints to the console, and an EventEmitter throws.
    this.client.on('error', (error: Error) => {
      this.lastError = this.redact(error.message === '' ? error.name : error.message);
      this.isSilent = silences.test(error.message);
    });
    this.client.on('ready', () => this.ready());
    this.client.on('close', () => this.lost());
    // A cluster that moves a slot takes its subscribers' subscription away; the next attempt finds the new owner.
    this.client.on('moved', () => this.client.stream?.destroy(new Error('the slot moved to another node')));
  }

  /** Host and port, without credentials; on a cluster those of the node that is connected to, or was last. */
  get address(): string {
    return this.route === null ? this.home : `${this.route.current.host}:${this.route.current.port}`;
  }

  /** Whether it is one of the nodes of a cluster. */
  get isCluster(): boolean {
    return this.route !== null;
  }

  get state(): FeedState {
    return this.current;
  }

  /** What a call failed with: silence is a `TimeoutError`, also while a silent peer is being connected to again. */
  errorOf(thrown: unknown): EngineError {
    if (thrown instanceof EngineError) return thrown;
    if (this.current !== 'up' && this.isSilent) return silence();
    // That nothing can be written says nothing; why the connection is not there does.
    if (this.current === 'down') return redisError(new Error(this.message), this.redact);
    return redisError(thrown, this.redact);
  }

  /**
   * Why a call need not be made: a peer that lets PINGs wait is asked nothing more until it answers one, so callers hear
   * at once what they would else hear after a wait of their own, and nothing piles up behind it.
   */
  refusal(): EngineError | null {
    return this.current === 'stale' ? silence() : null;
  }

  /** Settles when the first attempt has succeeded or failed; never rejects, and retrying goes on either way. */
  start(): Promise<void> {
    this.aliveMs = this.options.clock.nowMs();
    const settled = new Promise<void>((resolve) => {
      const cancel = this.options.clock.after(limits.redisConnectMs + limits.storeMs, resolve);
      this.firstOutcome = () => {
        cancel();
        resolve();
      };
    });
    this.client.connect().catch(() => {});
    return settled;
  }

  /** The connection carried something, so an unanswered PING only waits behind it. */
  heard(): void {
    this.heardSincePing = true;
  }

  /** Frees the socket and every timer within a second, whatever the peer does. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    this.cancelWatch();
    this.firstOutcome();
    const { client } = this;
    const hasSocket = client.status !== 'wait' && client.status !== 'end' && client.status !== 'reconnecting';
    if (hasSocket) {
      await new Promise<void>((resolve) => {
        const cancel = this.options.clock.after(limits.redisDisconnectMs * 2, resolve);
        client.once('end', () => {
          cancel();
          resolve();
        });
        client.disconnect();
      });
      client.stream?.destroy();
    } else {
      client.disconnect();
    }
    client.removeAllListeners();
    client.on('error', () => {});
    this.become('closed', 'closed');
  }

  private nextDelayMs(): number {
    this.attempts += 1;
    return retryDelayMs(this.attempts, this.options.random);
  }

  private ready(): void {
    if (this.closing !== null) return;
    this.readySinceMs = this.options.clock.monotonicMs();
    if (this.wasReady) this.options.onReconnect?.();
    this.wasReady = true;
    this.misses = 0;
    this.isSilent = false;
    // A node may be there and not serve: then it is not up yet.
    if (this.isProbed()) this.ping();
    else this.risen();
  }

  private risen(): void {
    this.isServed = true;
    this.become('up', `connected to ${this.address}`);
    this.options.onReady?.();
    if (this.options.role !== 'reader') this.watch(limits.redisPingMs);
  }

  private lost(): void {
    this.cancelWatch();
    if (this.closing !== null) return;
    const { readySinceMs } = this;
    this.readySinceMs = null;
    this.isServed = false;
    if (readySinceMs !== null && this.options.clock.monotonicMs() - readySinceMs >= limits.redisStableMs) {
      this.attempts = 0;
    }
    this.become('down', `no connection to ${this.address}: ${this.lastError}`);
  }

  private watch(delayMs: number): void {
    this.cancelWatch();
    this.cancelWatch = this.options.clock.after(delayMs, () => this.ping());
  }

  /** Whether a read of the key is asked for instead of a PING, which a node answers also when it serves no keys. */
  private isProbed(): boolean {
    return this.route?.key != null && this.options.role === 'commands';
  }

  private ping(): void {
    const sentMs = this.options.clock.nowMs();
    const session = this.readySinceMs;
    const isOver = () => session !== this.readySinceMs || session === null || this.closing !== null;
    this.heardSincePing = false;
    const asked = this.isProbed() ? this.client.exists(this.options.key ?? '') : this.client.ping();
    asked.then(
      () => {
        if (isOver()) return;
        this.misses = 0;
        this.aliveMs = sentMs;
        if (!this.isServed) return this.risen();
        this.become('up', `connected to ${this.address}`);
        this.watch(limits.redisPingMs);
      },
      (thrown: unknown) => {
        if (isOver()) return;
        if (this.isProbed() && isRefusal(thrown)) this.refused(thrown);
        else this.missed();
      },
    );
  }

  /** It lives and does not serve the key: a part of the cluster is away, or the node is not let in yet. */
  private refused(thrown: Error): void {
    this.misses = 0;
    this.isServed = false;
    this.become('down', `${this.address} does not serve: ${this.redact(thrown.message)}`);
    this.watch(limits.redisPingMs);
  }

  private missed(): void {
    if (this.heardSincePing) {
      this.misses = 0;
      this.watch(limits.redisPingMs);
      return;
    }
    this.misses += 1;
    this.become('stale', `${this.address} did not answer a PING within ${limits.storeMs} ms`);
    if (this.misses < limits.redisPingMisses) this.ping();
    else this.client.stream?.destroy(new Error(`${this.misses} PINGs in a row were not answered`));
  }

  private become(state: FeedState, message: string): void {
    if (this.current === 'closed') return;
    // A refused password is found only by trying again: while it is down, the reason may change.
    const changed = state !== this.current || (state === 'down' && message !== this.message);
    this.current = state;
    this.message = message;
    if (changed) {
      this.log(state, message);
      this.options.onState?.(state, message);
    }
    if (state !== 'connecting') this.firstOutcome();
  }
}
