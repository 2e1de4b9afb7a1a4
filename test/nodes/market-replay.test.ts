import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import helper from 'node-red-node-test-helper';
import engine from '../../nodes/engine';
import replay from '../../nodes/market-replay';
import apply from '../../nodes/strategy-apply';
import type { LiveEngine } from '../../src/index';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';
import { adminRequest, body, clearStage, closeStage, errorOf, openStage, type Seen, stage } from './stage';

const node = (more: Readonly<Record<string, unknown>>) => ({
  id: 'replay',
  type: 'strategy-engine-market-replay',
  version: 1,
  engine: 'engine',
  symbols: 'SIM:ABC',
  startAt: '2026-01-01',
  speed: 0,
  batch: 50,
  autostart: true,
  wires: [['ticks', 'apply'], ['progress']],
  ...more,
});
const sink = {
  id: 'apply',
  type: 'strategy-engine-strategy-apply',
  version: 1,
  engine: 'engine',
  wires: [[], ['result'], []],
};
const flow = (more: Readonly<Record<string, unknown>> = {}) => [node(more), sink];
const all = [engine, replay, apply];

const prices = (messages: readonly Seen[]) =>
  messages.flatMap(({ payload }) => (payload as { price: number }[]).map(({ price }) => price));
const isOver = (messages: readonly Seen[]) => messages.some(({ topic }) => topic === 'complete');

const rowOf = (message: Seen | undefined) => (message?.feed_position as { row: number } | undefined)?.row;

