import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseFileDate } from '../../../src/adapters/files/file-date';
import { readFileName } from '../../../src/adapters/files/file-name';
import { type FileForm, type FileRecord, formOf, recordReader } from '../../../src/adapters/files/file-records';
import { itemByWire, itemOf } from '../../../src/adapters/files/row-item';

const seed = 20260101;

describe('records of a market file', () => {
  const texts: readonly [FileForm, string][] = [
    ['csv', 'a,b\r\n1,"x,\ny"\n\n"""q""",é2\n3,4'],
    ['csv', 'no newline at all'],
    ['json-lines', '{"a":1}\n[1,2]\nnope\n"text"\n{"b":"}{"}'],
    ['json-array', '[[1,"]["],\n {"a":{"b":[1]}}, {"c":"\\"}"}]'],
    ['json-array', '{"data":[[1,2],[3,4]],"n":1}\n[[5]]'],
    ['json-array', '[[1],2,[3]] tail'],
  ];

  it('are the same however the text is cut into pieces', () => {
    const whole = texts.map(([form, text]) => {
      const reader = recordReader(form, ',');
      return [...reader.push(text), ...reader.end()];
    });
    assert.deepEqual(
      whole.map((records) => records.length),
      [4, 1, 5, 3, 3, 3],
    );
    fc.assert(
      fc.property(fc.nat(texts.length - 1), fc.array(fc.nat(60), { maxLength: 12 }), (which, cuts) => {
        const [form, text] = texts[which] as [FileForm, string];
        const reader = recordReader(form, ',');
        const records: FileRecord[] = [];
        let from = 0;
        for (const cut of [...cuts].sort((a, b) => a - b)) {
          const to = Math.max(from, Math.min(cut, text.length));
          records.push(...reader.push(text.slice(from, to)));
          from = to;
        }
        records.push(...reader.push(text.slice(from)), ...reader.end());
        assert.deepEqual(records, whole[which]);
      }),
      { seed },
    );
  });

  it('of JSON tell their line, and text that is no record is refused', () => {
    const reader = recordReader('json-array', ',');
    const records = [...reader.push('[\n[1],\n7,\n{"a":\n2}]'), ...reader.end()];
    assert.deepEqual(
      records.map((record) => [record.line, record.error]),
      [
        [2, null],
        [3, 'must be a JSON object or array'],
        [4, null],
      ],
    );
  });

  it('have the form that the beginning shows', () => {
    for (const [text, form] of [
      ['a,b', 'csv'],
      ['  [[1,2]]', 'json-array'],
      ['[1,2]\n[3,4]', 'json-lines'],
      ['{"symbol":"X"}', 'json-lines'],
      ['{ "market_data" : [', 'json-array'],
    ] as const)
      assert.equal(formOf(text), form, text);
  });
});

