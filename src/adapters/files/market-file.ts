/**
 * Market files as a stream of validated batches: CSV, JSON arrays and JSON lines, plain or gzipped, of bars, quote bars,
 * trades and quotes. Memory is one chunk, whatever the file's size. Rows are counted over what is valid, so a replay can
 * go on after the last row that is on the tape.
 */
import { type EngineError, valueError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import type { FeedPosition, MarketItem } from '../../core/domain/tick';
import { timeframeNames, timeframeOf } from '../../core/domain/timeframe';
import { type FileField, type RowFormat, recognise } from './file-format';
import { readFileName } from './file-name';
import { delimiterOf, type FileForm, type FileRecord, formOf, recordReader } from './file-records';
import { columnOf, readRow, rowTimeMs } from './file-row';
import { itemOf, type RowDefaults } from './row-item';
import { type FileIdentity, identify, readHead, readText } from './text-source';

export interface MarketFileOptions {
  /** Else the file's own column, else its name. */
  readonly symbol?: string;
  /** Of bars: else the file's name, else the most frequent step between rows. */
  readonly timeframe?: string;
  /** Name of the feed that the items bear; `file` by default. */
  readonly source?: string;
  /** True: bad rows are handed over as `rejected`. False, the default: the first one throws, naming file, line, column. */
  readonly skipBad?: boolean;
  /** Valid rows to leave out, counted from 1: the last row a replay has seen. */
  readonly afterRow?: number;
}

/** A row that was refused. */
export interface RejectedRow {
  /** Line of the file, counted from 1. */
  readonly line: number;
  readonly column?: string;
  readonly message: string;
  /** The row as it stands there, cut to a bounded length. */
  readonly raw: string;
}

export interface MarketFileBatch {
  /** At most `limits.ticksPerBatch`. */
  readonly items: readonly MarketItem[];
  /** Row of the first item: valid rows of the file, counted from 1. */
  readonly firstRow: number;
  readonly rejected: readonly RejectedRow[];
}

/** A recognised file. Iterate it once or often; each time it is read anew. */
export interface MarketFile extends AsyncIterable<MarketFileBatch> {
  /** The same for the same content: the `feed` of the batches' positions. */
  readonly feed: FeedPosition['feed'];
  readonly name: string;
  readonly bytes: number;
  readonly kind: RowFormat['kind'];
  /** Of rows that name none themselves. */
  readonly symbol: string;
  /** `null` for trades and quotes. */
  readonly timeframe: string | null;
  /** What was assumed, in sentences for the person who gave the file. */
  readonly notes: readonly string[];
}

interface Plan extends RowDefaults {
  readonly path: string;
  readonly packing: 'plain' | 'gzip';
  readonly name: string;
  readonly form: FileForm;
  readonly delimiter: string;
  readonly format: RowFormat;
}

const dayMs = 86_400_000;

function refuse(name: string, reason: string): EngineError {
  return valueError(`file ${name}`, reason);
}

/** The most frequent positive step between the times of the first rows; 0 when there is none. */
function modalStepMs(head: readonly FileRecord[], format: RowFormat): number {
  const counts = new Map<number, number>();
  let before = Number.NaN;
  for (const record of head.slice(format.skip)) {
    const ms = rowTimeMs(record, format);
    if (ms === null) continue;
    if (ms > before) counts.set(ms - before, (counts.get(ms - before) ?? 0) + 1);
    before = ms;
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

function spanName(ms: number): string {
  if (ms >= 28 * dayMs && ms <= 31 * dayMs) return '1M';
  if (ms === 7 * dayMs) return '1w';
  return timeframeNames.find((name) => timeframeOf(name)?.ms === ms) ?? `${ms / 1_000} s`;
}

/** The timeframe of a file of bars, with how it was found; throws when it is none the engine takes. */
function barTimeframe(name: string, given: string | undefined, stepMs: number): { timeframe: string; note: string } {
  const ofName = readFileName(name).timeframe;
  const found = given ?? ofName ?? (stepMs > 0 ? spanName(stepMs) : undefined);
  if (found === undefined) throw refuse(name, 'says nowhere which timeframe its bars have; give one');
  const timeframe = timeframeOf(found);
  if (!timeframe) {
    const reason = `holds bars of ${found}, which is no timeframe the engine takes (${timeframeNames.join(' ')})`;
    throw refuse(name, `${reason}; give timeframe 1d to read each of them as the bar of its day`);
  }
  if (given === undefined && timeframe.ms > 0 && stepMs > 0 && stepMs < timeframe.ms)
    throw refuse(name, `is named ${found}, but its rows are ${spanName(stepMs)} apart; give the timeframe`);
  if (given !== undefined) return { timeframe: found, note: `timeframe ${found} as given` };
  return { timeframe: found, note: `timeframe ${found} from ${ofName ? 'the name' : 'the step between rows'}` };
}

function cut(raw: string): string {
  return raw.slice(0, limits.receivedChars);
}

/** Turns records into items, in order; keeps what a row must be compared with. */
class RowChecks {
  private readonly plan: Plan;
  /** Open of the last bar of a symbol, and the line it stood on. */
  private readonly last = new Map<string, { ms: number; line: number }>();
  private skip: number;

  constructor(plan: Plan) {
    this.plan = plan;
    this.skip = plan.format.skip;
  }

  /** `null` for a header. */
  check(record: FileRecord): MarketItem | RejectedRow | null {
    if (this.skip > 0) {
      this.skip--;
      return null;
    }
    const { format } = this.plan;
    const row = readRow(record, format);
    const raw = cut(record.raw);
    if (row.kind === 'bad') {
      const { column, message } = row;
      return { line: record.line, ...(column === '' ? {} : { column }), message, raw };
    }
    const read = itemOf(row.fields, this.plan);
    if (read.kind === 'bad')
      return { line: record.line, column: columnOf(read.path, format), message: read.message, raw };
    const message = read.item.kind === 'bar' ? this.disorder(read.item.symbol, read.item.timestampMs, record.line) : '';
    return message === '' ? read.item : { line: record.line, column: format.time.column, message, raw };
  }

  /** A file of bars is in order, or a backtest on it is about something else. */
  private disorder(symbol: string, openMs: number, line: number): string {
    const last = this.last.get(symbol);
    if (last && openMs <= last.ms) {
      const at = new Date(last.ms).toISOString();
      return openMs === last.ms ? `repeats the bar of line ${last.line}` : `is before ${at} of line ${last.line}`;
    }
    if (last) {
      last.ms = openMs;
      last.line = line;
    } else if (this.last.size < limits.symbols) this.last.set(symbol, { ms: openMs, line });
    return '';
  }
}

async function* batches(plan: Plan, skipBad: boolean, afterRow: number): AsyncGenerator<MarketFileBatch> {
  const reader = recordReader(plan.form, plan.delimiter);
  const checks = new RowChecks(plan);
  let items: MarketItem[] = [];
  let rejected: RejectedRow[] = [];
  let row = 0;
  function take(record: FileRecord): boolean {
    const checked = checks.check(record);
    if (!checked) return false;
    if ('kind' in checked) {
      row++;
      if (row > afterRow) items.push(checked);
    } else if (skipBad) rejected.push(checked);
    else throw badLine(plan.name, checked);
    return items.length >= limits.ticksPerBatch || rejected.length >= limits.ticksPerBatch;
  }
  function cutBatch(): MarketFileBatch {
    const batch = { items, firstRow: row - items.length + 1, rejected };
    items = [];
    rejected = [];
    return batch;
  }
  for await (const text of readText(plan.path, plan.packing)) {
    for (const record of reader.push(text)) if (take(record)) yield cutBatch();
  }
  for (const record of reader.end()) if (take(record)) yield cutBatch();
  if (items.length > 0 || rejected.length > 0) yield cutBatch();
}

/** The error a bad row ends reading with: file, line and column by name. */
function badLine(name: string, row: RejectedRow): EngineError {
  const path = row.column === undefined ? `${name}:${row.line}` : `${name}:${row.line} ${row.column}`;
  return valueError(path, row.message, row.raw);
}

async function plan(path: string, identity: FileIdentity, options: MarketFileOptions): Promise<[Plan, string[]]> {
  const { name, packing } = identity;
  if (packing === 'zip')
    throw refuse(name, 'is a zip archive; unpack it first (order book depth inside is not read either way)');
  const { text, whole } = await readHead(path, packing);
  const form = formOf(text);
  const delimiter = form === 'csv' ? delimiterOf(text) : ',';
  const reader = recordReader(form, delimiter);
  const head = [...reader.push(text), ...(whole ? reader.end() : [])].slice(0, limits.fileHeadRows);
  const recognised = recognise(head);
  if (recognised.kind === 'refused') throw refuse(name, recognised.reason);
  const { format } = recognised;
  const hasOwn = (field: string) => format.fields.some((known: FileField) => known.name === field);
  const notes = [`read as ${format.kind}`, 'times without an offset are read as UTC'];
  const symbol = options.symbol ?? readFileName(name).symbol;
  if (options.symbol === undefined && !hasOwn('symbol')) notes.push(`symbol ${symbol} from the name`);
  let timeframe: string | null = null;
  if ((format.kind === 'bars' || format.kind === 'quote bars') && !hasOwn('timeframe')) {
    const found = barTimeframe(name, options.timeframe, modalStepMs(head, format));
    timeframe = found.timeframe;
    notes.push(found.note);
  }
  if (format.kind === 'quote bars') notes.push('bars of the middle between bid and ask, volume 0');
  const timeframeMs = timeframe === null ? 0 : (timeframeOf(timeframe)?.ms ?? 0);
  const source = options.source ?? 'file';
  return [{ path, packing, name, form, delimiter, format, symbol, timeframe, timeframeMs, source }, notes];
}

/**
 * Opens a market file and recognises what it holds. Rejects with a `ValueError` that names the file when it is not
 * market data the engine reads (order book depth, monthly bars, an archive), and with the file system's error when it
 * cannot be read at all.
 */
export async function openMarketFile(path: string, options: MarketFileOptions = {}): Promise<MarketFile> {
  const identity = await identify(path);
  const [made, notes] = await plan(path, identity, options);
  return {
    feed: identity.feed,
    name: identity.name,
    bytes: identity.bytes,
    kind: made.format.kind,
    symbol: made.symbol,
    timeframe: made.timeframe,
    notes,
    [Symbol.asyncIterator]: () => batches(made, options.skipBad ?? false, options.afterRow ?? 0),
  };
}
