/**
 * The fields of a tick or bar, read by hand: accepts and answers exactly what the schemas of `schemas/market-data` do (a
 * property test holds them together), but says no in a microsecond where the schema takes a hundred, so that a large
 * batch of rubbish does not stall the loop.
 */
import type { z } from 'zod';
import { assetTypes } from '../core/domain/asset-type';
import { limits } from '../core/domain/limits';
import type { AssetType } from '../core/domain/tick';
import { timeframeNames, timeframeOf } from '../core/domain/timeframe';
import { receivedOf } from './problems';
import { type NumberRule, numberOfText, numberProblem, printable } from './schemas/fields';
import type { barFields, newsFields, tickFields } from './schemas/market-data';
import { canonicalSymbol, symbolRule } from './symbol';
import { parseTimestamp } from './time';

export type TickFields = z.output<typeof tickFields>;
export type BarFields = z.output<typeof barFields>;
type NewsFields = z.output<typeof newsFields>;

/** Why an item is refused; `path` is inside the item (`price`, `event.kind`), empty for the item itself. */
export interface ItemProblem {
  readonly path: string;
  readonly message: string;
  readonly received?: unknown;
}

type Raw = Readonly<Record<string, unknown>>;

const anyNumber: NumberRule = {};
const size: NumberRule = { min: 0 };
const count: NumberRule = { integer: true, min: 0 };
const hours: NumberRule = { above: 0 };
const mood: NumberRule = { min: -1, max: 1 };

/** Reads fields of one object and keeps the first problem. */
class FieldReader {
  problem: ItemProblem | null = null;
  private readonly raw: Raw;
  private readonly prefix: string;

  constructor(raw: Raw, prefix: string) {
    this.raw = raw;
    this.prefix = prefix;
  }

  refuse(key: string, message: string, received?: unknown): undefined {
    this.problem ??= { path: this.prefix + key, message, received: receivedOf(received) };
    return undefined;
  }

  /** A number or a number as text; `undefined` when absent (and, when it may be, `null`) or refused. */
  number(key: string, rule: NumberRule, mayBeNull: boolean): number | undefined {
    const value = this.raw[key];
    if (value === undefined || (value === null && mayBeNull)) return undefined;
    if (typeof value !== 'number' && typeof value !== 'string') {
      return this.refuse(key, 'must be a finite number', value);
    }
    const number = typeof value === 'number' ? value : numberOfText(value);
    const problem =
      typeof value === 'string' && Number.isNaN(number) ? 'must be a number' : numberProblem(number, rule);
    return problem === null ? number + 0 : this.refuse(key, problem, value);
  }

  requiredNumber(key: string): number {
    if (this.raw[key] === undefined) this.refuse(key, 'is required');
    return this.number(key, anyNumber, false) ?? 0;
  }

  text(key: string, maxChars: number): string | undefined {
    const value = this.raw[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') return this.refuse(key, 'must be text', value);
    if (value.length === 0 || value.length > maxChars) {
      return this.refuse(key, `must have 1 to ${maxChars} characters`, value);
    }
    return printable.test(value) ? value : this.refuse(key, 'must not hold control characters', value);
  }

  /** Text, or a number taken as text. */
  id(key: string): string | undefined {
    const value = this.raw[key];
    return typeof value === 'number' && Number.isFinite(value) ? String(value) : this.text(key, limits.idChars);
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.raw[key];
    if (value === undefined || value === null) return undefined;
    const word = words.find((one) => one === value);
    return word ?? this.refuse(key, `must be one of ${words.join(', ')}`, value);
  }

  symbol(): string {
    const value = this.raw.symbol;
    if (value === undefined) this.refuse('symbol', 'is required');
    const symbol = typeof value === 'string' ? canonicalSymbol(value) : null;
    if (symbol === null) this.refuse('symbol', symbolRule, value);
    return symbol ?? '';
  }

  timestamp(): number | undefined {
    const value = this.raw.timestamp;
    if (value === undefined) return undefined;
    const time = parseTimestamp(value);
    return 'ms' in time ? time.ms : this.refuse('timestamp', time.error, value);
  }
}

/** The fields of a tick, or the first problem. */
export function readTickFields(raw: Raw): TickFields | ItemProblem {
  const read = new FieldReader(raw, '');
  const fields: TickFields = {
    symbol: read.symbol(),
    price: read.number('price', anyNumber, false),
    volume: read.number('volume', size, false),
    timestamp: read.timestamp(),
    bid: read.number('bid', anyNumber, true),
    ask: read.number('ask', anyNumber, true),
    bid_size: read.number('bid_size', size, true),
    ask_size: read.number('ask_size', size, true),
    source: read.text('source', limits.sourceChars),
    asset_type: read.oneOf<AssetType>('asset_type', assetTypes),
    id: read.id('id'),
    seq: read.number('seq', count, true),
    funding_rate: read.number('funding_rate', anyNumber, true),
    funding_interval_h: read.number('funding_interval_h', hours, true),
    sentiment: read.number('sentiment', mood, true),
    event: undefined,
  };
  if (read.problem) return read.problem;
  const event = raw.event;
  if (event === undefined || event === null) return fields;
  if (typeof event !== 'object' || Array.isArray(event)) {
    return { path: 'event', message: 'must be an object', received: receivedOf(event) };
  }
  const news = readNewsFields(event as Raw);
  return 'message' in news ? news : { ...fields, event: news };
}

function readNewsFields(raw: Raw): NewsFields | ItemProblem {
  const read = new FieldReader(raw, 'event.');
  const id = read.id('id') ?? '';
  if (id === '') read.refuse('id', 'is required', raw.id);
  const kind = read.oneOf('kind', ['earnings', 'policy', 'news']) ?? 'news';
  if (raw.kind === undefined || raw.kind === null) read.refuse('kind', 'is required', raw.kind);
  const fields: NewsFields = {
    id,
    kind,
    surprise: read.number('surprise', anyNumber, true),
    unit: read.oneOf('unit', ['sigma', 'raw']),
    actual: read.number('actual', anyNumber, true),
    expected: read.number('expected', anyNumber, true),
  };
  return read.problem ?? fields;
}

/** The fields of a bar, or the first problem. */
export function readBarFields(raw: Raw): BarFields | ItemProblem {
  const read = new FieldReader(raw, '');
  const timestampMs = read.timestamp();
  const fields: BarFields = {
    symbol: read.symbol(),
    open: read.requiredNumber('open'),
    high: read.requiredNumber('high'),
    low: read.requiredNumber('low'),
    close: read.requiredNumber('close'),
    volume: read.number('volume', size, false),
    timeframe: readTimeframe(read, raw.timeframe),
    timestamp: timestampMs ?? 0,
    is_closed: readFlag(read, raw.is_closed),
    source: read.text('source', limits.sourceChars),
    asset_type: read.oneOf<AssetType>('asset_type', assetTypes),
    id: read.id('id'),
  };
  if (timestampMs === undefined) read.refuse('timestamp', 'is required for a bar: its open');
  return read.problem ?? fields;
}

function readTimeframe(read: FieldReader, value: unknown): string {
  if (value === undefined) read.refuse('timeframe', 'is required for a bar');
  else if (typeof value === 'string' && timeframeOf(value)) return value;
  else read.refuse('timeframe', `must be one of ${timeframeNames.join(' ')} or a tick count such as 100t`, value);
  return '';
}

function readFlag(read: FieldReader, value: unknown): boolean | undefined {
  if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined;
  return read.refuse('is_closed', 'must be true or false', value);
}
