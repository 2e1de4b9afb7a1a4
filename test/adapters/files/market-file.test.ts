import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type MarketFile,
  type MarketFileOptions,
  openMarketFile,
  type RejectedRow,
} from '../../../src/adapters/files/market-file';
import type { BarInput, MarketItem, Tick } from '../../../src/core/domain/tick';
import { reference } from '../../helpers/references';

interface ReadFile {
  readonly file: MarketFile;
  readonly items: readonly MarketItem[];
  readonly rejected: readonly RejectedRow[];
}

async function readAll(path: string, options: MarketFileOptions = { skipBad: true }): Promise<ReadFile> {
  const file = await openMarketFile(path, options);
  const items: MarketItem[] = [];
  const rejected: RejectedRow[] = [];
  for await (const batch of file) {
    assert.ok(batch.items.length <= 1_000);
    if (batch.items.length > 0) assert.equal(batch.firstRow, (options.afterRow ?? 0) + items.length + 1);
    items.push(...batch.items);
    rejected.push(...batch.rejected);
  }
  return { file, items, rejected };
}

function bars(read: ReadFile): readonly BarInput[] {
  return read.items.filter((item): item is BarInput => item.kind === 'bar');
}

function ticks(read: ReadFile): readonly Tick[] {
  return read.items.filter((item): item is Tick => item.kind === 'tick');
}

/** Plain lines and cells of a reference CSV without quotes: an own, simple reading to compare with. */
function plainRows(path: string, headerLines = 1): string[][] {
  const text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .slice(headerLines)
    .map((line) => line.split(','));
}

