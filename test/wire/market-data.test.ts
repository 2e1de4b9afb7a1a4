import assert from 'node:assert/strict';
import { EngineError, type ErrorType } from '../../src/core/domain/errors';
import { limits } from '../../src/core/domain/limits';
import type { BarInput, Tick } from '../../src/core/domain/tick';
import { type MarketDataContext, parseMarketText, parseMarketValue } from '../../src/wire/market-data';

const arrivalMs = Date.UTC(2026, 0, 1);
const context: MarketDataContext = { arrivalMs, source: 'http', door: 'live' };

const read = (value: unknown, more: Partial<MarketDataContext> = {}) =>
  parseMarketValue(value, { ...context, ...more });

function tickOf(value: unknown, more: Partial<MarketDataContext> = {}): Tick {
  const { items, rejected } = read(value, more);
  assert.deepEqual(rejected, []);
  assert.equal(items[0]?.kind, 'tick');
  return items[0] as Tick;
}

function barOf(value: unknown): BarInput {
  const { items, rejected } = read(value);
  assert.deepEqual(rejected, []);
  assert.equal(items[0]?.kind, 'bar');
  return items[0] as BarInput;
}

function problemOf(value: unknown, more: Partial<MarketDataContext> = {}) {
  const { items, rejected } = read(value, more);
  assert.deepEqual(items, []);
  const [first] = rejected;
  assert.ok(first);
  return `${first.path} ${first.message}`;
}

function thrownBy(act: () => unknown): { code: ErrorType; message: string } {
  try {
    act();
  } catch (thrown) {
    assert.ok(thrown instanceof EngineError, String(thrown));
    return { code: thrown.code, message: thrown.message };
  }
  assert.fail('nothing was thrown');
}

const bar = { symbol: 'spy', open: 10, high: 12, low: 9, close: 11, timeframe: '1m', timestamp: arrivalMs };