describe('dates of a market file', () => {
  const cases: readonly [string, string][] = [
    ['2020-12-15 09:30', '2020-12-15T09:30:00.000Z'],
    ['2021-12-31 23:01:00.000000', '2021-12-31T23:01:00.000Z'],
    ['2012-02-01 00:00:00+00:00', '2012-02-01T00:00:00.000Z'],
    ['2013-01-01 22:02:35.907000+00:00', '2013-01-01T22:02:35.907Z'],
    ['2022-07-25T09:15:00+05:30', '2022-07-25T03:45:00.000Z'],
    ['2022-07-25T00:00:00-05:00', '2022-07-25T05:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024/2/9', '2024-02-09T00:00:00.000Z'],
    ['2024.02.09 1:05', '2024-02-09T01:05:00.000Z'],
    ['01/03/2017', '2017-01-03T00:00:00.000Z'],
    ['1/3/2017 16:00:01', '2017-01-03T16:00:01.000Z'],
    ['01/03/17', '2017-01-03T00:00:00.000Z'],
    ['01/03/99', '1999-01-03T00:00:00.000Z'],
    ['20200101', '2020-01-01T00:00:00.000Z'],
    ['20200101 170000065', '2020-01-01T17:00:00.065Z'],
    ['20200101 170000', '2020-01-01T17:00:00.000Z'],
    ['20200101170000', '2020-01-01T17:00:00.000Z'],
    ['202001011700', '2020-01-01T17:00:00.000Z'],
    [' 2020-01-01T00:00:00.9999Z ', '2020-01-01T00:00:00.999Z'],
  ];
  for (const [text, instant] of cases) {
    it(`"${text}" is ${instant}`, () => {
      assert.deepEqual(parseFileDate(text), { kind: 'ms', ms: Date.parse(instant) });
    });
  }

  it('a number keeps its unit for the wire to read', () => {
    for (const text of ['1570752011620', '1672620536', '1672620536.5', '20209901'])
      assert.deepEqual(parseFileDate(text), { kind: 'number', value: Number(text) });
  });

  it('what is no date says why', () => {
    for (const [text, reason] of [
      ['', /is required/],
      ['31/12/2020', /no month 31; dates are read month first/],
      ['02/30/2020', /no day 30 in month 2/],
      ['2023-02-29', /no day 29/],
      ['2020-01-01 25:00', /no such time of day/],
      ['yesterday', /is not a date/],
      ['2'.repeat(5_000), /is not a date/],
    ] as const) {
      const date = parseFileDate(text);
      assert.equal(date.kind, 'bad');
      assert.match(date.kind === 'bad' ? date.message : '', reason);
    }
  });
});

describe('names of market files', () => {
  for (const [name, symbol, timeframe] of [
    ['/a/BTCUSD-1m-lean-coinbase.csv', 'BTCUSD', '1m'],
    ['XRP_USDT-1h-futures.json.gz', 'XRP_USDT', '1h'],
    ['BTCUSD-1mo-x.csv', 'BTCUSD', '1M'],
    ['btcusdt_4H.csv', 'BTCUSDT', '4h'],
    ['BTC-USD-1d.csv', 'BTC-USD', '1d'],
    ['IBM-trades-lean-20131007.csv', 'IBM', null],
    ['GOOG.csv', 'GOOG', null],
    ['my data (1).csv', 'MY_DATA__1_', null],
    ['EURUSD-100t.csv', 'EURUSD', '100t'],
    ['SPY-15min.csv', 'SPY', '15m'],
  ] as const) {
    it(`${name} is ${symbol}${timeframe ? ` ${timeframe}` : ''}`, () => {
      assert.deepEqual(readFileName(name), { symbol, timeframe });
    });
  }
});

describe('rows of bars', () => {
  it('are judged by hand exactly as the wire judges them', () => {
    const price = fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: 1, max: 3 }) },
      fc.double({ min: -2, max: 5 }),
      fc.constantFrom<unknown>(0, -0, Number.POSITIVE_INFINITY, '3', 'x', undefined, 1e300, 5e-324),
    );
    const time = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 29_453_760, max: 29_453_770 }).map((minute) => minute * 60_000) },
      fc.constantFrom<unknown>(1767225600, 1767225600001, 1e11, 99999999960000, 4e12, '2026-01-01', -60000, undefined),
    );
    const row = fc.record({
      timestamp: time,
      open: price,
      high: price,
      low: price,
      close: price,
      volume: fc.oneof(price, fc.constant(undefined)),
    });
    const defaults = { symbol: 'x', source: 'file', timeframe: '1m', timeframeMs: 60_000 };
    let items = 0;
    fc.assert(
      fc.property(row, (fields) => {
        const byHand = itemOf({ ...fields }, defaults);
        assert.deepEqual(byHand, itemByWire({ ...fields }, defaults));
        if (byHand.kind === 'item') items++;
      }),
      { seed, numRuns: 5_000 },
    );
    assert.ok(items > 100, `${items} rows were items`);
  });
});
