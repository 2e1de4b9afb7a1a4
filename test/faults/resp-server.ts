/**
 * A server of the Redis protocol that a test scripts command by command: what Redis says when it is unwell, which a
 * proxy of bytes cannot make. What the script passes is done by a real Redis behind it.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { commandAt, frameEnd, isPush } from './resp-frames';

/** What becomes of one command. */
export type Act =
  | { readonly kind: 'pass' }
  /** Not done; these bytes are the answer. */
  | { readonly kind: 'say'; readonly bytes: string }
  /** Done, but these bytes are the answer. */
  | { readonly kind: 'lie'; readonly bytes: string }
  /** Done, and only the first half of the answer arrives; nothing comes after it. */
  | { readonly kind: 'half' }
  /** Not done and never answered; whatever comes on this connection waits behind it. */
  | { readonly kind: 'hang' }
  /** The connection is reset: before it is done, or when it is done but not answered. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'cut-after' };

/** An error reply, as `-LOADING Redis is loading the dataset in memory`. */
export const refusal = (text: string): Act => ({ kind: 'say', bytes: `-${text}\r\n` });
export const pass: Act = { kind: 'pass' };

/** `words` with the command's name in capitals; `nth` counts the commands since the start, from 1. */
export type Script = (words: readonly string[], nth: number) => Act;

export interface RespServer {
  readonly port: number;
  readonly url: string;
  /** Holds for commands that come from now on. */
  script(script: Script): void;
  /** Resets all connections. */
  cutAll(): void;
  /** Names of the commands that came, in order. */
  readonly seen: readonly string[];
  connections(): number;
  close(): Promise<void>;
}

/** An answer that the client still waits for. */
interface Slot {
  act: Act;
  bytes: Buffer | null;
}

const subscriptions = new Set(['SUBSCRIBE', 'UNSUBSCRIBE', 'PSUBSCRIBE', 'PUNSUBSCRIBE', 'SSUBSCRIBE', 'SUNSUBSCRIBE']);

class Session {
  private readonly client: Socket;
  private readonly redis: Socket;
  private readonly decide: (words: readonly string[]) => Act;
  private asked: Buffer = Buffer.alloc(0);
  private answered: Buffer = Buffer.alloc(0);
  /** In the order of the commands; those that Redis answers in `atRedis` too. */
  private slots: Slot[] = [];
  private atRedis: Slot[] = [];
  private isMute = false;

  constructor(client: Socket, redis: Socket, decide: (words: readonly string[]) => Act, over: () => void) {
    this.client = client;
    this.redis = redis;
    this.decide = decide;
    for (const socket of [client, redis]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        redis.destroy();
        over();
      });
    }
    client.on('data', (data) => this.commands(data));
    redis.on('data', (data) => this.replies(data));
  }

  reset(): void {
    if (!this.client.destroyed) this.client.resetAndDestroy();
    this.redis.destroy();
  }

  private commands(data: Buffer): void {
    this.asked = Buffer.concat([this.asked, data]);
    for (let command = commandAt(this.asked, 0); command !== null; command = commandAt(this.asked, 0)) {
      const raw = this.asked.subarray(0, command.end);
      this.asked = this.asked.subarray(command.end);
      const [name = '', ...rest] = command.words;
      this.command([name.toUpperCase(), ...rest], raw);
      if (this.client.destroyed) return;
    }
    this.flush();
  }

  private command(words: readonly string[], raw: Buffer): void {
    const act = this.actOn(words);
    if (act.kind === 'cut') {
      this.reset();
      return;
    }
    const slot: Slot = { act, bytes: act.kind === 'say' ? Buffer.from(act.bytes, 'latin1') : null };
    // What Redis tells about subscriptions is no answer; only the script's own word takes a place in the row.
    const isTold = subscriptions.has(words[0] ?? '') && act.kind === 'pass';
    if (!isTold) this.slots.push(slot);
    if (act.kind === 'say' || act.kind === 'hang') return;
    if (!isTold) this.atRedis.push(slot);
    this.redis.write(raw);
  }

  /** Half of what is told about a subscription is told as nothing; cut after it is cut. */
  private actOn(words: readonly string[]): Act {
    const act = this.decide(words);
    if (!subscriptions.has(words[0] ?? '')) return act;
    if (act.kind === 'half' || act.kind === 'lie') return { kind: 'hang' };
    return act.kind === 'cut-after' ? { kind: 'cut' } : act;
  }

  private replies(data: Buffer): void {
    this.answered = Buffer.concat([this.answered, data]);
    for (let end = frameEnd(this.answered, 0); end !== -1; end = frameEnd(this.answered, 0)) {
      const frame = this.answered.subarray(0, end);
      this.answered = this.answered.subarray(end);
      if (isPush(frame)) {
        if (!this.isMute) this.client.write(frame);
        continue;
      }
      const slot = this.atRedis.shift();
      if (slot === undefined) continue;
      if (slot.act.kind === 'cut-after') {
        this.reset();
        return;
      }
      slot.bytes = answerOf(slot.act, frame);
    }
    this.flush();
  }

  private flush(): void {
    while (!this.isMute && this.slots[0]?.bytes != null) {
      const slot = this.slots.shift();
      if (slot?.bytes != null) this.client.write(slot.bytes);
      if (slot?.act.kind === 'half') this.isMute = true;
    }
  }
}

function answerOf(act: Act, frame: Buffer): Buffer {
  if (act.kind === 'lie') return Buffer.from(act.bytes, 'latin1');
  return act.kind === 'half' ? frame.subarray(0, Math.ceil(frame.length / 2)) : frame;
}

class ScriptedServer implements RespServer {
  port = 0;
  url = '';
  readonly seen: string[] = [];
  private readonly sessions = new Set<Session>();
  private readonly listener: Server;
  private decide: Script = () => pass;

  constructor(redisPort: number) {
    this.listener = createServer((client) => {
      const redis = connect(redisPort, '127.0.0.1');
      const session = new Session(
        client,
        redis,
        (words) => {
          this.seen.push(words[0] ?? '');
          return this.decide(words, this.seen.length);
        },
        () => this.sessions.delete(session),
      );
      this.sessions.add(session);
    });
  }

  listen(): Promise<this> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(0, '127.0.0.1', () => {
        const address = this.listener.address();
        this.port = typeof address === 'object' && address !== null ? address.port : 0;
        this.url = `redis://127.0.0.1:${this.port}`;
        resolve(this);
      });
    });
  }

  script(script: Script): void {
    this.decide = script;
  }

  cutAll(): void {
    for (const session of this.sessions) session.reset();
  }

  connections(): number {
    return this.sessions.size;
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.listener.close(() => resolve()));
  }
}

/** Starts one on a free loopback port before the real Redis at `redisPort`. */
export function startRespServer(redisPort: number): Promise<RespServer> {
  return new ScriptedServer(redisPort).listen();
}

/** Passes all but the `k`-th command that is `counted`: that gets `act`. */
export function failingAt(k: number, act: Act, counted: (words: readonly string[]) => boolean = () => true): Script {
  let n = 0;
  return (words) => (counted(words) && ++n === k ? act : pass);
}
