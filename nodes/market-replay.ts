/** `market replay`: a file or a simulated market, at any speed, going on where it was after a crash. */
import { z } from 'zod';
import type { LiveEngine, MarketItem } from '../src/index';
import { EngineError, limits, marketItemToWire } from '../src/index';
import { openFileSource, openLiveMarket, openMarketSource, type ReplaySource } from './replay-source';
import { common, type Definition, defineNode, type Message, type Shell, setting } from './shell';

const config = z.object({
  ...common,
  origin: setting.choice(['simulator', 'file'], 'simulator'),
  file: setting.text(),
  symbols: setting.words(),
  seed: setting.number(0, 4_294_967_295, 1),
  ticksPerS: setting.number(0.01, 1_000, 4),
  startAt: setting.text(),
  count: setting.number(0, 1e9, 0),
  speed: setting.number(0, 1e6, 1),
  batch: setting.number(1, 1_000, 100),
  autostart: setting.flag(),
});
type Config = z.output<typeof config>;

const actions = ['start', 'pause', 'stop', 'seek'] as const;
const message = z.object({
  action: z.enum(actions).optional(),
  row: z.coerce.number().int().min(1).optional(),
});

type State = 'idle' | 'running' | 'paused' | 'finished';

/** Name of a run's rows; the first one is the feed itself, so that its position is found by the file alone. */
function runName(feed: string, run: number): string {
  return run === 1 ? feed : `${feed}#${run}`;
}

class Replay {
  private readonly shell: Shell<Config>;
  state: State = 'idle';
  private source: ReplaySource | null = null;
  private engine: LiveEngine | null = null;
  private run = 1;
  private rejected = 0;
  /** Wall and market time at which the present stretch began: what is due follows from both. */
  private beganAtMs = 0;
  private beganMs = 0;
  private toldAtMs = Number.NEGATIVE_INFINITY;
  /** Counts stretches, so that a step of an earlier one knows that it is over. */
  private stretch = 0;
  private wasStopped = false;
  private stopListening: () => void = () => {};

  constructor(shell: Shell<Config>) {
    this.shell = shell;
  }

  private get isLive(): boolean {
    return this.shell.config.origin === 'simulator' && this.shell.config.startAt === '';
  }

  private async open(afterRow: number): Promise<ReplaySource> {
    const { origin, file, startAt, ...market } = this.shell.config;
    if (origin === 'file') {
      return openFileSource({ path: file, source: 'file', onRejected: (rows) => this.reject(rows) }, afterRow);
    }
    return this.isLive ? openLiveMarket(market, Date.now()) : openMarketSource({ ...market, startAt }, afterRow);
  }

  private reject(rows: readonly { line: number; message: string; raw: string }[]): void {
    this.rejected += rows.length;
    const payloads = rows.map(({ line, message: reason, raw }) => ({ line, message: reason, raw }));
    this.shell.node.send([null, payloads.map((payload) => ({ topic: 'rejected', payload }))]);
  }

  /** The last run that the engine has seen, and its last row; a finished one, or none, makes room for a new run. */
  private async resume(engine: LiveEngine, isNew: boolean): Promise<void> {
    const probe = await this.open(0);
    let run = 1;
    while (run < limits.replayRuns && engine.feedRow(runName(probe.feed, run + 1)) > 0) run++;
    const row = this.isLive ? 0 : engine.feedRow(runName(probe.feed, run));
    await probe.close();
    const source = await this.open(row);
    const isFinished = row > 0 && (await source.peekMs()) === null;
    if (row === 0 || (!isFinished && !isNew)) {
      this.source = source;
      this.run = run;
      return;
    }
    await source.close();
    this.source = await this.open(0);
    this.run = run + 1;
  }

  async start(isNew = false): Promise<void> {
    if (this.state === 'running') return;
    const engine = await this.shell.engine();
    const rewind = () => this.shell.background('replay', () => this.rewind(engine));
    if (this.engine === null) this.stopListening = engine.onRewind(rewind);
    this.engine = engine;
    if (!this.source) {
      this.rejected = 0;
      await this.resume(engine, isNew || this.wasStopped);
      this.wasStopped = false;
    }
    await this.go();
  }

  private async go(): Promise<void> {
    if (this.shell.isClosed) return;
    this.state = 'running';
    this.stretch++;
    this.beganAtMs = performance.now();
    this.beganMs = (await this.source?.peekMs()) ?? 0;
    this.step(this.stretch);
  }

  pause(): void {
    if (this.state !== 'running') return;
    this.state = 'paused';
    this.stretch++;
    this.tell(true);
  }

  async stop(): Promise<void> {
    this.wasStopped = this.source !== null;
    this.stretch++;
    this.state = 'idle';
    this.tell(true);
    await this.source?.close();
    this.source = null;
  }

  /** Goes on at a row; back is a new run, since the engine knows what it has seen. */
  async seek(row: number): Promise<void> {
    const engine = await this.shell.engine();
    const wasRunning = this.state === 'running';
    this.stretch++;
    if (!this.source) await this.resume(engine, false);
    if (row <= (this.source?.row ?? 0)) this.run++;
    await this.goOn(row - 1, wasRunning);
  }

  private async goOn(afterRow: number, isRunning: boolean): Promise<void> {
    this.stretch++;
    await this.source?.close();
    this.source = await this.open(afterRow);
    this.state = 'paused';
    if (isRunning) await this.go();
    else this.tell(true);
  }

  /** The engine has lost rows that it had taken: it gets them again. */
  private async rewind(engine: LiveEngine): Promise<void> {
    if (this.source === null || this.isLive) return;
    await this.goOn(engine.feedRow(runName(this.source.feed, this.run)), this.state === 'running');
  }

