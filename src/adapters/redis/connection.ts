/** One supervised connection to Redis: the client's settings for money, a heartbeat, and a state that can be shown. */
import { Redis } from 'ioredis';
import { EngineError, valueError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Clock, FeedState, Logger } from '../../live/ports';
import { stateLog } from './state-log';

/**
 * What a connection is for. `commands` and `subscriber` are watched with PINGs; `reader` blocks in XREAD, which no
 * command timeout may cut, so its caller's own loop shows that it lives.
 */
export type RedisRole = 'commands' | 'subscriber' | 'reader';

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://` with optional user, password and database number. */
  readonly url: string;
  readonly role: RedisRole;
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

/** Answers a function that takes the credentials of `url` out of any text. */
export function redactor(url: string): (text: string) => string {
  const secrets = new Set<string>();
  try {
    const { password } = new URL(url);
    if (password !== '') secrets.add(password).add(decodeURIComponent(password));
  } catch {
    // A URL that cannot be read still goes through the pattern below.
  }
  return (text) => {
    let clean = text.replace(/:\/\/[^\s/]*@/g, '://***@');
    for (const secret of secrets) clean = clean.replaceAll(secret, '***');
    return clean;
  };
}

/** Where a Redis is, as its URL says. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: Record<string, never>;
}

/** Reads a Redis URL; throws a `ValueError` that never repeats it, since it may hold a password. */
export function parseRedisUrl(url: string): RedisTarget {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw valueError('url', 'must be a redis:// or rediss:// URL');
  }
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') {
    throw valueError('url', 'must be a redis:// or rediss:// URL');
  }
  const database = parsed.pathname.replace(/^\//, '');
  if (!/^\d{0,4}$/.test(database)) throw valueError('url', 'must end in a database number or nothing');
  return {
    host: parsed.hostname === '' ? '127.0.0.1' : parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    db: database === '' ? 0 : Number(database),
    ...(parsed.username === '' ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
    ...(parsed.protocol === 'rediss:' ? { tls: {} } : {}),
  };
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

function clientOptions(role: RedisRole, retry: () => number) {
  return {
    lazyConnect: true,
    // The client's queue has no bound; calls made while Redis is away fail at once instead.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // Resending a command whose reply was lost runs it twice.
    autoResendUnfulfilledCommands: false,
    // The client's resubscription is fire and forget: cut during it, it rejects unhandled and never subscribes again.
    // The feed subscribes by itself on every `ready` instead, and knows when that was confirmed.
    autoResubscribe: false,
    retryStrategy: retry,
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    connectTimeout: limits.redisConnectMs,
    disconnectTimeout: limits.redisDisconnectMs,
    maxLoadingRetryTime: limits.storeMs,
    ...(role === 'reader'
      ? { socketTimeout: limits.redisReaderSilenceMs }
      : { socketTimeout: limits.redisSilenceMs, commandTimeout: limits.storeMs }),
  };
}

/**
 * A connection that comes back by itself. Dead, frozen and silent peers are noticed within 3 s. Commands go through
 * `client` and reject at once while the connection is not up, or after `limits.storeMs`; catch each of them.
 */
export class RedisConnection {
  readonly client: Redis;
  readonly redact: (text: string) => string;
  /** Host and port, without credentials. */
  readonly address: string;
  /** Calendar time at which the last answered PING was sent: all that was published before it has arrived. */
  aliveMs: number;
  private readonly options: RedisConnectionOptions;
  private current: FeedState = 'connecting';
  private message = '';
  private lastError = 'connection closed';
  private readonly log: (state: FeedState, message: string) => void;
  private attempts = 0;
  private readySinceMs: number | null = null;
  private wasReady = false;
  private misses = 0;
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
    this.address = `${target.host}:${target.port}`;
    this.client = new Redis({ ...target, ...clientOptions(options.role, () => this.nextDelayMs()) });
    // Without an error listener the client prints to the console, and an EventEmitter throws.
    this.client.on('error', (error: Error) => {
      this.lastError = this.redact(error.message === '' ? error.name : error.message);
      this.isSilent = silences.test(error.message);
    });
    this.client.on('ready', () => this.ready());
    this.client.on('close', () => this.lost());
  }

  get state(): FeedState {
    return this.current;
  }

  /** What a call failed with: silence is a `TimeoutError`, also while a silent peer is being connected to again. */
  errorOf(thrown: unknown): EngineError {
    if (thrown instanceof EngineError) return thrown;
    if (this.current !== 'up' && this.isSilent) return silence();
    return redisError(thrown, this.redact);
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
    this.become('up', `connected to ${this.address}`);
    this.options.onReady?.();
    if (this.options.role !== 'reader') this.watch(limits.redisPingMs);
  }

  private lost(): void {
    this.cancelWatch();
    if (this.closing !== null) return;
    const { readySinceMs } = this;
    this.readySinceMs = null;
    if (readySinceMs !== null && this.options.clock.monotonicMs() - readySinceMs >= limits.redisStableMs) {
      this.attempts = 0;
    }
    this.become('down', `no connection to ${this.address}: ${this.lastError}`);
  }

  private watch(delayMs: number): void {
    this.cancelWatch();
    this.cancelWatch = this.options.clock.after(delayMs, () => this.ping());
  }

  private ping(): void {
    const sentMs = this.options.clock.nowMs();
    const session = this.readySinceMs;
    this.heardSincePing = false;
    this.client.ping().then(
      () => {
        if (session !== this.readySinceMs || this.closing !== null) return;
        this.misses = 0;
        this.aliveMs = sentMs;
        this.become('up', `connected to ${this.address}`);
        this.watch(limits.redisPingMs);
      },
      () => {
        if (session === this.readySinceMs && session !== null && this.closing === null) this.missed();
      },
    );
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
