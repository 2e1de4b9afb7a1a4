/**
 * What every node is wrapped in: the one place for try/catch, status, done and errors, closing, migration and
 * validation. A node is a `Definition`; `defineNode` makes of it what Node-RED loads.
 */
import type { Node, NodeAPI, NodeDef, NodeMessage, NodeMessageInFlow } from 'node-red';
import type { z } from 'zod';
import type { LiveEngine, Logger } from '../src/index';
import { asEngineError, EngineError, limits } from '../src/index';
import type { Message, Send } from './message';
import { answer, errorAnswer, nodeError } from './message';
import { problem } from './settings';

export type { Message, Outputs, Send } from './message';
export { answer, nextBatchId, offshoot, requestIdOf, sequence } from './message';
export { common, setting } from './settings';

export type Fill = 'red' | 'green' | 'yellow' | 'blue' | 'grey';

/** The configuration node, as the others see it. */
export interface EngineNode extends Node {
  /** The living engine; rejects when it cannot be opened, and tries again when asked again. */
  engine(): Promise<LiveEngine>;
  /** The Redis of its settings. */
  readonly redisUrl: string | null;
}

/** What an opened node does. */
export interface Running<M> {
  /** Every message in; a rejection goes where errors go. */
  input?(message: M & Message, send: Send): void | Promise<void>;
  /** `removed`: the node was deleted or disabled, not restarted. */
  close?(removed: boolean): void | Promise<void>;
}

export interface Definition<C extends z.ZodObject, M extends z.ZodType = z.ZodType> {
  /** For ever once released. */
  readonly type: string;
  /** Of the configuration; a node saved with a lower one passes through `migrations`. */
  readonly version: number;
  readonly config: C;
  /** The properties of a message that the node reads; the payload may be checked by whoever parses it. */
  readonly message?: M;
  readonly credentials?: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
  /** `migrations[i]` turns a configuration of version i into one of version i + 1. */
  readonly migrations?: readonly ((config: Record<string, unknown>) => Record<string, unknown>)[];
  /** Outputs, and which of them answers requests; without one, errors go to Catch nodes only. */
  readonly ports: { readonly count: number; readonly result?: number };
  /** Each message waits for the end of the one before it: where one may change what the next one means. */
  readonly inOrder?: boolean;
  /** Once per Node-RED, when the type is registered: admin routes. */
  setup?(RED: NodeAPI): void;
  open(shell: Shell<z.output<C>>): Running<z.output<M>>;
}

function loggerOf(node: Node): Logger {
  const text = (message: string, fields?: Readonly<Record<string, unknown>>) =>
    fields && Object.keys(fields).length > 0 ? `${message} ${JSON.stringify(fields)}` : message;
  return {
    debug: (message, fields) => node.debug(text(message, fields)),
    info: (message, fields) => node.log(text(message, fields)),
    warn: (message, fields) => node.warn(text(message, fields)),
    error: (message, fields) => node.error(text(message, fields)),
  };
}

/** One living node: its settings, and the safe ways to do things. */
export class Shell<C> {
  readonly RED: NodeAPI;
  readonly node: Node;
  readonly config: C;
  /** Node-RED's log, under the node's name. */
  readonly log: Logger;
  private readonly cleanups = new Set<() => void>();
  private waiting = 0;
  private tail: Promise<void> = Promise.resolve();
  private closed = false;
  private shown = '';
  private next: { fill: Fill; shape: 'dot' | 'ring'; text: string } | null = null;
  private shownAtMs = Number.NEGATIVE_INFINITY;

