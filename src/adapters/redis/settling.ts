/**
 * After Redis was started anew, or another server took its place, the processes of an engine first put back what it has
 * lost, and only then add to the log: whoever came first could else take the numbers of events that another one knows.
 */
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { Clock } from '../../live/ports';
import type { RedisConnection } from './connection';
import type { EngineKeys } from './keys';
import type { PeersFile } from './peers-file';
import { createScript } from './script';

export interface SettlingOptions {
  readonly connection: RedisConnection;
  readonly keys: EngineKeys;
  readonly clock: Clock;
  /** Names this process among the members. */
  readonly holder: string;
  /** Puts back what this process knows and the log has not. */
  readonly putBack: () => Promise<void>;
  /** Told when it may be added to the log again. */
  readonly onSettled: () => void;
}

/**
 * Notes that a process has put back all it knows. KEYS settled, members · ARGV the server, the process, member ms
 * Answer: members that live · processes that have, on this server.
 */
const noteScript = createScript(`
if redis.call('HGET', KEYS[1], 'server') ~= ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'server', ARGV[1])
end
redis.call('HSET', KEYS[1], 'by:' .. ARGV[2], '1')
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
return { redis.call('ZRANGEBYSCORE', KEYS[2], nowMs - tonumber(ARGV[3]), '+inf'), redis.call('HKEYS', KEYS[1]) }`);

export class Settling {
  private readonly options: SettlingOptions;
  private isSettled = false;
  private hasBegun = false;
  /** The server on which this process has settled. */
  private server: string | null = null;
  /** Processes that lived when this one was settled last. */
  private peers: ReadonlySet<string> = new Set();
  private keepPeers: (holders: readonly string[]) => void = () => {};
  private backAtMs = 0;
  /** What the last look failed with. */
  private trouble: unknown = null;
  private cancel: () => void = () => {};
  /** Counts the connections, so that what was asked on an earlier one is not taken for an answer of this one. */
  private session = 0;

  constructor(options: SettlingOptions) {
    this.options = options;
  }

  /** Why nothing may be added to the log now. */
  refusal(): EngineError | null {
    if (this.isSettled) return null;
    if (this.trouble !== null) return this.options.connection.errorOf(this.trouble);
    const message =
      'Redis was started anew: nothing is written before all processes of this engine have put back what it may have lost';
    return new EngineError('ConnectionError', message, { retryAfterS: 1 });
  }

  /** Those that lived when the last life of this process heard of them, and where to keep them from now on. */
  remembering({ read, write }: PeersFile): void {
    this.peers = new Set(read());
    this.keepPeers = write;
  }

  /** Who lives, as the lease has heard. */
  heard(members: readonly string[]): void {
    if (!this.isSettled) return;
    const { peers } = this;
    this.peers = new Set(members);
    if (members.length !== peers.size || members.some((one) => !peers.has(one))) this.keepPeers(members);
  }

  /** The connection is gone: with the next one it may be another server. */
  lost(): void {
    this.isSettled = false;
    this.trouble = null;
    this.session += 1;
    this.cancel();
  }

  /** The connection is there. */
  back(): void {
    if (this.hasBegun) void this.begin();
  }

  /** From now on every connection is settled on; settles when it was tried. Never rejects. */
  async begin(): Promise<void> {
    this.lost();
    this.hasBegun = true;
    this.backAtMs = this.options.clock.monotonicMs();
    await this.look(this.session);
  }

  close(): void {
    this.lost();
    this.hasBegun = false;
  }

  private async look(session: number): Promise<void> {
    const { clock, onSettled } = this.options;
    let isDone = false;
    let trouble: unknown = null;
    try {
      isDone = await this.tried();
    } catch (thrown) {
      trouble = thrown;
    }
    if (session !== this.session) return;
    this.trouble = trouble;
    if (isDone) {
      this.isSettled = true;
      onSettled();
    } else this.cancel = clock.after(limits.settlePollMs, () => void this.look(session));
  }

  private async tried(): Promise<boolean> {
    const { connection, keys, clock, holder, putBack } = this.options;
    const server = await serverOf(connection);
    if (server === this.server) return true;
    await putBack();
    const args = [server, holder, limits.memberMs];
    const answer = await noteScript.run(connection.client, [keys.settled, keys.members], args);
    const [members, settled] = answer as readonly [readonly string[], readonly string[]];
    const missing = [...members, ...this.peers].filter((one) => one !== holder && !settled.includes(`by:${one}`));
    if (missing.length > 0 && clock.monotonicMs() - this.backAtMs < limits.settleMs) return false;
    this.server = server;
    return true;
  }
}

/** What names a server from its start to its end; of one that does not tell, one name for all of its lives. */
async function serverOf({ client }: RedisConnection): Promise<string> {
  const info = await client.info('server').catch((thrown: unknown) => {
    if (thrown instanceof Error && /^NOPERM|unknown command/i.test(thrown.message)) return '';
    throw thrown;
  });
  return /^run_id:(\w+)/m.exec(info)?.[1] ?? 'unknown';
}
