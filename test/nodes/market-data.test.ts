import assert from 'node:assert/strict';
import engine from '../../nodes/engine';
import marketData from '../../nodes/market-data';
import { body, clearStage, closeStage, errorOf, list, openStage, stage } from './stage';

const node = (more: Readonly<Record<string, unknown>>) => ({
  id: 'data',
  type: 'strategy-engine-market-data',
  version: 1,
  engine: 'engine',
  wires: [['ticks'], ['rejected']],
  ...more,
});

/** The forms of others, as they send them, and what becomes of them. */
const forms: readonly {
  readonly preset: string;
  readonly payload: unknown;
  readonly topic?: string;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly ticks: readonly Readonly<Record<string, unknown>>[];
}[] = [
  {
    preset: 'number',
    payload: '42000.5',
    topic: 'prices/BTCUSD',
    ticks: [{ symbol: 'BTCUSD', price: 42000.5, volume: 0 }],
  },
  {
    preset: 'own',
    payload: { market_data: [{ symbol: 'ethusdt', price: '2500', bid: 2499, ask: 2501 }] },
    ticks: [{ symbol: 'ETHUSDT', price: 2500, bid: 2499, ask: 2501 }],
  },
  {
    preset: 'own',
    payload: { s: 'ABC', deep: { last: 7 } },
    more: { map: 'symbol=s, price=deep.last', source: 'mine', assetType: 'equity' },
    ticks: [{ symbol: 'ABC', price: 7, source: 'mine', asset_type: 'equity' }],
  },
  {
    preset: 'ccxt-ticker',
    payload: {
      symbol: 'BTC/USDT',
      timestamp: 1_767_268_800_000,
      last: 5,
      bid: 4,
      ask: 6,
      bidVolume: 1,
      baseVolume: 999,
    },
    ticks: [
      { symbol: 'BTC/USDT', price: 5, bid: 4, ask: 6, bid_size: 1, volume: 0, timestamp: '2026-01-01T12:00:00.000Z' },
    ],
  },
  {
    preset: 'ccxt-trades',
    payload: [{ symbol: 'BTC/USDT', timestamp: 1_767_268_800_000, price: 5, amount: 2, id: 't1' }],
    ticks: [{ symbol: 'BTC/USDT', price: 5, volume: 2, id: 't1' }],
  },
  {
    preset: 'binance',
    payload:
      '{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":12,"p":"42000.10","q":"0.5","T":1767268800120}}',
    ticks: [{ symbol: 'BTCUSDT', price: 42000.1, volume: 0.5, id: '12', timestamp: '2026-01-01T12:00:00.120Z' }],
  },
  {
    preset: 'binance',
    payload: { u: 1, s: 'BNBUSDT', b: '25.35', B: '31.2', a: '25.37', A: '40.6' },
    ticks: [{ symbol: 'BNBUSDT', price: 25.36, bid: 25.35, ask: 25.37, ask_size: 40.6 }],
  },
  {
    preset: 'kraken',
    payload: {
      channel: 'trade',
      type: 'update',
      data: [
        { symbol: 'MATIC/USD', price: 0.5117, qty: 40, timestamp: '2025-09-25T07:49:37.708706Z', trade_id: 4665906 },
      ],
    },
    ticks: [{ symbol: 'MATIC/USD', price: 0.5117, volume: 40, timestamp: '2025-09-25T07:49:37.708Z', id: '4665906' }],
  },
  {
    preset: 'alpaca',
    payload: [
      { T: 't', S: 'AAPL', i: 7, x: 'D', p: 126.55, s: 1, t: '2025-02-22T15:51:44.208123456Z' },
      { T: 'q', S: 'AMD', bp: 87.66, bs: 1, ap: 87.68, as: 4, t: '2025-02-22T15:51:45.335Z' },
      { T: 'b', S: 'SPY', o: 1, h: 3, l: 1, c: 2, v: 10, t: '2025-02-22T19:15:00Z' },
    ],
    ticks: [
      { symbol: 'AAPL', price: 126.55, volume: 1, timestamp: '2025-02-22T15:51:44.208Z' },
      { symbol: 'AMD', price: 87.67, bid: 87.66, ask_size: 4 },
      { symbol: 'SPY', timeframe: '1m', open: 1, close: 2, is_closed: true },
    ],
  },
];

describe('the market data node', () => {
  before(openStage);
  after(closeStage);
  afterEach(clearStage);

  for (const [index, form] of forms.entries()) {
    it(`reads ${form.preset} (${index + 1})`, async () => {
      const on = await stage([engine, marketData], [node({ preset: form.preset, ...form.more })]);
      on.send('data', { payload: form.payload, ...(form.topic === undefined ? {} : { topic: form.topic }) });
      const [message] = await on.count('ticks', 1);
      const ticks = list(message);
      assert.equal(ticks.length, form.ticks.length);
      for (const [at, expected] of form.ticks.entries()) {
        for (const [name, value] of Object.entries(expected)) {
          const got = ticks[at]?.[name];
          if (typeof value === 'number') assert.ok(Math.abs(Number(got) - value) < 1e-9, `${name}: ${got}`);
          else assert.equal(got, value, name);
        }
      }
      assert.equal(typeof message?.batch_id, 'string');
    });
  }

  it('marks the last, unfinished candle as not closed', async () => {
    const on = await stage(
      [engine, marketData],
      [node({ preset: 'ccxt-ohlcv', symbolFrom: 'fixed', symbol: 'BTC/USDT', timeframe: '1h' })],
    );
    const hourMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;
    on.send('data', {
      payload: [
        [hourMs - 3_600_000, 1, 2, 1, 2, 5],
        [hourMs, 2, 3, 2, 3, 4],
      ],
    });
    const [message] = await on.count('ticks', 1);
    assert.deepEqual(
      list(message).map((bar) => bar.is_closed),
      [true, false],
    );
  });

  it('passes the good and tells of the bad, with index, path, reason and what came', async () => {
    const on = await stage([engine, marketData], [node({ preset: 'own' })]);
    const payload = [
      { symbol: 'A', price: 1 },
      { symbol: 'A', price: -5 },
      { symbol: '!', price: 1 },
    ];
    on.send('data', { payload, mine: 1 });
    const rejected = await on.count('rejected', 2);
    assert.equal(list(on.seen('ticks')[0]).length, 1);
    const { index, path, message, raw } = body(rejected[0]);
    assert.deepEqual([index, path, message, raw], [1, 'payload[1].price', 'must be greater than 0', payload[1]]);
    assert.deepEqual(
      rejected.map(({ parts }) => (parts as { index: number; count: number }).index),
      [0, 1],
    );
    assert.equal(rejected[0]?.mine, 1);
    assert.deepEqual(payload[0], { symbol: 'A', price: 1 });
  });

  it('says nothing for heartbeats and answers to subscriptions', async () => {
    const on = await stage([engine, marketData], [node({ preset: 'kraken' })]);
    on.send('data', { payload: { channel: 'heartbeat' } });
    on.send('data', { payload: { method: 'subscribe', success: true } });
    await on.count('done', 2);
    assert.equal(on.seen('ticks').length + on.seen('rejected').length, 0);
  });

  it('hands text that is not JSON to a Catch node', async () => {
    const on = await stage([engine, marketData], [node({ preset: 'own' })]);
    on.send('data', { payload: '{"symbol":' });
    const [caught] = await on.count('caught', 1);
    assert.equal(errorOf(caught).code, 'JSONDecodeError');
  });
});