  private dueMs(): number {
    const { speed } = this.shell.config;
    return speed === 0 ? Number.POSITIVE_INFINITY : this.beganMs + (performance.now() - this.beganAtMs) * speed;
  }

  /** Sends what is due, then waits: for the next item's time, or for a turn of the loop. */
  private step(stretch: number): void {
    this.shell.background('replay', async () => {
      try {
        if (stretch !== this.stretch || this.shell.isClosed) return;
        const waitMs = await this.send(stretch);
        if (waitMs === null || stretch !== this.stretch) return;
        if (waitMs === 0) setImmediate(() => this.step(stretch));
        else this.shell.after(waitMs, () => this.step(stretch));
      } catch (thrown) {
        this.state = 'idle';
        await this.source?.close();
        this.source = null;
        this.shell.status('red', 'cannot read', 'ring');
        throw thrown;
      }
    });
  }

  /** Answers how long to wait, or `null` at the end. */
  private async send(stretch: number): Promise<number | null> {
    const { source } = this;
    if (!source) return null;
    if (this.isAhead(source)) return 5;
    const items = await source.take(this.shell.config.batch, this.dueMs());
    if (stretch !== this.stretch) return null;
    const nextMs = await source.peekMs();
    if (items.length > 0) this.emit(source, items, nextMs === null);
    if (nextMs === null) {
      this.state = 'finished';
      this.stretch++;
      await source.close();
      this.source = null;
      this.tell(true, source.row);
      return null;
    }
    this.tell(false);
    const { speed } = this.shell.config;
    if (speed === 0) return 0;
    const waitMs = (nextMs - this.dueMs()) / speed;
    return waitMs <= 0 ? 0 : Math.min(Math.max(waitMs, limits.nodeBatchMs), 60_000);
  }

  /** Node-RED holds nothing back, so a replay at full speed waits for the engine that takes its rows; a live one never is. */
  private isAhead(source: ReplaySource): boolean {
    const seen = this.engine?.feedRow(runName(source.feed, this.run)) ?? 0;
    return seen > 0 && !this.isLive && source.row - seen > this.shell.config.batch * 16;
  }

  private emit(source: ReplaySource, items: readonly MarketItem[], isLast: boolean): void {
    const row = source.row - items.length + 1;
    const feed = runName(source.feed, this.run);
    const first = items[0];
    const isOne = items.every((item) => item.symbol === first?.symbol);
    const ofRun = this.run === 1 ? {} : { source: `${first?.source}#${this.run}` };
    const ticks: Message = {
      topic: isOne && first ? first.symbol : 'market_data',
      payload: items.map((item) => ({ ...marketItemToWire(item), ...ofRun })),
      batch_id: `${feed}:${row}:${items.length}`,
      feed_position: { feed, row },
      ...(isLast ? { complete: true } : {}),
    };
    this.shell.node.send([ticks, null]);
  }

  /** Progress, at most twice a second; every change of state at once. */
  private tell(isChange: boolean, row = this.source?.row ?? 0): void {
    const fill = { idle: 'grey', running: 'green', paused: 'blue', finished: 'grey' } as const;
    const words = { idle: 'stopped', running: `row ${row}`, paused: `paused · ${row}`, finished: `done · ${row}` };
    this.shell.status(fill[this.state], words[this.state]);
    const nowMs = performance.now();
    if (!isChange && nowMs - this.toldAtMs < limits.statusMs) return;
    this.toldAtMs = nowMs;
    const isOver = this.state === 'finished';
    const rows = isOver ? row : this.shell.config.count || null;
    const payload = { state: this.state, row, rows, rejected: this.rejected, complete: isOver };
    if (!this.shell.isClosed) this.shell.node.send([null, { topic: isOver ? 'complete' : 'progress', payload }]);
  }

  async close(): Promise<void> {
    this.stopListening();
    this.stretch++;
    await this.source?.close();
  }
}

export const definition: Definition<typeof config, typeof message> = {
  type: 'strategy-engine-market-replay',
  version: 1,
  config,
  message,
  inOrder: true,
  ports: { count: 2 },
  setup(RED) {
    RED.httpAdmin.post(
      '/strategy-engine/replay/:id',
      RED.auth.needsPermission('strategy-engine.write'),
      (request, response) => {
        const node = RED.nodes.getNode(String(request.params.id)) as { toggleReplay?: () => Promise<State> } | null;
        if (!node?.toggleReplay) return void response.sendStatus(404);
        node.toggleReplay().then(
          (state) => response.json({ state }),
          () => response.sendStatus(409),
        );
      },
    );
  },
  open(shell) {
    const replay = new Replay(shell);
    shell.status('grey', 'ready', 'ring');
    if (shell.config.autostart) shell.whenEngine(() => replay.start());
    Object.assign(shell.node, {
      toggleReplay: async () => {
        try {
          await (replay.state === 'running' ? replay.pause() : replay.start());
        } catch (thrown) {
          shell.fail(thrown, 'replay');
          throw thrown;
        }
        return replay.state;
      },
    });
    return {
      async input(msg) {
        const word = msg.action ?? actions.find((one) => one === msg.payload);
        if (word === undefined) throw new EngineError('ValueError', `msg.action must be one of ${actions.join(', ')}`);
        if (word === 'start') await replay.start();
        else if (word === 'pause') replay.pause();
        else if (word === 'stop') await replay.stop();
        else if (msg.row === undefined) throw new EngineError('ValueError', 'msg.row is required to seek');
        else await replay.seek(msg.row);
      },
      close: () => replay.close(),
    };
  },
};

export default defineNode(definition);
