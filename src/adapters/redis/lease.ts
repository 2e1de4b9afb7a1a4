/**
 * Who speaks for an engine that several processes keep: a key in Redis that expires, with a token that only grows.
 * What a process does in the engine's name carries the key's value, so one that lost it without knowing is refused.
 */
import { randomBytes } from 'node:crypto';
import { limits } from '../../core/domain/limits';
import type { Clock, Lease, Logger, Role } from '../../live/ports';
import type { RedisConnection } from './connection';
import type { EngineKeys } from './keys';
import { createScript } from './script';

export interface RedisLeaseOptions {
  readonly connection: RedisConnection;
  readonly keys: EngineKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Names this process: over its lives where it can, so that a new one need not wait for the end of its own lease. */
  readonly holder: string;
  /** Told the names of the processes alive, this one included. */
  readonly onMembers?: (holders: readonly string[]) => void;
}

export interface RedisLease extends Lease {
  /** The key's value while this process holds it as far as it knows; else `null`. */
  fence(): string | null;
}

/**
 * Takes the lease when it is free, keeps it when it is ours, and notes that we live.
 * KEYS lease, fence, members · ARGV holder, lease ms, member ms
 * Answer: value of the lease · ms it has left · holders of the processes alive.
 */
const beatScript = createScript(`
local held = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[3], nowMs, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', nowMs - tonumber(ARGV[3]))
redis.call('PEXPIRE', KEYS[3], ARGV[3])
if not held then
  held = redis.call('INCR', KEYS[2]) .. ':' .. ARGV[1]
  redis.call('SET', KEYS[1], held, 'PX', ARGV[2])
elseif string.match(held, '^%d+:(.*)$') == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return { held, redis.call('PTTL', KEYS[1]), redis.call('ZRANGE', KEYS[3], 0, -1) }`);

/** KEYS lease, members · ARGV value, holder. */
const releaseScript = createScript(`
redis.call('ZREM', KEYS[2], ARGV[2])
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`);

class RedisEngineLease implements RedisLease {
  private readonly options: RedisLeaseOptions;
  private readonly holder: string;
  private value = '';
  private current: Role = 'standby';
  private words = 'asking who leads';
  /** Monotonic time up to which nobody else can have taken it. */
  private validUntil = Number.NEGATIVE_INFINITY;
  /** Processes of this engine when Redis was heard last, this one included. */
  private members = 1;
  private leaderSeenMs: number | null = null;
  private predecessor: number | null = null;
  private onRole: (role: Role, message: string) => void = () => {};
  private cancel: () => void = () => {};
  private closed = false;

  constructor(options: RedisLeaseOptions) {
    this.options = options;
    this.holder = options.holder;
  }

  async start(onRole: (role: Role, message: string) => void): Promise<void> {
    await this.beat();
    this.onRole = onRole;
  }

  role(): Role {
    return this.current;
  }

  message(): string {
    return this.words;
  }

  predecessorMs(): number | null {
    return this.predecessor;
  }

  fence(): string | null {
    return this.current === 'leader' ? this.value : null;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.cancel();
    const { connection, keys } = this.options;
    await releaseScript
      .run(connection.client, [keys.lease, keys.members], [this.value, this.holder])
      .catch((thrown: unknown) => {
        this.options.logger.warn('the lease could not be given up; it ends by itself', { error: String(thrown) });
      });
  }

  private async beat(): Promise<void> {
    const { connection, keys, clock } = this.options;
    const sentAt = clock.monotonicMs();
    try {
      const args = [this.holder, limits.leaseMs, limits.memberMs];
      const answer = await beatScript.run(connection.client, [keys.lease, keys.fence, keys.members], args);
      if (!this.closed) this.heard(answer as readonly [string, number, readonly string[]], sentAt);
    } catch {
      // The connection says itself that it is down; here only the role follows from it.
      if (!this.closed) this.unheard();
    }
    if (this.closed) return;
    const pauseMs = this.current === 'leader' ? limits.leaseBeatMs : limits.leasePollMs;
    this.cancel = clock.after(pauseMs, () => void this.beat());
  }

  private heard([value, leftMs, holders]: readonly [string, number, readonly string[]], sentAt: number): void {
    const { clock } = this.options;
    this.members = holders.length;
    this.options.onMembers?.(holders);
    const isOurs = value.endsWith(`:${this.holder}`);
    if (isOurs) {
      if (this.current === 'standby') this.predecessor = this.leaderSeenMs;
      this.value = value;
      this.validUntil = sentAt + limits.leaseMs;
      const others = holders.length - 1;
      this.become('leader', others === 0 ? 'leads alone' : `leads; ${others} standby`);
      return;
    }
    // What it has left says when its holder last renewed it.
    this.leaderSeenMs = clock.nowMs() - (limits.leaseMs - Math.max(0, leftMs));
    this.become('standby', 'follows; another process leads');
  }

  /**
   * Without Redis nobody can be asked. A process that was alone goes on speaking through its own doors, since nobody
   * else could; one that was not falls silent when its lease may have passed to another.
   */
  private unheard(): void {
    if (this.current !== 'leader') return;
    if (this.members <= 1) {
      this.become('leader', 'leads alone; Redis is not heard');
      return;
    }
    if (this.options.clock.monotonicMs() < this.validUntil) return;
    this.become('standby', 'silent: Redis is not heard, and another process may lead');
  }

  private become(role: Role, message: string): void {
    if (role === this.current && message === this.words) return;
    const isNews = role !== this.current;
    this.words = message;
    this.current = role;
    if (isNews) this.options.logger.info(`lease: ${message}`);
    this.onRole(role, message);
  }
}

/** A name for a process that has none of its own. */
export const anyHolder = (): string => randomBytes(9).toString('base64url');

/** The lease of one engine in Redis. */
export function createRedisLease(options: RedisLeaseOptions): RedisLease {
  return new RedisEngineLease(options);
}