describe('market files of the references', () => {
  const expected: readonly [path: string, kind: string, symbol: string, timeframe: string | null, rows: number][] = [
    ['daily/BTCUSD-1d-lean-coinbase.csv', 'bars', 'BTCUSD', '1d', 1318],
    ['daily/BTCUSD-1d-skender.csv', 'bars', 'BTCUSD', '1d', 1246],
    ['daily/GOOG-1d-backtestingpy.csv', 'bars', 'GOOG', '1d', 2148],
    ['daily/SP500-1d-vega-datasets.csv', 'bars', 'SP500', '1d', 5105],
    ['daily/SPY-1d-lean.csv', 'bars', 'SPY', '1d', 5849],
    ['daily/SPY-1d-skender-default.csv', 'bars', 'SPY', '1d', 502],
    ['hourly/BTCUSD-1h-lean-bitfinex.csv', 'bars', 'BTCUSD', '1h', 733],
    ['hourly/EURUSD-1h-backtestingpy.csv', 'bars', 'EURUSD', '1h', 5000],
    ['hourly/XRP_USDT-1h-futures-freqtrade.json.gz', 'bars', 'XRP_USDT', '1h', 100],
    ['minute/BTCPERP-1m-nautilus-202201.csv', 'bars', 'BTCPERP', '1m', 45031],
    ['minute/BTCUSD-1m-lean-coinbase-20180404_06.csv', 'bars', 'BTCUSD', '1m', 3887],
    ['minute/BTCUSD-1m-quote-lean-coinbase-20180404_05.csv', 'quote bars', 'BTCUSD', '1m', 2873],
    ['minute/GBPUSD-1m-bid-nautilus-fxcm-2012.csv', 'bars', 'GBPUSD', '1m', 30117],
    ['minute/SPY-1m-lean-20131007_11.csv', 'bars', 'SPY', '1m', 4128],
    ['minute/SPY-1m-skender-intraday.csv', 'bars', 'SPY', '1m', 1564],
    ['minute/UNITTEST_BTC-1m-freqtrade.json', 'bars', 'UNITTEST_BTC', '1m', 13681],
    ['tick/BCHEUR-trades-freqtrade-kraken.csv', 'trades', 'BCHEUR', null, 486],
    ['tick/BTCUSD-1s-lean-coinbase-20161007.csv', 'bars', 'BTCUSD', '1s', 4063],
    ['tick/IBM-trades-lean-20131007.csv', 'trades', 'IBM', null, 24293],
    ['tick/USDJPY-quoteticks-nautilus-truefx.csv', 'quotes', 'USDJPY', null, 1000],
    ['tick/XRP_ETH-trades-freqtrade.json.gz', 'trades', 'XRP_ETH', null, 12477],
    ['tick/public_trades_list-freqtrade.csv', 'trades', 'PUBLIC_TRADES_LIST-FREQTRADE', null, 1000],
    ['tick/quote_tick_data-nautilus.csv', 'quotes', 'QUOTE_TICK_DATA-NAUTILUS', null, 9500],
  ];
  for (const [path, kind, symbol, timeframe, rows] of expected) {
    it(`${path} is ${rows} ${kind} of ${symbol}, none refused`, async () => {
      const full = reference(`market/${path}`);
      if (!full) return;
      const read = await readAll(full, {});
      assert.deepEqual([read.file.kind, read.file.symbol, read.file.timeframe], [kind, symbol, timeframe]);
      assert.equal(read.items.length, rows);
      assert.ok(read.items.every((item) => item.symbol === symbol && item.source === 'file'));
      const times = read.items.map((item) => item.timestampMs);
      assert.ok(times.every((ms, i) => i === 0 || ms >= (times[i - 1] ?? 0)));
    });
  }

  it('the first rows hold what the files say', async () => {
    const goog = reference('market/daily/GOOG-1d-backtestingpy.csv');
    if (!goog) return;
    const { symbol, source, ...bar } = bars(await readAll(goog))[0] as BarInput;
    assert.deepEqual(bar, {
      kind: 'bar',
      timestampMs: Date.UTC(2004, 7, 19),
      timeframe: '1d',
      open: 100,
      high: 104.06,
      low: 95.96,
      close: 100.34,
      volume: 22351900,
      isClosed: true,
      assetType: null,
      id: null,
    });
    const trades = ticks(await readAll(String(reference('market/tick/XRP_ETH-trades-freqtrade.json.gz'))));
    const first = trades[0] as Tick;
    assert.deepEqual(
      [first.timestampMs, first.price, first.volume, first.extras],
      [1570752011620, 0.00141342, 23, { id: '13519807' }],
    );
    const hist = ticks(await readAll(String(reference('market/tick/quote_tick_data-nautilus.csv'))))[0] as Tick;
    assert.equal(new Date(hist.timestampMs).toISOString(), '2020-01-01T17:00:00.065Z');
    assert.deepEqual(hist.quote, { bid: 1.1212, ask: 1.12172, bidSize: null, askSize: null });
    assert.ok(Math.abs(hist.price - 1.12146) < 1e-12);
    const kraken = ticks(await readAll(String(reference('market/tick/BCHEUR-trades-freqtrade-kraken.csv'))))[0] as Tick;
    assert.deepEqual([kraken.timestampMs, kraken.price, kraken.volume], [1672620536000, 90.07, 1.1]);
  });

  it('quote bars become bars of the middle, and crossed quotes are refused line by line', async () => {
    for (const [name, isCrossed] of [
      ['daily/EURUSD-1d-quote-lean-fxcm.csv', 419],
      ['minute/EURUSD-1m-quote-lean-fxcm-20140505_09.csv', null],
    ] as const) {
      const path = reference(`market/${name}`);
      if (!path) return;
      const rows = plainRows(path).map((cells) => cells.map(Number));
      const crossed = rows.flatMap((cells, i) =>
        [1, 2, 3, 4].some((at) => (cells[at + 5] ?? 0) < (cells[at] ?? 0)) ? [i + 2] : [],
      );
      if (isCrossed !== null) assert.equal(crossed.length, isCrossed);
      const read = await readAll(path);
      assert.deepEqual(
        read.rejected.map((row) => row.line),
        crossed,
      );
      assert.ok(read.rejected.every((row) => /^ask_(open|high|low|close)$/.test(row.column ?? '')));
      assert.ok(read.rejected.every((row) => row.message.includes('crossed')));
      const good = rows.filter((_, i) => !crossed.includes(i + 2));
      const closes = bars(read).map((bar) => bar.close);
      assert.deepEqual(
        closes,
        good.map((cells) => ((cells[4] ?? 0) + (cells[9] ?? 0)) / 2),
      );
    }
  });

  it('order book depth, archives and monthly bars are refused with the reason', async () => {
    for (const [name, reason] of [
      ['tick/BTCUSDT-depth-snap-nautilus-binance.csv', /order book depth/],
      ['tick/BTCUSDT-depth-update-nautilus-binance.csv', /order book depth/],
      ['tick/XRPUSDT-ob500-nautilus-bybit.data.zip', /zip archive/],
      ['daily/BTCUSD-1mo-backtestingpy.csv', /bars of 1M, which is no timeframe/],
    ] as const) {
      const path = reference(`market/${name}`);
      if (path) await assert.rejects(openMarketFile(path), { code: 'ValueError', message: reason });
    }
  });

  it('monthly bars are read as the bars of their days when that is asked for', async () => {
    const path = reference('market/daily/BTCUSD-1mo-backtestingpy.csv');
    if (!path) return;
    const read = await readAll(path, { timeframe: '1d' });
    assert.equal(read.items.length, 156);
  });
});

