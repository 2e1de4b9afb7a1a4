/**
 * The dead letters in Redis: looked at, and put back where they came from once what was wrong is right. Each is put back
 * and removed in one script, so that whatever is cut or killed in between neither loses nor doubles it.
 */
import { valueError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import { isLaterEntry } from '../../core/domain/tick';
import type { Clock, Logger } from '../../live/ports';
import type { DeadLetter } from '../../wire/dead-letter';
import { RedisConnection, redisError } from './connection';
import { rejectedStreamDefault } from './dead-letter';

export type { DeadLetter } from '../../wire/dead-letter';

export interface DeadLetterQuery {
  /** Part of the reason. */
  readonly reason?: string;
  /** At most so many; default `limits.pageDefault`, at most `limits.pageMax`. */
  readonly limit?: number;
  /** Where the page before ended. */
  readonly cursor?: string;
}

export interface Replayed {
  readonly replayed: number;
  /** Those that stay, and why. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
  /** Where the next call goes on; `null` at the end. */
  readonly cursor: string | null;
}

export interface DeadLetters {
  list(query?: DeadLetterQuery): Promise<{ readonly letters: readonly DeadLetter[]; readonly cursor: string | null }>;
  /** Puts letters back: where each came from, or all into the input stream or onto the input channel. */
  replay(query?: DeadLetterQuery & { readonly to?: 'stream' | 'channel' }): Promise<Replayed>;
  close(): Promise<void>;
}

export interface DeadLettersOptions {
  readonly url: string;
  /** Default `strategy_engine:rejected`. */
  readonly rejectedStream?: string;
  /** Default `strategy_engine:input`. */
  readonly stream?: string;
  /** Default `strategy_engine_input`. */
  readonly channel?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** KEYS rejected stream, target stream · ARGV letter, `stream` or the channel. 1 put back, 0 gone, -1 nobody listens. */
const replayScript = `
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
local is = {}
for i = 1, #found[1][2], 2 do is[found[1][2][i]] = found[1][2][i + 1] end
if ARGV[2] == 'stream' then
  redis.call('XADD', KEYS[2], '*', 'data', is['data'], 'attempts', tonumber(is['attempts'] or 0) + 1)
elseif redis.call('PUBLISH', ARGV[3], is['data']) == 0 then
  return -1
end
redis.call('XDEL', KEYS[1], ARGV[1])
return 1`;

type Target = { readonly kind: 'stream' | 'channel'; readonly name: string };

function letterOf([id, flat]: [string, string[]]): DeadLetter {
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), String(flat[i + 1]));
  return {
    id,
    text: fields.get('data') ?? '',
    reason: fields.get('reason') ?? '',
    at: fields.get('at') ?? '',
    source: fields.get('source') ?? null,
    attempts: Number(fields.get('attempts') ?? 0) || 0,
    cut: fields.get('cut') === '1',
  };
}

/** Where a letter came from, by the name of its feed. */
function originOf(source: string | null): Target | null {
  if (source?.startsWith('stream:')) return { kind: 'stream', name: source.slice('stream:'.length) };
  if (source?.startsWith('redis:')) return { kind: 'channel', name: source.slice('redis:'.length) };
  return null;
}

class RedisDeadLetters implements DeadLetters {
  private readonly connection: RedisConnection;
  private readonly options: DeadLettersOptions;
  private readonly rejectedStream: string;
  private started: Promise<void> | null = null;

  constructor(options: DeadLettersOptions) {
    this.options = options;
    this.rejectedStream = options.rejectedStream ?? rejectedStreamDefault;
    this.connection = new RedisConnection({
      ...options,
      role: 'commands',
      key: options.rejectedStream ?? rejectedStreamDefault,
    });
  }

  async list(query: DeadLetterQuery = {}) {
    return this.page(query, await this.lastId());
  }

  async replay(query: DeadLetterQuery & { readonly to?: 'stream' | 'channel' } = {}): Promise<Replayed> {
    // What is refused again meanwhile comes behind this one, and is not put back twice in one go.
    const { letters, cursor } = await this.page(query, await this.lastId());
    const refused: { id: string; reason: string }[] = [];
    let replayed = 0;
    for (const letter of letters) {
      const why = await this.putBack(letter, query.to);
      if (why === null) replayed++;
      else if (why !== '') refused.push({ id: letter.id, reason: why });
    }
    return { replayed, refused, cursor };
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private async asked<T>(call: () => Promise<T>): Promise<T> {
    this.started ??= this.connection.start();
    await this.started;
    try {
      return await call();
    } catch (thrown) {
      throw redisError(thrown, this.connection.redact);
    }
  }

  private async lastId(): Promise<string> {
    const [last] = await this.asked(() => this.connection.client.xrevrange(this.rejectedStream, '+', '-', 'COUNT', 1));
    return last?.[0] ?? '';
  }

  private async page({ reason, limit = limits.pageDefault, cursor }: DeadLetterQuery, upTo: string) {
    if (!Number.isInteger(limit) || limit < 1 || limit > limits.pageMax) {
      throw valueError('limit', `must be a whole number from 1 to ${limits.pageMax}`, limit);
    }
    if (cursor !== undefined && !/^\d{1,16}-\d{1,16}$/.test(cursor)) throw valueError('cursor', 'is none', cursor);
    const letters: DeadLetter[] = [];
    let after = cursor ?? '';
    while (upTo !== '' && isLaterEntry(upTo, after)) {
      const from = after === '' ? '-' : `(${after}`;
      const count = limits.deadLetterPage;
      const entries = await this.asked(() =>
        this.connection.client.xrange(this.rejectedStream, from, upTo, 'COUNT', count),
      );
      if (entries.length === 0) break;
      for (const entry of entries as [string, string[]][]) {
        const letter = letterOf(entry);
        after = letter.id;
        if (reason !== undefined && !letter.reason.includes(reason)) continue;
        letters.push(letter);
        if (letters.length === limit) return { letters, cursor: after === upTo ? null : after };
      }
    }
    return { letters, cursor: null };
  }

  /** `null` when it was put back, empty when somebody else had, else why it stays. */
  private async putBack(letter: DeadLetter, to: 'stream' | 'channel' | undefined): Promise<string | null> {
    if (letter.cut) return `only its first ${limits.deadLetterChars} bytes were kept`;
    if (letter.text === '') return 'it has no text';
    const target = this.targetOf(letter, to);
    if (target === null) return 'where it came from was not kept: say to which of stream and channel';
    const { kind, name } = target;
    const keys = [this.rejectedStream, kind === 'stream' ? name : this.rejectedStream] as const;
    const answer = await this.asked(() => this.connection.client.eval(replayScript, 2, ...keys, letter.id, kind, name));
    if (answer === -1) return `nobody listens to ${name}`;
    return answer === 0 ? '' : null;
  }

  private targetOf({ source }: DeadLetter, to: 'stream' | 'channel' | undefined): Target | null {
    const origin = originOf(source);
    if (to === undefined || origin?.kind === to) return origin;
    return to === 'stream'
      ? { kind: to, name: this.options.stream ?? 'strategy_engine:input' }
      : { kind: to, name: this.options.channel ?? 'strategy_engine_input' };
  }
}

/**
 * The dead letters of one Redis. Connects with the first call; calls reject with `ConnectionError` or `TimeoutError`. On a
 * cluster the dead letters and the input stream need one hash slot. Throws a `ValueError` for a URL that is none.
 */
export function createDeadLetters(options: DeadLettersOptions): DeadLetters {
  return new RedisDeadLetters(options);
}
