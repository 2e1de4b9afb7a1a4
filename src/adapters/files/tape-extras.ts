import type { MarketNews, TickExtras } from '../../core/domain/tick';

/** A number in JSON: -0, which JSON has not, as text. */
type Packed = number | string | null;
type PackedNews = readonly [string, MarketNews['kind'], Packed, MarketNews['unit'], Packed, Packed];
type PackedExtras = readonly [string | null, Packed, Packed, Packed, Packed, PackedNews | null];

const pack = (value: number | null | undefined): Packed => (Object.is(value, -0) ? '-0' : (value ?? null));
const unpack = (value: Packed): number | null => (typeof value === 'string' ? -0 : value);

/** What few ticks carry, as a short JSON list. Numbers are finite, as in the domain. */
export function packExtras(extras: TickExtras): PackedExtras {
  const event = extras.event;
  const news: PackedNews | null = event
    ? [event.id, event.kind, pack(event.surprise), event.unit, pack(event.actual), pack(event.expected)]
    : null;
  return [
    extras.id ?? null,
    pack(extras.seq),
    pack(extras.fundingRate),
    pack(extras.fundingIntervalH),
    pack(extras.sentiment),
    news,
  ];
}

/** The extras as they were; what was absent is absent again. */
export function unpackExtras(packed: unknown): TickExtras {
  const [id, seq, fundingRate, fundingIntervalH, sentiment, news] = packed as PackedExtras;
  const extras: { -readonly [K in keyof TickExtras]: TickExtras[K] } = {};
  if (id !== null) extras.id = id;
  const numbers = { seq, fundingRate, fundingIntervalH, sentiment };
  for (const key of ['seq', 'fundingRate', 'fundingIntervalH', 'sentiment'] as const) {
    const value = unpack(numbers[key]);
    if (value !== null) extras[key] = value;
  }
  if (news) {
    const [newsId, kind, surprise, unit, actual, expected] = news;
    extras.event = {
      id: newsId,
      kind,
      surprise: unpack(surprise),
      unit,
      actual: unpack(actual),
      expected: unpack(expected),
    };
  }
  return extras;
}