describe('the bad files of the references', () => {
  /** Rules of their own, read from the contract, over a plain reading: dates, prices, order. */
  function expectedBad(path: string): Map<number, string> {
    const bad = new Map<number, string>();
    let last = Number.NEGATIVE_INFINITY;
    plainRows(path).forEach((cells, i) => {
      const [date = '', ...numbers] = cells;
      const us = /^(\d{1,2})\/(\d{1,2})\/(\d{2,4})$/.exec(date);
      const year = us ? Number(us[3]) + (Number(us[3]) < 100 ? 2000 : 0) : 0;
      const ms = us ? Date.UTC(year, Number(us[1]) - 1, Number(us[2])) : Date.parse(date);
      const [open, high, low, close] = numbers.slice(0, 4).map((cell) => (cell === '' ? Number.NaN : Number(cell))) as [
        number,
        number,
        number,
        number,
      ];
      const problem = Number.isNaN(ms)
        ? 'date'
        : [open, high, low, close].some(Number.isNaN)
          ? 'price missing'
          : Math.min(open, high, low, close) <= 0
            ? 'price not positive'
            : high < Math.max(open, close) || low > Math.min(open, close)
              ? 'order of prices'
              : Number(numbers[4]) < 0
                ? 'volume'
                : ms <= last
                  ? 'order of times'
                  : null;
      if (problem === null) last = ms;
      else bad.set(i + 2, problem);
    });
    return bad;
  }

  const counts: readonly [name: string, good: number, bad: number][] = [
    ['skender-bad.csv', 337, 165],
    ['skender-issue0859-adx-nan.csv', 595, 0],
    ['skender-max.csv', 502, 0],
    ['skender-mismatch.csv', 38, 464],
    ['skender-penny.csv', 533, 0],
    ['skender-toobig.csv', 1246, 0],
    ['skender-zeros.csv', 0, 200],
  ];
  for (const [name, good, bad] of counts) {
    it(`${name}: ${good} rows are kept and ${bad} refused, each with line, column and reason`, async () => {
      const path = reference(`market/bad/${name}`);
      if (!path) return;
      const read = await readAll(path);
      const expected = expectedBad(path);
      assert.deepEqual(
        read.rejected.map((row) => row.line),
        [...expected.keys()],
      );
      assert.deepEqual([read.items.length, read.rejected.length], [good, bad]);
      const lines = readFileSync(path, 'utf8').split(/\r?\n/);
      for (const row of read.rejected) {
        const problem = expected.get(row.line) ?? '';
        const isTime = problem === 'date' || problem === 'order of times';
        assert.equal(/^(date|timestamp)$/i.test(row.column ?? ''), isTime, `${row.line}: ${row.column} ${problem}`);
        assert.ok(row.message.length > 5);
        assert.equal(row.raw, (lines[row.line - 1] ?? '').slice(0, 100));
      }
    });
  }

  it('3-minute bars stamped with +05:30 open where UTC says', async () => {
    const path = reference('market/bad/skender-issue0859-adx-nan.csv');
    if (!path) return;
    const read = await readAll(path);
    assert.equal(read.file.timeframe, '3m');
    assert.equal(new Date(bars(read)[0]?.timestampMs ?? 0).toISOString(), '2022-07-25T03:45:00.000Z');
  });
});