  constructor(RED: NodeAPI, node: Node, config: C) {
    this.RED = RED;
    this.node = node;
    this.config = config;
    this.log = loggerOf(node);
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Shows a status: only changes, at most two a second, at most 20 characters; the last one always arrives. */
  status(fill: Fill, text: string, shape: 'dot' | 'ring' = 'dot'): void {
    if (this.closed) return;
    const pending = this.next !== null;
    this.next = {
      fill,
      shape,
      text: text.length > limits.statusChars ? `${text.slice(0, limits.statusChars - 1)}…` : text,
    };
    if (pending) return;
    const waitMs = this.shownAtMs + limits.statusMs - performance.now();
    if (waitMs <= 0) this.flushStatus();
    else this.after(waitMs, () => this.flushStatus());
  }

  private flushStatus(): void {
    const status = this.next;
    this.next = null;
    if (!status) return;
    const key = JSON.stringify(status);
    if (key === this.shown) return;
    this.shown = key;
    this.shownAtMs = performance.now();
    this.node.status(status);
  }

  /** An error of background work: to Catch nodes, with a message that can be routed. */
  fail(thrown: unknown, topic: string): void {
    this.logDefect(thrown);
    this.node.error(nodeError(thrown), { topic, payload: nodeError(thrown).message });
  }

  private logDefect(thrown: unknown): void {
    const error = asEngineError(thrown);
    if (error.code !== 'InternalError') return;
    const origin = error.cause ?? error;
    this.node.log(origin instanceof Error ? (origin.stack ?? origin.message) : String(origin));
  }

  /** Runs work of which nobody waits for the end; whatever it throws becomes `fail`. */
  background(topic: string, work: () => void | Promise<void>): void {
    void (async () => work())().catch((thrown) => this.fail(thrown, topic));
  }

  /** Once, unless the node is closed before; the answer cancels. */
  after(delayMs: number, work: () => void | Promise<void>): () => void {
    const timer = setTimeout(() => {
      this.cleanups.delete(cancel);
      this.background('timer', work);
    }, delayMs);
    const cancel = () => clearTimeout(timer);
    this.cleanups.add(cancel);
    return () => {
      cancel();
      this.cleanups.delete(cancel);
    };
  }

  /** Again and again until closed; a run that takes longer than the period delays the next instead of overlapping. */
  every(periodMs: number, work: () => void | Promise<void>): void {
    const run = async () => {
      try {
        await work();
      } finally {
        if (!this.closed) this.after(periodMs, run);
      }
    };
    this.after(periodMs, run);
  }

  /** Runs when the node closes. */
  onClose(cleanup: () => void): void {
    if (this.closed) cleanup();
    else this.cleanups.add(cleanup);
  }

  /** The engine that the settings name. */
  async engine(): Promise<LiveEngine> {
    const id = (this.config as { engine?: string }).engine ?? '';
    const holder = this.RED.nodes.getNode(id) as EngineNode | null;
    if (typeof holder?.engine !== 'function') throw new EngineError('ValueError', 'engine: choose a strategy engine');
    return holder.engine();
  }

  /**
   * For nodes that live without messages: once the engine is there, and with retries until then. `failed` is told why it
   * is not.
   */
  whenEngine(
    work: (engine: LiveEngine) => void | Promise<void>,
    failed: (thrown: unknown) => void = () => {},
    delayMs: number = limits.nodeRetryMs,
  ): void {
    this.background('engine', async () => {
      try {
        const engine = await this.engine();
        if (!this.closed) await work(engine);
      } catch (thrown) {
        if (this.closed) return;
        failed(thrown);
        const { code } = asEngineError(thrown);
        const isPassing = code === 'ConnectionError' || code === 'TimeoutError' || code === 'InternalError';
        this.status('red', isPassing ? 'engine down' : 'check settings', 'ring');
        this.fail(thrown, 'engine');
        // Settings do not become right by waiting.
        const next = Math.min(delayMs * 2, limits.nodeRetryMaxMs);
        if (isPassing) this.after(delayMs, () => this.whenEngine(work, failed, next));
      }
    });
  }

  /** Wires the node's events to what it does. */
  run<M extends z.ZodType>(definition: Definition<z.ZodObject, M>, running: Running<z.output<M>>): void {
    this.node.on('input', (msg, send, done) => this.receive(definition, running, msg, send, done));
    this.node.on('close', (removed: boolean, done: () => void) => {
      this.closed = true;
      for (const cleanup of this.cleanups) cleanup();
      this.cleanups.clear();
      void (async () => running.close?.(removed))()
        .catch((thrown) => this.log.error(`closing: ${asEngineError(thrown).message}`))
        .then(running.input ? underWay : undefined)
        .then(() => done());
    });
  }

  private receive<M extends z.ZodType>(
    definition: Definition<z.ZodObject, M>,
    running: Running<z.output<M>>,
    msg: NodeMessageInFlow,
    send: (msg: Array<NodeMessage | NodeMessage[] | null>) => void,
    done: (error?: Error) => void,
  ): void {
    const out: Send = (outputs) => {
      if (!this.closed) send(outputs as Array<NodeMessage | NodeMessage[] | null>);
    };
    const work = async () => {
      try {
        const parsed = definition.message?.safeParse(msg);
        if (parsed && !parsed.success) throw problem(parsed.error, 'msg');
        await running.input?.({ ...msg, ...(parsed?.data as object | undefined) } as z.output<M> & Message, out);
      } finally {
        this.waiting--;
      }
    };
    const refuse = (thrown: unknown) => {
      this.logDefect(thrown);
      const port = definition.ports.result;
      if (port === undefined || msg.res === undefined) return done(nodeError(thrown));
      const refused = answer(msg, ...errorAnswer(thrown, msg));
      out(Array.from({ length: definition.ports.count }, (_, index) => (index === port ? refused : null)));
      done();
    };
    if (this.waiting >= limits.nodeMessages) {
      refuse(new EngineError('ConnectionError', `more than ${limits.nodeMessages} messages wait for the engine`));
      return;
    }
    this.waiting++;
    const run = () =>
      work()
        .then(() => done(), refuse)
        // What Node-RED's own callbacks throw must not end the process either.
        .catch((thrown: unknown) => this.log.error(`after a message: ${String(thrown)}`));
    if (definition.inOrder) this.tail = this.tail.then(run, run);
    else void run();
  }
}

/**
 * Node-RED hands messages over in later turns of the event loop, and takes a node's ear away as soon as it says that it is
 * closed: what was sent before a deploy arrives only if the node waits for it.
 */
async function underWay(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function migrated(definition: Definition<z.ZodObject>, saved: NodeDef): Record<string, unknown> {
  let config: Record<string, unknown> = { ...saved };
  const steps = definition.migrations ?? [];
  for (let version = Number(config.version ?? 0); version < definition.version; version++)
    config = { ...(steps[version]?.(config) ?? config), version: version + 1 };
  return config;
}

/** What Node-RED loads: registers the type, and opens a node of it under a shell whenever one is deployed. */
export function defineNode<C extends z.ZodObject, M extends z.ZodType>(
  definition: Definition<C, M>,
): (RED: NodeAPI) => void {
  return (RED) => {
    definition.setup?.(RED);
    function open(this: Node, saved: NodeDef): void {
      RED.nodes.createNode(this, saved);
      const parsed = definition.config.safeParse(migrated(definition, saved));
      if (!parsed.success) {
        const broken = new Shell(RED, this, {});
        const error = problem(parsed.error, '');
        broken.status('red', 'check settings', 'ring');
        // Catch nodes are not there before the whole flow is.
        broken.after(0, () => broken.fail(error, 'settings'));
        broken.run(definition, { input: () => Promise.reject(error) });
        return;
      }
      const shell = new Shell(RED, this, parsed.data as z.output<C>);
      shell.run(definition, definition.open(shell));
    }
    RED.nodes.registerType(definition.type, open, {
      ...(definition.credentials ? { credentials: definition.credentials } : {}),
    });
  };
}
