import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type MarketDataContext, parseMarketValue } from '../../src/wire/market-data';
import { readBarFields, readTickFields } from '../../src/wire/market-fields';
import { barFields, tickFields } from '../../src/wire/schemas/market-data';
import { fuzzMarketText } from '../faults/hostile-messages';

const arrivalMs = Date.UTC(2026, 0, 1);
const context: MarketDataContext = { arrivalMs, source: 'http', door: 'live' };
const read = (value: unknown) => parseMarketValue(value, context);

describe('wire/market-data at the border', () => {
  describe('the hand-written reading and the schema', () => {
    const number = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(0, -0, 1, -1, 1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY),
      fc.double().map(String),
      fc.constantFrom('', ' ', '1', '-1', '1e3', '+5', '.5', '5.', '1e999', '0x1', '1_0', 'x'),
    );
    const other = fc.constantFrom(null, undefined, true, '', 'x', 'A\nb', [], {}, [1], { id: 'x' });
    const time = fc.oneof(
      fc.constantFrom(arrivalMs, arrivalMs / 1_000, '2026-01-01', 0, -1, '1767225600', null),
      number,
    );
    const event = fc.oneof(
      fc.record(
        {
          id: fc.oneof(fc.string(), number, other),
          kind: fc.constantFrom('news', 'policy', 'x', null),
          surprise: number,
          unit: fc.constantFrom('sigma', 'raw', 'x'),
        },
        { requiredKeys: [] },
      ),
      other,
    );
    const common = {
      symbol: fc.oneof(fc.constantFrom('A', 'btcusd', '__proto__', '', 'a b', '^GSPC'), fc.string(), other),
      volume: fc.oneof(number, other),
      source: fc.oneof(fc.string(), other),
      asset_type: fc.oneof(fc.constantFrom('crypto', 'Crypto'), other),
      id: fc.oneof(fc.string(), number, other),
    };
    const tick = fc.record(
      {
        ...common,
        price: fc.oneof(number, other),
        timestamp: time,
        bid: fc.oneof(number, other),
        ask: number,
        bid_size: number,
        ask_size: number,
        seq: number,
        funding_rate: number,
        funding_interval_h: number,
        sentiment: number,
        event,
      },
      { requiredKeys: [] },
    );
    const bars = fc.record(
      {
        ...common,
        open: number,
        high: number,
        low: number,
        close: number,
        timeframe: fc.constantFrom('1m', '100t', '1w', '', null),
        timestamp: time,
        is_closed: fc.oneof(fc.boolean(), other),
      },
      { requiredKeys: [] },
    );
    const defined = (fields: object) => JSON.parse(JSON.stringify(fields));

    it('agree on every tick', () => {
      fc.assert(
        fc.property(tick, (raw) => {
          const spec = tickFields.safeParse(raw);
          const hand = readTickFields(raw);
          assert.equal('message' in hand, !spec.success, JSON.stringify([hand, spec.error?.issues]));
          if (spec.success) assert.deepEqual(defined(hand), defined(spec.data));
        }),
        { seed: 3, numRuns: 3_000 },
      );
    });

    it('agree on every bar', () => {
      fc.assert(
        fc.property(bars, (raw) => {
          const spec = barFields.safeParse(raw);
          const hand = readBarFields(raw);
          assert.equal('message' in hand, !spec.success, JSON.stringify([hand, spec.error?.issues]));
          if (spec.success) assert.deepEqual(defined(hand), defined(spec.data));
        }),
        { seed: 4, numRuns: 3_000 },
      );
    });

    it('the common tick and the full reading answer the same item', () => {
      // An absent-minded `event: null` says nothing, but takes the full reading.
      const plain = fc.record(
        {
          symbol: fc.constantFrom('A', 'btcusd', '^x', 'a b'),
          price: fc.double({ min: 1e-9, max: 1e9 }),
          volume: fc.double({ min: 0, max: 1e9 }),
          timestamp: fc.constantFrom(arrivalMs, arrivalMs / 1_000, '2026-01-01', 5),
          source: fc.constantFrom('x', 'a b', ''),
          id: fc.constantFrom('t1', 'é', 9),
          seq: fc.constantFrom(1, -0, 2.5),
          bid: fc.constantFrom(1, 2, '1'),
          ask: fc.constantFrom(1, 2, 3),
          bid_size: fc.constantFrom(0, -0, 1, -1),
        },
        { requiredKeys: ['symbol', 'price'] },
      );
      fc.assert(
        fc.property(plain, (raw) => {
          const fast = read([raw]);
          const full = read([
            { ...raw, event: fast.received === 1 ? null : undefined, sentiment: null, timeframe: null },
          ]);
          assert.deepEqual(fast, full);
        }),
        { seed: 5, numRuns: 3_000 },
      );
    });
  });

  it('100,000 fuzzed messages throw nothing but errors of the catalogue, and pollute nothing', function () {
    this.timeout(60_000);
    const { accepted, refused } = fuzzMarketText(100_000);
    assert.ok(accepted > 1_000 && refused > 1_000, `${accepted} accepted, ${refused} refused`);
  });
});
