/** Every real market file through every door of the running product: nothing is lost, nothing breaks, signals come. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { openMarketFile } from '../../src/adapters/files/market-file';
import { demoFlow } from '../../src/adapters/node-red/demo-flow';
import { marketItemToWire } from '../../src/wire/market-out';
import { built } from '../helpers/built';
import { startNode } from '../helpers/child';
import { createProduct, type Product } from '../helpers/product';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { reference, referencesDir } from '../helpers/references';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

type Json = Readonly<Record<string, unknown>>;

const refused: readonly (readonly [path: string, reason: RegExp])[] = [
  ['tick/BTCUSDT-depth-snap-nautilus-binance.csv', /order book depth/],
  ['tick/BTCUSDT-depth-update-nautilus-binance.csv', /order book depth/],
  ['tick/XRPUSDT-ob500-nautilus-bybit.data.zip', /zip archive/],
  ['daily/BTCUSD-1mo-backtestingpy.csv', /no timeframe the engine takes/],
];
const here = reference('market/README.md') !== null;
/** Every file of trades, quotes and bars. */
const paths = !here
  ? []
  : ['tick', 'minute', 'hourly', 'daily']
      .flatMap((folder) => readdirSync(join(referencesDir, 'market', folder)).map((name) => `${folder}/${name}`))
      .filter((path) => !refused.some(([other]) => other === path));
const full = (path: string) => join(referencesDir, 'market', path);

/** At most this many items in a message: a body of 1 MiB holds them. */
const perRequest = 4_000;
const perMessage = 1_000;

async function itemsOf(path: string, door: string): Promise<Json[]> {
  const symbol = `${/[^/-]+/.exec(path.slice(path.indexOf('/') + 1))?.[0].slice(0, 16)}.${door}${paths.indexOf(path)}`;
  const items: Json[] = [];
  for await (const batch of await openMarketFile(full(path), { skipBad: true, symbol, source: door })) {
    for (const item of batch.items) items.push({ ...marketItemToWire(item), symbol });
  }
  return items;
}

