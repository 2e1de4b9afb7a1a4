import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EngineError } from '../../src/core/domain/errors';
import { type MarketDataContext, parseMarketText, parseMarketValue } from '../../src/wire/market-data';
import { readBarFields, readTickFields } from '../../src/wire/market-fields';
import { barFields, tickFields } from '../../src/wire/schemas/market-data';

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
    const prototype = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
    const frozen = Object.getOwnPropertyNames(Array.prototype).length;
    const messages = fuzzMessages();
    let accepted = 0;
    let refused = 0;
    for (let i = 0; i < 100_000; i++) {
      const text = messages();
      try {
        const input = parseMarketText(text, context);
        accepted += input.items.length;
        assert.equal(input.items.length + input.rejected.length, input.received);
        for (const item of input.items) {
          const price = item.kind === 'tick' ? item.price : item.close;
          if (!(Number.isFinite(price) && price > 0 && Number.isInteger(item.timestampMs))) assert.fail(text);
        }
      } catch (thrown) {
        if (!(thrown instanceof EngineError) || thrown.code === 'InternalError') throw thrown;
        refused++;
      }
    }
    assert.ok(accepted > 1_000 && refused > 1_000, `${accepted} accepted, ${refused} refused`);
    assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), prototype);
    assert.equal(Object.getOwnPropertyNames(Array.prototype).length, frozen);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

/** Valid, near-valid, truncated and hostile messages from one seeded generator. */
function fuzzMessages(): () => string {
  let seed = 0x2f6e2b1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed % below;
  };
  const values = [
    '1',
    '-1',
    '0',
    '1e999',
    '"1"',
    '""',
    'null',
    'true',
    '[]',
    '{}',
    '"x"',
    '1700000000',
    '1700000000123',
    '"2023-01-01"',
    '{"polluted":1}',
    '[[[[1]]]]',
    '-0',
    '5e-324',
    '"\\u0000"',
    '"A\\r\\nB"',
    '"BTCUSD"',
    '"1m"',
    '1e308',
  ];
  const keys = [
    'symbol',
    'price',
    'volume',
    'timestamp',
    'bid',
    'ask',
    'id',
    'event',
    'open',
    'high',
    'low',
    'close',
    'timeframe',
    '__proto__',
    'constructor',
    'prototype',
    'market_data',
    'asset_types',
    'toString',
    'source',
    'seq',
    'asset_type',
    'sentiment',
  ];
  const pick = (list: readonly string[]) => list[random(list.length)] as string;
  const object = () => {
    const fields = random(3) === 0 ? [] : ['"symbol":"EURUSD"', `"price":${random(1_000) + 1}.5`];
    for (let i = random(5); i > 0; i--) fields.push(`"${pick(keys)}":${pick(values)}`);
    return `{${fields.join(',')}}`;
  };
  return () => {
    const count = random(4);
    const many = Array.from({ length: count }, object).join(',');
    const text =
      count === 1 ? object() : random(2) === 0 ? `[${many}]` : `{"market_data":[${many}],"__proto__":{"polluted":1}}`;
    switch (random(6)) {
      case 0:
        return text.slice(0, random(text.length + 1));
      case 1: {
        const at = random(text.length);
        return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
      }
      default:
        return text;
    }
  };
}