describe('market files in other forms', () => {
  let dir = '';
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'market-file-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  function write(name: string, content: string | Buffer): string {
    const path = join(dir, name);
    writeFileSync(path, content);
    return path;
  }
  const header = 'time,open,high,low,close,volume\n';

  it('the first bad line is an error that names file, line, column and value', async () => {
    const path = write('X-1m-a.csv', `${header}2026-01-01 00:00,1,2,0.5,1,1\n2026-01-01 00:01,1,2,zero,1,1\n`);
    await assert.rejects(readAll(path, {}), (thrown: Error) => {
      assert.match(thrown.message, /^X-1m-a\.csv:3 low must be a number/);
      return true;
    });
  });

  it('quoted cells, a quoted line break, semicolons and CRLF are read', async () => {
    const rows = '"2026-01-01T00:00:00Z";"1";2;0.5;1;"note\r\nmore"\r\n2026-01-01T00:01:00Z;1;2;0.5;"1.5";x\r\n';
    const read = await readAll(write('X-1m-q.csv', `time;open;high;low;close;note\r\n${rows}`));
    assert.deepEqual(read.rejected, []);
    assert.deepEqual(
      bars(read).map((bar) => bar.close),
      [1, 1.5],
    );
  });

  it('JSON lines of the contract’s ticks keep their own symbols, ids and quotes', async () => {
    const lines = [
      { symbol: 'btcusdt', price: 5, volume: 1, timestamp: 1767225600, id: 'a' },
      { symbol: 'ETHUSDT', bid: 1, ask: 3, timestamp: '2026-01-01T00:00:01Z', sentiment: 0.5 },
      { symbol: 'ETHUSDT', price: -1, timestamp: '2026-01-01T00:00:02Z' },
    ];
    const path = write('mixed.jsonl', `${lines.map((line) => JSON.stringify(line)).join('\n')}\nnot json\n`);
    const read = await readAll(path);
    assert.deepEqual(
      ticks(read).map((tick) => [tick.symbol, tick.price, tick.extras]),
      [
        ['BTCUSDT', 5, { id: 'a' }],
        ['ETHUSDT', 2, { sentiment: 0.5 }],
      ],
    );
    assert.deepEqual(
      read.rejected.map((row) => [row.line, row.column]),
      [
        [3, 'price'],
        [4, undefined],
      ],
    );
  });

  it('an array in a property, pretty-printed, and one array a line are read alike', async () => {
    const rows = [1, 2, 3].map((i) => ({ symbol: 'X', price: i, timestamp: 1767225600 + i }));
    const forms = [
      JSON.stringify({ market_data: rows }, null, 2),
      JSON.stringify(rows),
      rows.map((row) => JSON.stringify([row])).join('\n'),
      rows.map((row) => JSON.stringify(row)).join('\n'),
    ];
    for (const [i, form] of forms.entries()) {
      const read = await readAll(write(`form-${i}.json`, form), {});
      assert.deepEqual(
        ticks(read).map((tick) => tick.price),
        [1, 2, 3],
      );
    }
  });

  it('a JSON array cut in the middle keeps what is whole and reports the rest', async () => {
    const read = await readAll(write('X-1m-cut.json', '[[1767225600000,1,2,0.5,1,1],[1767225660000,1,2'));
    assert.equal(read.items.length, 1);
    assert.match(read.rejected[0]?.message ?? '', /ends before its JSON does/);
  });

  it('a gzipped file gives the same rows as the plain one', async () => {
    const text = `${header}2026-01-01 00:00,1,2,0.5,1,1\n2026-01-01 00:01,1,2,0.5,1.25,1\n`;
    const plain = await readAll(write('X-1m-p.csv', text));
    const packed = await readAll(write('X-1m-p.csv.gz', gzipSync(text)));
    assert.deepEqual(packed.items, plain.items);
    assert.equal(plain.items.length, 2);
  });

  it('a cut gzip file is an error, not a short file', async () => {
    const packed = gzipSync(`${header}${'2026-01-01 00:00,1,2,0.5,1,1\n'.repeat(2)}`);
    await assert.rejects(readAll(write('X-1m-t.csv.gz', packed.subarray(0, packed.length - 12))));
  });

  it('reading goes on after a row, with the same rows and numbers', async () => {
    const lines = Array.from({ length: 2_500 }, (_, i) => {
      const price = i % 100 === 7 ? 'bad' : String(1 + i);
      return `${1767225600 + i},${price},1`;
    });
    const path = write('X-trades.csv', lines.join('\n'));
    const whole = await readAll(path);
    assert.equal(whole.items.length, 2_475);
    const rest = await readAll(path, { skipBad: true, afterRow: 1_234 });
    assert.deepEqual(rest.items, whole.items.slice(1_234));
    assert.equal(rest.file.feed, whole.file.feed);
  });

  it('the feed’s name changes with the content', async () => {
    const one = await openMarketFile(write('Y-1m.csv', `${header}2026-01-01 00:00,1,2,0.5,1,1\n`));
    const two = await openMarketFile(write('Y-1m.csv', `${header}2026-01-01 00:00,1,2,0.5,2,1\n`));
    assert.notEqual(one.feed, two.feed);
  });

  it('a line longer than any row is refused, and reading goes on', async () => {
    const path = write('X-1m-l.csv', `${header}${'9'.repeat(200_000)}\n2026-01-01 00:01,1,2,0.5,1,1\n`);
    const read = await readAll(path, { skipBad: true, timeframe: '1m' });
    assert.equal(read.items.length, 1);
    assert.deepEqual(
      read.rejected.map((row) => row.line),
      [2],
    );
    assert.equal(read.rejected[0]?.raw.length, 100);
  });

  it('bars that are not aligned, repeat or go back are refused', async () => {
    const rows = ['00:00', '00:01', '00:01', '00:00', '00:02:30', '00:03'].map((at) => `2026-01-01 ${at},1,2,0.5,1,1`);
    const read = await readAll(write('X-1m-o.csv', `${header}${rows.join('\n')}`));
    assert.equal(read.items.length, 3);
    assert.deepEqual(
      read.rejected.map((row) => [row.line, row.column, row.message.split(' ').slice(0, 2).join(' ')]),
      [
        [4, 'time', 'repeats the'],
        [5, 'time', 'is before'],
        [6, 'time', 'must be'],
      ],
    );
  });

  it('the timeframe comes from the step between rows when the name says none', async () => {
    const rows = [0, 15, 30, 60, 75].map((minute) => `${1767225600 + minute * 60},1,2,0.5,1,1`);
    const read = await readAll(write('eurusd.csv', rows.join('\n')));
    assert.deepEqual([read.file.timeframe, read.file.symbol], ['15m', 'EURUSD']);
    await assert.rejects(
      openMarketFile(write('EURUSD-1h.csv', rows.join('\n'))),
      /named 1h, but its rows are 15m apart/,
    );
  });

  it('date and time in two columns, as MetaTrader writes them, are one instant', async () => {
    const rows =
      '<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>\n2026.01.01,00:05:00,1,2,0.5,1,7\n2026.01.01,00:10:00,1,2,0.5,1,7';
    const read = await readAll(write('EURUSD_M5.csv', rows), { timeframe: '5m' });
    assert.deepEqual(
      bars(read).map((bar) => [bar.timestampMs, bar.volume]),
      [
        [Date.UTC(2026, 0, 1, 0, 5), 7],
        [Date.UTC(2026, 0, 1, 0, 10), 7],
      ],
    );
  });

  it('a line of the vendor above the header is left out', async () => {
    const text = `https://example.com\nunix,date,symbol,open,high,low,close,Volume X\n1767225600,2026-01-01,BTC/USD,1,2,0.5,1,9\n1767312000,2026-01-02,BTC/USD,1,2,0.5,1,9\n`;
    const read = await readAll(write('Vendor_d.csv', text), {});
    assert.deepEqual([read.items.length, read.items[0]?.symbol, read.file.timeframe], [2, 'BTC/USD', '1d']);
  });

  it('empty files and strange columns are refused with what is missing', async () => {
    await assert.rejects(openMarketFile(write('empty.csv', '')), /holds no rows/);
    await assert.rejects(
      openMarketFile(write('odd.csv', 'a,b,c\nx,y,z\n')),
      /columns that are not market data \(a, b, c\)/,
    );
    await assert.rejects(openMarketFile(write('nothing.json', '[]')), /holds no rows/);
    await assert.rejects(openMarketFile(join(dir, 'absent.csv')), { code: 'ENOENT' });
  });

  it('notes say what was assumed', async () => {
    const file = await openMarketFile(write('AB-1m.csv', `${header}2026-01-01 00:00,1,2,0.5,1,1\n`));
    assert.deepEqual(file.notes, [
      'read as bars',
      'times without an offset are read as UTC',
      'symbol AB from the name',
      'timeframe 1m from the name',
    ]);
  });
});