function parts(items: readonly Json[], size: number): Json[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

async function json(answer: Response): Promise<Record<string, unknown>> {
  return (await answer.json()) as Record<string, unknown>;
}

describe('real market files through the running product', function () {
  this.timeout(240_000);
  const { path: dataDir, remove } = temporaryDirectory('market-files');
  let redis: RedisServer;
  let product: Product;
  let client: Redis;

  async function get(path: string): Promise<Record<string, unknown>> {
    return json(await fetch(product.apiUrl + path));
  }
  async function post(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(product.apiUrl + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, body: await json(answer) };
  }
  const offer = (items: readonly Json[]) => post('/api/strategy_engine/process_market_data', { market_data: items });

  async function assertWell(after: string): Promise<void> {
    const { system_health: health, components } = await get('/api/strategy_engine/summary');
    assert.ok(health === 'excellent' || health === 'good', `${after}: ${health} ${JSON.stringify(components)}`);
  }
  /** Ticks by where they ended, as the metrics say. */
  async function outcomes(): Promise<Map<string, number>> {
    const text = await (await fetch(`${product.apiUrl}/api/metrics`)).text();
    const found = text.matchAll(/^strategy_engine_ticks_total\{outcome="(\w+)"\} (\d+)$/gm);
    return new Map([...found].map(([, outcome = '', count]) => [outcome, Number(count)]));
  }
  async function ended(): Promise<number> {
    return [...(await outcomes()).values()].reduce((sum, count) => sum + count, 0);
  }

  before(async () => {
    redis = await startRedis();
    client = new Redis(redis.port, '127.0.0.1');
    // The ready flow without its simulated market: what is counted is what these tests sent.
    mkdirSync(join(dataDir, 'node-red'), { recursive: true });
    const flow = demoFlow().filter(({ id }) => id !== 'demo-market');
    writeFileSync(join(dataDir, 'node-red', 'flows.json'), JSON.stringify(flow));
    product = await createProduct({ dataDir, redisUrl: redis.url });
    await product.start();
    for (const strategy_type of ['moving_average_crossover', 'mean_reversion', 'trend_following']) {
      const { status, body } = await post('/api/strategy/register', { strategy_type });
      assert.equal(status, 200, JSON.stringify(body));
    }
  });
  after(async () => {
    client.disconnect();
    await product.end('SIGKILL');
    await redis.stop();
    remove();
  });

  async function signalsOf(door: string): Promise<number> {
    const entries = await client.xrange('strategy_engine:signals', '-', '+');
    return entries.filter(([, fields]) => fields.some((field) => new RegExp(`\\.${door}\\d+"`).test(field))).length;
  }

  it('HTTP: accepted and rejected add up to what was sent, file by file', async () => {
    let sent = 0;
    let signals = 0;
    for (const path of paths) {
      const items = await itemsOf(path, 'H');
      let taken = 0;
      for (const part of parts(items, perRequest)) {
        const { status, body } = await offer(part);
        assert.equal(status, 200, `${path}: ${JSON.stringify(body).slice(0, 500)}`);
        assert.equal(Number(body.ticks_accepted) + Number(body.ticks_rejected), part.length, path);
        assert.equal((body.rejected as unknown[]).length, body.ticks_rejected);
        taken += Number(body.ticks_accepted);
        signals += Number(body.signals_generated);
      }
      assert.equal(taken, items.length, `${path}: a row of an ordered, valid file was refused`);
      sent += items.length;
      await assertWell(path);
    }
    assert.ok(!here || (sent > 150_000 && signals > 1_000), `${sent} items, ${signals} signals`);
    if (here) await until('signals are in the stream', async () => (await signalsOf('H')) > 0, 30_000);
  });

  it('pub/sub: every item of every file ends in exactly one counted outcome', async () => {
    const start = await ended();
    let sent = 0;
    for (const path of paths) {
      const items = await itemsOf(path, 'P');
      for (const part of parts(items, perMessage)) {
        const heard = await client.publish('strategy_engine_input', JSON.stringify({ market_data: part }));
        assert.equal(heard, 1);
      }
      sent += items.length;
      await until(`${path} is counted`, async () => (await ended()) - start >= sent, 30_000);
      assert.equal((await ended()) - start, sent, path);
      await assertWell(path);
    }
    assert.equal(await client.xlen('strategy_engine:rejected'), 0);
    if (here) await until('signals are in the stream', async () => (await signalsOf('P')) > 0, 30_000);
  });

  it('HTTP: of the bad files the good lines are kept and each bad one is named by its index', async () => {
    if (!here) return;
    for (const name of readdirSync(full('bad'))) {
      const { rows, bad } = plainBars(name);
      const { status, body } = await offer(rows);
      assert.equal(status, bad.length === rows.length ? 422 : 200, name);
      if (status === 422) {
        assert.equal(body.error_type, 'ValueError');
        assert.equal((body.details as unknown[]).length, 20);
        continue;
      }
      const indexes = (body.rejected as { index: number }[]).map(({ index }) => index);
      assert.deepEqual(indexes, bad, name);
      assert.equal(body.ticks_accepted, rows.length - bad.length);
    }
    await assertWell('bad files');
  });
});

/** A bad file's lines as a client would send them, and which of them no engine should take. */
function plainBars(name: string): { readonly rows: Json[]; readonly bad: number[] } {
  const lines = readFileSync(full(`bad/${name}`), 'utf8')
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split(/\r?\n/)
    .slice(1);
  const bad: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  const rows = lines.map((line, index) => {
    const [date = '', open, high, low, close, volume] = line.split(',');
    const us = /^(\d{1,2})\/(\d{1,2})\/(\d{2,4})$/.exec(date);
    const year = us ? Number(us[3]) + (Number(us[3]) < 100 ? 2_000 : 0) : 0;
    const ms = us ? Date.UTC(year, Number(us[1]) - 1, Number(us[2])) : Date.parse(date);
    const prices = [open, high, low, close].map((cell) => (cell === '' ? Number.NaN : Number(cell)));
    const [o = 0, h = 0, l = 0, c = 0] = prices;
    const isBar = prices.every((price) => price > 0) && h >= Math.max(o, c) && l <= Math.min(o, c);
    const isGood = isBar && Number(volume) >= 0 && !Number.isNaN(ms);
    if (isGood && ms > last) last = ms;
    else bad.push(index);
    const timestamp = Number.isNaN(ms) ? date : new Date(ms).toISOString();
    const timeframe = name.includes('issue0859') ? '3m' : '1d';
    return { symbol: name.slice(0, -4), timeframe, timestamp, open, high, low, close, volume };
  });
  return { rows, bad };
}

describe('market files on the command line', function () {
  this.timeout(120_000);

  async function replay(path: string, ...options: string[]) {
    const child = startNode([built('src/cli.js'), 'replay', full(path), '--strategy', 'mean_reversion', ...options]);
    const { code } = await child.ended;
    return { code, stdout: child.stdout(), stderr: child.stderr() };
  }

  it('files of order book depth, archives and monthly bars are refused with the reason', async () => {
    for (const [path, reason] of here ? refused : []) {
      const { code, stdout, stderr } = await replay(path);
      assert.deepEqual([code, stdout], [1, ''], path);
      assert.match(stderr, reason);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
  });

  it('--skip-bad keeps the good lines and names every other one; without it the first bad line ends the run', async () => {
    for (const name of here ? readdirSync(full('bad')) : []) {
      const { rows, bad } = plainBars(name);
      const skipped = await replay(`bad/${name}`, '--skip-bad');
      assert.equal(skipped.code, 0, skipped.stderr);
      const named = [...skipped.stderr.matchAll(/^\S+\.csv:(\d+) \w+ .{5,}$/gm)].map(([, line]) => Number(line) - 2);
      assert.deepEqual(named, bad, name);
      assert.match(
        skipped.stderr,
        new RegExp(`^${rows.length - bad.length} rows, ${bad.length} refused, \\d+ signals$`, 'm'),
      );
      const strict = await replay(`bad/${name}`);
      assert.equal(strict.code, bad.length === 0 ? 0 : 1, name);
      if (bad.length > 0) assert.match(strict.stderr, new RegExp(`${name}:${Number(bad[0]) + 2} \\w+ `));
    }
  });
});
