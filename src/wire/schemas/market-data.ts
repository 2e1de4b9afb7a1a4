/** Ticks and bars as they come in: the specification that the hand-written reading agrees with. */
import { z } from 'zod';
import { limits } from '../../core/domain/limits';
import { assetType, numeric, optional, symbol, text, timeframe, timestamp } from './fields';

const size = numeric({ min: 0 });

/** A piece of news that moves a market. */
export const newsFields = z.object({
  id: z
    .union([text(), z.number()], { error: 'must be text' })
    .transform(String)
    .meta({ description: 'unique per source' }),
  kind: z.enum(['earnings', 'policy', 'news']),
  surprise: optional(numeric()),
  unit: optional(z.enum(['sigma', 'raw'])),
  actual: optional(numeric()),
  expected: optional(numeric()),
});

const common = {
  symbol,
  volume: size.optional().meta({ default: 0 }),
  source: optional(text(limits.sourceChars)).meta({
    description: 'which feed it is from; each door has its own default',
  }),
  asset_type: optional(assetType),
  id: optional(z.union([text(), z.number()], { error: 'must be text' }).transform(String)),
};

/** One trade print or quote. Whether a price may be negative depends on the instrument, so it is checked beside. */
export const tickFields = z
  .object({
    ...common,
    price: numeric().optional().meta({
      description:
        'greater than 0 unless the instrument allows negative prices; may be absent when bid and ask are there',
    }),
    timestamp: timestamp.optional(),
    bid: optional(numeric()),
    ask: optional(numeric()),
    bid_size: optional(size),
    ask_size: optional(size),
    seq: optional(numeric({ integer: true, min: 0 })),
    funding_rate: optional(numeric()),
    funding_interval_h: optional(numeric({ above: 0 })),
    sentiment: optional(numeric({ min: -1, max: 1 })),
    event: optional(newsFields),
  })
  .meta({ title: 'Tick' });

/** A bar; its timestamp is its open, aligned to its timeframe in UTC. */
export const barFields = z
  .object({
    ...common,
    open: numeric(),
    high: numeric(),
    low: numeric(),
    close: numeric(),
    timeframe,
    timestamp,
    is_closed: optional(z.boolean()).meta({ default: true }),
  })
  .meta({ title: 'Bar' });

const item = z.union([tickFields, barFields]);

/** The body of `process_market_data`, for its documentation: it is read by `parseMarketText`. */
export const marketDataBody = z.object({
  market_data: z.union([item, z.array(item).min(1).max(limits.ticksPerRequest)]),
  asset_types: optional(z.array(assetType)).meta({
    description: 'items of other asset types are rejected, and said so',
  }),
});
