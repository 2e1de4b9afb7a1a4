/** Market data that can be read again from any row: a file, or a simulated market. */
import type { MarketFile, MarketItem, RejectedRow, Simulator } from '../src/index';
import { createSimulator, EngineError, limits, openMarketFile } from '../src/index';

/** Read in order; `peek` looks without taking. */
export interface ReplaySource {
  /** Names the rows: the same rows whenever it is opened again. */
  readonly feed: string;
  /** Row of the last item taken. */
  readonly row: number;
  /** The time of the next item, `null` at the end. */
  peekMs(): Promise<number | null>;
  /** The next items up to that time. */
  take(count: number, untilMs: number): Promise<readonly MarketItem[]>;
  close(): Promise<void>;
}

export interface FileSettings {
  readonly path: string;
  readonly source: string;
  readonly onRejected: (rows: readonly RejectedRow[]) => void;
}

class FileSource implements ReplaySource {
  readonly feed: string;
  row: number;
  private readonly batches: AsyncIterator<{ items: readonly MarketItem[]; rejected: readonly RejectedRow[] }>;
  private readonly onRejected: FileSettings['onRejected'];
  private items: readonly MarketItem[] = [];
  private at = 0;

  constructor(file: MarketFile, row: number, onRejected: FileSettings['onRejected']) {
    this.feed = file.feed;
    this.row = row;
    this.batches = file[Symbol.asyncIterator]();
    this.onRejected = onRejected;
  }

  private async fill(): Promise<boolean> {
    while (this.at >= this.items.length) {
      const { value, done } = await this.batches.next();
      if (done) return false;
      if (value.rejected.length > 0) this.onRejected(value.rejected);
      this.items = value.items;
      this.at = 0;
    }
    return true;
  }

  async peekMs(): Promise<number | null> {
    return (await this.fill()) ? (this.items[this.at]?.timestampMs ?? null) : null;
  }

  async take(count: number, untilMs: number): Promise<readonly MarketItem[]> {
    if (!(await this.fill())) return [];
    let end = this.at;
    const last = Math.min(this.items.length, this.at + count);
    while (end < last && (this.items[end]?.timestampMs ?? 0) <= untilMs) end++;
    const taken = this.items.slice(this.at, end);
    this.at = end;
    this.row += taken.length;
    return taken;
  }

  async close(): Promise<void> {
    await this.batches.return?.();
  }
}

/** The file's rows after `afterRow`; bad rows are handed to `onRejected`. */
export async function openFileSource(settings: FileSettings, afterRow: number): Promise<ReplaySource> {
  const { path, source, onRejected } = settings;
  const file = await openMarketFile(path, { source, skipBad: true, afterRow }).catch((thrown: unknown) => {
    const { code } = thrown as { code?: unknown };
    const isOurs = thrown instanceof EngineError || typeof code !== 'string';
    throw isOurs ? thrown : new EngineError('ValueError', `file ${path} cannot be read (${code})`);
  });
  return new FileSource(file, afterRow, onRejected);
}

export interface MarketSettings {
  readonly symbols: readonly string[];
  readonly seed: number;
  readonly ticksPerS: number;
  /** 0 = without end. */
  readonly count: number;
  /** Its first moment. */
  readonly startAt: string;
}

class SimulatedSource implements ReplaySource {
  readonly feed: string;
  private readonly simulator: Simulator;
  private readonly count: number;

  constructor(simulator: Simulator, count: number) {
    this.feed = simulator.feed;
    this.simulator = simulator;
    this.count = count === 0 ? Number.POSITIVE_INFINITY : count;
  }

  get row(): number {
    return this.simulator.row;
  }

  async peekMs(): Promise<number | null> {
    return this.row < this.count ? this.simulator.nextMs : null;
  }

  async take(count: number, untilMs: number): Promise<readonly MarketItem[]> {
    const taken: MarketItem[] = [];
    const most = Math.min(count, this.count - this.row);
    while (taken.length < most && this.simulator.nextMs <= untilMs) taken.push(...this.simulator.next(1));
    return taken;
  }

  async close(): Promise<void> {}
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The market's ticks after `afterRow`. */
export async function openMarketSource(settings: MarketSettings, afterRow: number): Promise<ReplaySource> {
  const { symbols, seed, ticksPerS, startAt } = settings;
  const startMs = Date.parse(startAt);
  if (!Number.isSafeInteger(startMs)) throw new EngineError('ValueError', `startAt must be a time, not "${startAt}"`);
  const simulator = createSimulator({ seed, startMs, ticksPerS, ...(symbols.length > 0 ? { symbols } : {}) });
  while (simulator.row < afterRow) {
    simulator.skipTo(Math.min(afterRow, simulator.row + limits.ticksPerBatch * 4));
    await nextTurn();
  }
  return new SimulatedSource(simulator, settings.count);
}

/**
 * The same market running along with the clock: opened at the full hour and read up to now, so that whoever starts it
 * again within the hour meets the same prices; at rates where that would take long, opened now.
 */
export async function openLiveMarket(settings: Omit<MarketSettings, 'startAt'>, nowMs: number): Promise<ReplaySource> {
  const hourMs = 3_600_000;
  const symbols = Math.max(1, settings.symbols.length);
  const isCheap = settings.ticksPerS * symbols * 3_600 <= limits.replaySkipTicks;
  const startMs = isCheap ? Math.floor(nowMs / hourMs) * hourMs : nowMs;
  const { seed, ticksPerS, symbols: names } = settings;
  const simulator = createSimulator({ seed, startMs, ticksPerS, ...(names.length > 0 ? { symbols: names } : {}) });
  for (let turn = 1; simulator.nextMs <= nowMs; turn++) {
    simulator.until(nowMs);
    // Making ticks only to leave them out must not hold the loop.
    if (turn % 4 === 0) await nextTurn();
  }
  return new SimulatedSource(simulator, settings.count === 0 ? 0 : simulator.row + settings.count);
}