describe('wire/market-data', () => {
  describe('what a message may be', () => {
    const tick = { symbol: 'BTCUSD', price: 1 };
    it('a tick, an array of ticks and {market_data} of either say the same', () => {
      for (const message of [tick, [tick], { market_data: tick }, { market_data: [tick] }]) {
        const input = parseMarketText(JSON.stringify(message), context);
        assert.equal(input.items.length, 1);
        assert.deepEqual([input.received, input.door, input.arrivalMs, input.indexes], [1, 'live', arrivalMs, [0]]);
      }
    });

    it('everything else is a ValueError of the whole', () => {
      for (const text of [
        '1',
        '"x"',
        'null',
        'true',
        '{"market_data":3}',
        '{"market_data":null}',
        '{"market_data":"x"}',
      ]) {
        assert.equal(thrownBy(() => parseMarketText(text, context)).code, 'ValueError', text);
      }
    });

    it('10,000 ticks are read, 10,001 are too large before any is validated', () => {
      const many = Array.from({ length: limits.ticksPerRequest }, () => tick);
      assert.equal(read(many).items.length, limits.ticksPerRequest);
      const untouchable = new Proxy({}, { get: () => assert.fail('an item was looked at') });
      const more = [...many.map(() => untouchable), untouchable];
      assert.equal(thrownBy(() => read(more)).code, 'PayloadTooLargeError');
    });

    it('valid ticks are kept beside rejected ones, with their places', () => {
      const input = read({ market_data: [tick, { symbol: 'X' }, tick, 7, { symbol: 'X', price: -5 }] });
      assert.deepEqual(input.indexes, [0, 2]);
      assert.equal(input.received, 5);
      assert.deepEqual(input.rejected, [
        { index: 1, path: 'market_data[1].price', message: 'is required, or bid and ask' },
        { index: 3, path: 'market_data[3]', message: 'must be an object: a tick or a bar', received: 7 },
        { index: 4, path: 'market_data[4].price', message: 'must be greater than 0', received: -5 },
      ]);
    });

    it('a body without market_data is told so; a tick without its symbol is told that', () => {
      for (const body of [{}, { data: [tick] }, { asset_types: ['crypto'] }]) {
        assert.equal(thrownBy(() => read(body)).message, 'market_data is required');
      }
      assert.equal(read({ price: 1 }).rejected[0]?.path, 'market_data.symbol');
    });

    it('asset_types rejects items of other types, and says so', () => {
      const input = read({ market_data: [tick, { symbol: 'AAPL', price: 1 }], asset_types: ['crypto'] });
      assert.deepEqual(input.indexes, [0]);
      assert.match(input.rejected[0]?.message ?? '', /asset type equity, which is not among asset_types \(crypto\)/);
      assert.equal(thrownBy(() => read({ market_data: [tick], asset_types: ['gold'] })).code, 'ValueError');
      assert.equal(read({ market_data: [tick], asset_types: [] }).items.length, 1);
      assert.equal(
        read({ market_data: { symbol: 'AAPL', price: 1, asset_type: 'crypto' }, asset_types: ['crypto'] }).items.length,
        1,
      );
    });

    it('a batch of 10,000 bad items is refused within the lag a loop may have', () => {
      const bad = Array.from({ length: limits.ticksPerRequest }, (_, i) => ({
        symbol: 'A B',
        price: -5,
        volume: 'x',
        i,
      }));
      read(bad);
      const before = performance.now();
      assert.equal(read(bad).rejected.length, limits.ticksPerRequest);
      assert.ok(performance.now() - before < 500, 'more than half a second');
    });

    it('a value that cannot be read is a ValueError', () => {
      const hostile = new Proxy(
        {},
        {
          get: () => {
            throw new TypeError('trap');
          },
        },
      );
      assert.equal(thrownBy(() => read(hostile)).code, 'ValueError');
      assert.equal(thrownBy(() => read([hostile])).code, 'ValueError');
    });
  });

  describe('a tick', () => {
    it('has every hot field in one order, whatever it was made from', () => {
      const keys = Object.keys(tickOf({ symbol: 'a', price: 1 }));
      assert.deepEqual(keys, [
        'kind',
        'symbol',
        'source',
        'timestampMs',
        'stamped',
        'price',
        'volume',
        'quote',
        'assetType',
        'extras',
      ]);
      for (const other of [
        { symbol: 'a', price: '1' },
        { sentiment: 0, price: 1, symbol: 'a' },
        { bid: 1, ask: 2, symbol: 'a' },
      ]) {
        assert.deepEqual(Object.keys(tickOf(other)), keys);
      }
    });

    it('takes numbers as text', () => {
      const tick = tickOf({
        symbol: 'btcusd',
        price: '50000.0',
        volume: '1e-3',
        timestamp: '1767225600',
        bid: '1',
        ask: '2',
      });
      assert.deepEqual([tick.price, tick.volume, tick.timestampMs, tick.quote?.ask], [50_000, 0.001, arrivalMs, 2]);
    });

    it('without a timestamp is stamped with its arrival, and says so', () => {
      const tick = tickOf({ symbol: 'A', price: 1 });
      assert.deepEqual([tick.timestampMs, tick.stamped], [arrivalMs, false]);
      assert.equal(tickOf({ symbol: 'A', price: 1, timestamp: arrivalMs - 1 }).stamped, true);
    });

    it('without a price has the middle of bid and ask', () => {
      assert.equal(tickOf({ symbol: 'A', bid: 1, ask: 2 }).price, 1.5);
      assert.equal(tickOf({ symbol: 'A', bid: 1e308, ask: 1.7e308 }).price, 1e308 + 0.35e308);
      assert.equal(tickOf({ symbol: 'A', price: 3, bid: 1, ask: 2 }).price, 3);
      assert.match(problemOf({ symbol: 'A', bid: 1 }), /price is required/);
    });

    it('may be negative only where the instrument allows it', () => {
      assert.match(problemOf({ symbol: 'CL', price: -37.63 }), /market_data.price must be greater than 0/);
      const allowNegativePrice = (symbol: string) => symbol === 'CL';
      assert.equal(tickOf({ symbol: 'cl', price: -37.63 }, { allowNegativePrice }).price, -37.63);
      assert.match(problemOf({ symbol: 'A', price: -1 }, { allowNegativePrice }), /greater than 0/);
    });

    it('may be 5 minutes ahead at live doors, and any time where files are read', () => {
      const ahead = arrivalMs + limits.futureMs;
      tickOf({ symbol: 'A', price: 1, timestamp: ahead });
      assert.match(
        problemOf({ symbol: 'A', price: 1, timestamp: ahead + 1 }),
        /timestamp must not be more than 5 minutes/,
      );
      tickOf({ symbol: 'A', price: 1, timestamp: ahead + 1 }, { door: 'ordered' });
    });

    it('keeps what few carry', () => {
      const tick = tickOf({
        symbol: 'A',
        price: 1,
        id: 7,
        seq: 3,
        funding_rate: 0.0001,
        funding_interval_h: 8,
        sentiment: -0.5,
        asset_type: 'index',
        source: 'mine',
        event: { id: 'e1', kind: 'earnings', surprise: '2.5', unit: 'sigma' },
      });
      assert.deepEqual(tick.extras, {
        id: '7',
        seq: 3,
        fundingRate: 0.0001,
        fundingIntervalH: 8,
        sentiment: -0.5,
        event: { id: 'e1', kind: 'earnings', surprise: 2.5, unit: 'sigma', actual: null, expected: null },
      });
      assert.deepEqual([tick.assetType, tick.source], ['index', 'mine']);
    });

    it('a symbol named __proto__ is data', () => {
      assert.equal(tickOf(JSON.parse('{"symbol":"__proto__","price":1,"__proto__":{"x":1}}')).symbol, '__PROTO__');
    });

    it('unknown fields are ignored', () => tickOf({ symbol: 'A', price: 1, open: 3, whatever: [{}] }));

    const wrong: readonly (readonly [string, object, RegExp])[] = [
      ['price null', { price: null }, /price must be a finite number/],
      ['price true', { price: true }, /price must be a finite number/],
      ['price []', { price: [] }, /price must be a finite number/],
      ['price ""', { price: '' }, /price must be a number/],
      ['price " 1"', { price: ' 1' }, /price must be a number/],
      ['price 0x10', { price: '0x10' }, /price must be a number/],
      ['price 1e999 as text', { price: '1e999' }, /price must be a finite number/],
      ['price Infinity', { price: Number.POSITIVE_INFINITY }, /price must be a finite number/],
      ['price 0', { price: 0 }, /price must be greater than 0/],
      ['volume -1', { volume: -1 }, /volume must be at least 0/],
      ['volume null', { volume: null }, /volume must be a finite number/],
      ['bid above ask', { bid: 2, ask: 1 }, /bid must not be above ask/],
      ['bid 0', { bid: 0, ask: 1 }, /bid must be greater than 0/],
      ['sentiment 2', { sentiment: 2 }, /sentiment must be at most 1/],
      ['seq 1.5', { seq: 1.5 }, /seq must be a whole number/],
      ['timestamp null', { timestamp: null }, /timestamp must be a time/],
      ['timestamp 12', { timestamp: 12 }, /timestamp .* in seconds/],
      ['CR LF in the symbol', { symbol: 'A\r\nB' }, /symbol must be a symbol/],
      ['NUL in the symbol', { symbol: 'A\u0000' }, /symbol must be a symbol/],
      ['a newline after the symbol', { symbol: 'A\n' }, /symbol must be a symbol/],
      ['a symbol of 33 characters', { symbol: 'A'.repeat(33) }, /symbol must be a symbol/],
      ['a control character in the source', { source: 'a\u001b[31m' }, /source must not hold control characters/],
      ['an overlong id', { id: 'x'.repeat(129) }, /id must have 1 to 128 characters/],
      ['an unknown asset type', { asset_type: 'nft' }, /asset_type must be one of crypto/],
      ['a funding rate without its interval', { funding_rate: 0.1 }, /funding_interval_h is required/],
      ['an event without kind', { event: { id: 'x' } }, /event.kind is required/],
      ['an event that is a list', { event: [] }, /event must be an object/],
      [
        'an event with a bad number',
        { event: { id: 'x', kind: 'news', actual: 'soon' } },
        /event.actual must be a number/,
      ],
    ];
    for (const [name, fields, message] of wrong) {
      it(`${name} is rejected with its path`, () =>
        assert.match(problemOf({ symbol: 'A', price: 1, ...fields }), message));
    }
  });

  describe('a bar', () => {
    it('is closed unless it says otherwise, and its timestamp is its open', () => {
      const read = barOf(bar);
      assert.deepEqual(
        [read.symbol, read.timestampMs, read.timeframe, read.isClosed, read.volume],
        ['SPY', arrivalMs, '1m', true, 0],
      );
      assert.equal(barOf({ ...bar, is_closed: false }).isClosed, false);
      assert.equal(barOf({ ...bar, timeframe: '100t', timestamp: arrivalMs - 12_345 }).timeframe, '100t');
      assert.equal(barOf({ ...bar, open: '10', price: 11 }).open, 10);
    });

    it('that ends more than 5 minutes after its arrival is not closed yet, whatever it says; files know no arrival', () => {
      const day = { ...bar, timeframe: '1d', timestamp: Math.floor(arrivalMs / 86_400_000) * 86_400_000 };
      const endsAt = new Date(day.timestamp + 86_400_000).toISOString();
      assert.match(problemOf(day), new RegExp(`timestamp opens a bar that ends at ${endsAt}, ahead of its arrival`));
      assert.equal(barOf({ ...day, is_closed: false }).isClosed, false);
      assert.equal(barOf({ ...day, timestamp: day.timestamp - 86_400_000 }).isClosed, true);
      const last = { ...bar, timeframe: '5m', timestamp: arrivalMs - (arrivalMs % 300_000) };
      assert.equal(barOf(last).isClosed, true);
      const file = { ...context, door: 'ordered' } as const;
      assert.equal(parseMarketValue([day], file).items.length, 1);
    });

    const wrong: readonly (readonly [string, object, RegExp])[] = [
      ['high below close', { high: 10.5 }, /high must not be below open or close/],
      ['low above open', { low: 10.5 }, /low must not be above/],
      ['low 0', { low: 0 }, /low must be greater than 0/],
      ['no timestamp', { timestamp: undefined }, /timestamp is required for a bar/],
      ['no timeframe', { timeframe: undefined }, /timeframe is required for a bar/],
      ['a timeframe of seven minutes', { timeframe: '7m' }, /timeframe must be one of 1s/],
      ['a week', { timeframe: '1w' }, /timeframe must be one of 1s/],
      [
        'an open that is not aligned',
        { timestamp: arrivalMs + 1_000 },
        /timestamp must be the bar's open, aligned to 1m/,
      ],
      ['no close', { close: undefined }, /close is required/],
      ['is_closed "yes"', { is_closed: 'yes' }, /is_closed must be true or false/],
    ];
    for (const [name, fields, message] of wrong) {
      it(`${name} is rejected with its path`, () => assert.match(problemOf({ ...bar, ...fields }), message));
    }
  });
});
