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
  /** Puts back what this process knows; answers the end of the log on which nothing else follows, `null` when all is there. */
  readonly putBack: () => Promise<number | null>;
  /** The rest cannot be put back: nobody has what is missing before it. */
  readonly giveUp: () => Promise<void>;
  /** Told when it may be added to the log again. */
  readonly onSettled: () => void;
}

/**
 * Notes how far a process is: 'done' with all it knows, or the end of the log on which nothing followed that it knows.
 * KEYS settled, members, log · ARGV the server, the process, member ms, its note
 * Answer: members that live · the end of the log · name and note of each process of this server.
 */
const noteScript = createScript(`
if redis.call('HGET', KEYS[1], 'server') ~= ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'server', ARGV[1])
end
redis.call('HSET', KEYS[1], 'by:' .. ARGV[2], ARGV[4])
if redis.call('HLEN', KEYS[1]) > ${limits.settledNotes} then
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local holder = string.match(field, '^by:(.*)$')
    if holder and holder ~= ARGV[2] and not redis.call('ZSCORE', KEYS[2], holder) then redis.call('HDEL', KEYS[1], field) end
  end
end
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
local members = redis.call('ZRANGEBYSCORE', KEYS[2], nowMs - tonumber(ARGV[3]), '+inf')
return { members, newest and tonumber(string.match(newest[1], '^%d+')) or 0, redis.call('HGETALL', KEYS[1]) }`);

const done = 'done';

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
    const { connection, clock, putBack, giveUp } = this.options;
    const server = await serverOf(connection);
    if (server === this.server) return true;
    const shortAt = await putBack();
    const isLate = clock.monotonicMs() - this.backAtMs >= limits.settleMs;
    if (!(await this.areOthersDone(server, shortAt)) && !isLate) return false;
    if (shortAt !== null) {
      await giveUp();
      await this.note(server, null);
    }
    this.server = server;
    return true;
  }

  /** Or have nothing that follows on the end of the log, like this one. */
  private async areOthersDone(server: string, shortAt: number | null): Promise<boolean> {
    const { holder } = this.options;
    const { members, end, notes } = await this.note(server, shortAt);
    if (shortAt !== null && shortAt !== end) return false;
    const isDone = (note: string | undefined) => note === done || note === String(end);
    return [...members, ...this.peers].every((one) => one === holder || isDone(notes.get(`by:${one}`)));
  }

  private async note(server: string, shortAt: number | null) {
    const { connection, keys, holder } = this.options;
    const args = [server, holder, limits.memberMs, shortAt ?? done];
    const answer = await noteScript.run(connection.client, [keys.settled, keys.members, keys.log], args);
    const [members, end, flat] = answer as readonly [readonly string[], number, readonly string[]];
    const notes = new Map<string, string>();
    for (let i = 0; i + 1 < flat.length; i += 2) notes.set(String(flat[i]), String(flat[i + 1]));
    return { members, end, notes };
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
