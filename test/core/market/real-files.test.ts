import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Tick } from '../../../src/core/domain/tick';
import { heldCount, outcomeCount } from '../../../src/core/market/symbol-market';
import { reference } from '../../helpers/references';
import { finish, market, play, t0, tick } from './market-samples';

type Row = readonly [ms: number, price: number, volume: number, id?: string];

function lines(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().split(','));
}

function trades(text: string, ms: number, price: number, volume: number, id?: number): Row[] {
  const rows = lines(text).filter((cells) => cells[ms] !== '' && Number.isFinite(Number(cells[ms])));
  return rows.map((cells): Row => {
    const [at, paid, size] = [Number(cells[ms]), Number(cells[price]), Number(cells[volume])];
    return id === undefined ? [at, paid, size] : [at, paid, size, cells[id] as string];
  });
}

/** Every file of trades or quotes, as rows. BTC has bars of one second: their closes stand for trades. */
const files: readonly (readonly [path: string, parse: (bytes: Buffer) => Row[]])[] = [
  ['tick/BTCUSD-1s-lean-coinbase-20161007.csv', (bytes) => trades(bytes.toString(), 0, 4, 5)],
  [
    'tick/XRP_ETH-trades-freqtrade.json.gz',
    (bytes) => {
      const rows = JSON.parse(gunzipSync(bytes).toString()) as [number, string, null, string, number, number][];
      return rows.map(([ms, id, , , price, amount]) => [ms, price, amount, id] as const);
    },
  ],
  ['tick/IBM-trades-lean-20131007.csv', (bytes) => trades(bytes.toString(), 0, 1, 2)],
  ['tick/public_trades_list-freqtrade.csv', (bytes) => trades(bytes.toString(), 1, 5, 6, 2)],
  [
    'tick/USDJPY-quoteticks-nautilus-truefx.csv',
    (bytes) =>
      lines(bytes.toString())
        .slice(1)
        .map(([at, bid, ask]) => [Math.floor(Date.parse(`${at}`)), (Number(bid) + Number(ask)) / 2, 0] as const),
  ],
  [
    'tick/BCHEUR-trades-freqtrade-kraken.csv',
    (bytes) => lines(bytes.toString()).map(([s, price, volume]) => [Number(s) * 1_000, Number(price), Number(volume)]),
  ],
  ['minute/GBPUSD-1m-bid-nautilus-fxcm-2012.csv', (bytes) => closes(bytes, 4)],
  ['minute/SPY-1m-lean-20131007_11.csv', (bytes) => closes(bytes, 4)],
  ['daily/BTCUSD-1d-lean-coinbase.csv', (bytes) => closes(bytes, 4)],
  ['daily/GOOG-1d-backtestingpy.csv', (bytes) => closes(bytes, 4)],
];

function closes(bytes: Buffer, column: number): Row[] {
  const asMs = (text: string) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text.length > 10 ? `${text}Z` : text));
  return lines(bytes.toString())
    .slice(1)
    .map((cells) => [asMs(cells[0] as string), Number(cells[column]), 0] as const)
    .filter(([ms, price]) => Number.isFinite(ms) && Number.isFinite(price));
}

function asTick([ms, price, volume, id]: Row): Tick {
  return tick(ms - t0, price, { volume, ...(id === undefined ? {} : { id }) });
}

function load(path: string, parse: (bytes: Buffer) => Row[]): Row[] | null {
  const full = reference(`market/${path}`);
  return full === null ? null : parse(readFileSync(full));
}

describe('real market files', () => {
  for (const [path, parse] of files) {
    it(`${path} is admitted whole, nothing of it held back`, () => {
      const rows = load(path, parse);
      if (rows === null) return;
      assert.ok(rows.length > 400, `${rows.length} rows`);
      const sm = market(['1s', '1m', '1h']);
      const run = play(sm, rows.map(asTick), 'ordered');
      const held = run.outcomes.filter((one) => one === 'held').length;
      const late = outcomeCount(sm, 'late');
      const repeated = outcomeCount(sm, 'accepted_duplicate');
      console.log(`      ${rows.length} rows: ${held} held back, ${late} late, ${repeated} identical prints used`);
      assert.equal(held + heldCount(sm) + late, 0);
      assert.equal(outcomeCount(sm, 'accepted') + repeated, rows.length);
    });
  }

  it('with one price in 500 ten times too high or low give the bars of the clean file', () => {
    const [path, parse] = files[1] as (typeof files)[number];
    const rows = load(path, parse);
    if (rows === null) return;
    const clean = market(['1m', '1h']);
    const expected = play(clean, rows.map(asTick), 'ordered');
    const dirty = market(['1m', '1h']);
    const poisoned = rows.flatMap((row, i) => {
      const bad: Row = [row[0], row[1] * (i % 1_000 < 500 ? 10 : 0.1), row[2], `bad${i}`];
      return i % 500 === 499 ? [asTick(row), asTick(bad)] : [asTick(row)];
    });
    const run = play(dirty, poisoned, 'ordered');
    assert.deepEqual(run.closed, expected.closed);
    assert.equal(outcomeCount(dirty, 'off_market'), Math.floor(rows.length / 500));
  });

  it('across a gap of a third over a weekend recover with the fourth tick', () => {
    const [path, parse] = files[2] as (typeof files)[number];
    const rows = load(path, parse);
    if (rows === null) return;
    const monday = rows.map(([ms, price, volume]) => [ms + 3 * 86_400_000, price * 0.6, volume] as const);
    const sm = market(['1m']);
    const run = finish(sm, 0, play(sm, [...rows, ...monday].map(asTick), 'ordered'));
    assert.equal(outcomeCount(sm, 'accepted_released'), 4);
    assert.equal(outcomeCount(sm, 'off_market') + heldCount(sm), 0);
    assert.equal(run.admitted.length, rows.length * 2);
  });
});