describe('the market replay node', () => {
  const directory = temporaryDirectory('replay');
  const file = join(directory.path, 'ABC-1m-2026.csv');
  before(async () => {
    await openStage();
    const rows = Array.from({ length: 120 }, (_, i) => {
      const at = new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString();
      return i === 60 ? `${at},x,1,1,1,1` : `${at},${100 + i},${101 + i},${99 + i},${100 + i},5`;
    });
    writeFileSync(file, `timestamp,open,high,low,close,volume\n${rows.join('\n')}\n`);
  });
  after(async () => {
    await closeStage();
    directory.remove();
  });
  afterEach(clearStage);

  it('gives a simulated market in batches, each with its id and place, and says when it is over', async () => {
    const on = await stage(all, flow({ count: 220 }));
    await until('the end', () => isOver(on.seen('progress')));
    const batches = on.seen('ticks');
    assert.equal(prices(batches).length, 220);
    assert.ok(batches.every(({ payload }) => (payload as unknown[]).length <= 50));
    const [first, second] = batches;
    assert.deepEqual(rowOf(first), 1);
    assert.deepEqual(rowOf(second), 51);
    assert.notEqual(first?.batch_id, second?.batch_id);
    assert.deepEqual(
      batches.map(({ complete }) => complete === true),
      [...batches.slice(1).map(() => false), true],
    );
    assert.deepEqual(body(on.seen('progress').at(-1)).row, 220);
  });

  it('gives the same prices for the same seed', async () => {
    const first = await stage(all, flow({ count: 100 }));
    await until('the end', () => isOver(first.seen('progress')));
    const before = prices(first.seen('ticks'));
    await clearStage();
    const again = await stage(all, flow({ count: 100 }));
    await until('the end', () => isOver(again.seen('progress')));
    assert.deepEqual(prices(again.seen('ticks')), before);
  });

  it('replays a file of bars to its end, and tells of the row that is none', async () => {
    const on = await stage(all, flow({ origin: 'file', file }));
    await until('the end', () => isOver(on.seen('progress')));
    const bars = on.seen('ticks').flatMap(({ payload }) => payload as { symbol: string; timeframe: string }[]);
    assert.equal(bars.length, 119);
    assert.deepEqual([bars[0]?.symbol, bars[0]?.timeframe], ['ABC', '1m']);
    const rejected = on.seen('progress').filter(({ topic }) => topic === 'rejected');
    assert.equal(body(rejected[0]).line, 62);
    const results = await on.count('result', 3);
    assert.equal(
      results.reduce((sum, one) => sum + Number(body(one).ticks_accepted), 0),
      119,
    );
  });

  it('starts, pauses, goes on and stops by message and by its button', async () => {
    const on = await stage(all, flow({ autostart: false, speed: 1, ticksPerS: 100, batch: 5 }));
    on.send('replay', { action: 'start' });
    await on.count('ticks', 2);
    on.send('replay', { payload: 'pause' });
    await until('paused', () => on.seen('progress').some((one) => body(one).state === 'paused'));
    const sent = prices(on.seen('ticks')).length;
    const state = await adminRequest().post('/strategy-engine/replay/replay').expect(200);
    assert.equal(state.body.state, 'running');
    await until('it goes on', () => prices(on.seen('ticks')).length > sent);
    on.send('replay', { action: 'stop' });
    await until('stopped', () => body(on.seen('progress').at(-1)).state === 'idle');
    await adminRequest().post('/strategy-engine/replay/nobody').expect(404);
  });

  it('starts anew when it is finished: the same prices as a new run, and the engine takes them', async () => {
    const on = await stage(all, flow({ count: 100 }));
    await until('the end', () => isOver(on.seen('progress')));
    const first = prices(on.seen('ticks'));
    on.send('replay', { action: 'start' });
    await until('the second end', () => on.seen('progress').filter(({ topic }) => topic === 'complete').length === 2);
    assert.deepEqual(prices(on.seen('ticks')), [...first, ...first]);
    const results = await on.count('result', 4);
    assert.deepEqual(
      results.map((one) => body(one).ticks_accepted),
      [50, 50, 50, 50],
    );
  });

  it('seeks to a row', async () => {
    const on = await stage(all, flow({ autostart: false, count: 300 }));
    on.send('replay', { action: 'seek', row: 201 });
    on.send('replay', { action: 'start' });
    await until('the end', () => isOver(on.seen('progress')));
    assert.equal(prices(on.seen('ticks')).length, 100);
    assert.equal(rowOf(on.seen('ticks')[0]), 201);
  });

  it('says what is wrong with a file that cannot be read', async () => {
    const on = await stage(all, flow({ origin: 'file', file: join(directory.path, 'none.csv') }));
    const [caught] = await on.count('caught', 1);
    assert.match(errorOf(caught).message, /none\.csv/);
    on.send('replay', { action: 'seek' });
    const errors = await on.count('caught', 2);
    assert.match(errorOf(errors[1]).message, /msg\.row is required/);
  });

  it('gives rows again that the engine has lost, in the same run', async () => {
    const on = await stage(all, flow({ autostart: false }));
    const holder = helper.getNode('engine') as unknown as { engine: () => Promise<LiveEngine> };
    const real = await holder.engine();
    let row: number | null = null;
    let rewind = () => {};
    holder.engine = async () => ({
      ...real,
      feedRow: (feed) => row ?? real.feedRow(feed),
      onRewind(listener) {
        rewind = listener;
        return () => {};
      },
    });
    on.send('replay', { payload: 'start' });
    await until('some are given', () => Number(rowOf(on.seen('ticks').at(-1))) > 300);
    on.send('replay', { payload: 'pause' });
    await until('it is paused', () => on.status('replay').fill === 'blue');
    const before = on.seen('ticks').length;
    row = 100;
    rewind();
    await until('it has gone back', () => on.status('replay').text === 'paused · 100');
    row = null;
    on.send('replay', { payload: 'start' });
    await until('it goes on', () => on.seen('ticks').length > before);
    const again = on.seen('ticks')[before];
    assert.equal(rowOf(again), 101);
    const feedOf = (message: Seen | undefined) => (message?.feed_position as { feed: string } | undefined)?.feed;
    assert.equal(feedOf(again), feedOf(on.seen('ticks')[0]));
  });
});
