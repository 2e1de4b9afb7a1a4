/** A TCP proxy that makes the faults networks make, on command and reproducibly. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Fault =
  | { readonly kind: 'pass' }
  /** Nothing is forwarded either way and nobody is told: no FIN, no RST. New connections are accepted and hang. */
  | { readonly kind: 'freeze' }
  /** With probability `p` a chunk from the server is thrown away and the connection reset: done, but not answered. */
  | { readonly kind: 'cut-before-reply'; readonly p: number }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'throttle'; readonly bytesPerS: number }
  /** Open connections are reset, new ones as soon as they are made. */
  | { readonly kind: 'reset' };

export interface FaultProxy {
  readonly port: number;
  readonly url: string;
  set(fault: Fault): void;
  /** Replies thrown away so far. */
  cuts(): number;
  connections(): number;
  close(): Promise<void>;
}

/** A generator with a seed (mulberry32), uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Chunk {
  readonly to: Socket;
  readonly data: Buffer;
  readonly fromServer: boolean;
}

/** Two sockets and what is held back between them. */
class Pair {
  private held: Chunk[] = [];
  private heldEnds: Socket[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private busyUntilMs = 0;
  readonly client: Socket;
  readonly server: Socket;

  constructor(client: Socket, server: Socket) {
    this.client = client;
    this.server = server;
  }

  hold(chunk: Chunk): void {
    this.held.push(chunk);
  }

  holdEnd(of: Socket): void {
    this.heldEnds.push(of);
  }

  release(forward: (chunk: Chunk) => void): void {
    const { held, heldEnds } = this;
    this.held = [];
    this.heldEnds = [];
    for (const chunk of held) forward(chunk);
    for (const socket of heldEnds) socket.end();
  }

  later(delayMs: number, chunk: Chunk): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (!chunk.to.destroyed) chunk.to.write(chunk.data);
    }, delayMs);
    this.timers.add(timer);
  }

  /** Chunks leave one after the other, each taking its share of the rate. */
  throttled(bytesPerS: number, chunk: Chunk): void {
    const nowMs = Date.now();
    this.busyUntilMs = Math.max(nowMs, this.busyUntilMs) + (chunk.data.length * 1_000) / bytesPerS;
    this.later(this.busyUntilMs - nowMs, chunk);
  }

  reset(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.held = [];
    if (!this.client.destroyed) this.client.resetAndDestroy();
    if (!this.server.destroyed) this.server.destroy();
  }
}

class LoopbackProxy implements FaultProxy {
  port = 0;
  url = '';
  private readonly pairs = new Set<Pair>();
  private readonly targetPort: number;
  private readonly random: () => number;
  private readonly listener: Server;
  private fault: Fault = { kind: 'pass' };
  private cutCount = 0;

  constructor(targetPort: number, random: () => number) {
    this.targetPort = targetPort;
    this.random = random;
    this.listener = createServer({ allowHalfOpen: true }, (client) => this.accept(client));
  }

  listen(port: number): Promise<this> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(port, '127.0.0.1', () => {
        const address = this.listener.address();
        this.port = typeof address === 'object' && address !== null ? address.port : 0;
        this.url = `redis://127.0.0.1:${this.port}`;
        resolve(this);
      });
    });
  }

  set(fault: Fault): void {
    this.fault = fault;
    if (fault.kind === 'reset') for (const pair of this.pairs) pair.reset();
    if (fault.kind !== 'freeze') for (const pair of this.pairs) pair.release((chunk) => this.forward(pair, chunk));
  }

  cuts(): number {
    return this.cutCount;
  }

  connections(): number {
    return this.pairs.size;
  }

  async close(): Promise<void> {
    for (const pair of this.pairs) pair.reset();
    await new Promise<void>((resolve) => this.listener.close(() => resolve()));
  }

  private accept(client: Socket): void {
    const server = connect({ port: this.targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair = new Pair(client, server);
    this.pairs.add(pair);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      const other = socket === client ? server : client;
      socket.on('data', (data) => this.forward(pair, { to: other, data, fromServer: socket === server }));
      socket.on('error', () => {});
      // An end is a message too: a frozen network does not deliver it.
      socket.on('end', () => {
        if (this.fault.kind === 'freeze') pair.holdEnd(other);
        else other.end();
      });
      socket.on('close', () => {
        if (this.fault.kind === 'freeze' && socket === server) {
          pair.holdEnd(other);
          return;
        }
        other.destroy();
        this.pairs.delete(pair);
      });
    }
    if (this.fault.kind === 'reset') pair.reset();
  }

  private forward(pair: Pair, chunk: Chunk): void {
    const { fault } = this;
    if (chunk.to.destroyed) return;
    switch (fault.kind) {
      case 'pass':
        chunk.to.write(chunk.data);
        return;
      case 'freeze':
        pair.hold(chunk);
        return;
      case 'delay':
        pair.later(fault.delayMs, chunk);
        return;
      case 'throttle':
        pair.throttled(fault.bytesPerS, chunk);
        return;
      case 'reset':
        pair.reset();
        return;
      case 'cut-before-reply':
        if (chunk.fromServer && this.random() < fault.p) {
          this.cutCount += 1;
          pair.reset();
        } else chunk.to.write(chunk.data);
    }
  }
}

/** Starts a proxy before `targetPort`, on a free loopback port or `port`; `random` (seeded) decides the cuts. */
export function startProxy(targetPort: number, random: () => number = seeded(1), port = 0): Promise<FaultProxy> {
  return new LoopbackProxy(targetPort, random).listen(port);
}
