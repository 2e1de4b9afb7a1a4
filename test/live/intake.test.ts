import assert from 'node:assert/strict';
import { limits } from '../../src/core/domain/limits';
import type { Signal } from '../../src/core/domain/signal';
import { conflate } from '../../src/live/intake';
import type { TapeRecord } from '../../src/live/ports';
import { startMs, tick } from '../helpers/core';
import { type Living, living, obedientOn, turn } from '../helpers/living';

const wire = (symbol: string, ms: number, price: number, volume = 1) => ({
  symbol,
  timestamp: startMs + ms,
  price,
  volume,
});

describe('the intake of pushing doors', () => {
  let life: Living;
  const batches = (): Extract<TapeRecord, { kind: 'batch' }>[] =>
    [...life.handles.tape.read(0)].flatMap(({ record }) => (record.kind === 'batch' ? [record] : []));
  const push = (body: unknown, arrivalMs = startMs) =>
    life.engine.intake(typeof body === 'string' ? body : JSON.stringify(body), { source: 'wire', arrivalMs });

  beforeEach(async () => {
    life = await living();
  });

  afterEach(() => life.handles.kill());

  it('messages are evaluated in the order in which they came, and never within the call that brought them', async () => {
    for (let i = 0; i < 50; i++)
      push(i % 3 === 0 ? [wire('AAA', i, 100 + i), wire('BBB', i, 50)] : wire('AAA', i, 100 + i));
    assert.equal(life.engine.summary().throughput.ticksTotal, 0);
    await turn();
    const times = batches().flatMap(({ batch }) => batch.items.map(({ timestampMs }) => timestampMs - startMs));
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.equal(times.length, 50 + 17);
  });

  it('many messages of one turn are one batch, of at most a thousand ticks', async () => {
    for (let i = 0; i < 1_500; i++) push(wire('AAA', i, 100));
    await turn();
    await turn();
    assert.deepEqual(
      batches().map(({ batch }) => batch.items.length),
      [1_000, 500],
    );
  });

  it('what cannot be read goes to the outputs as a dead letter with the reason, and is counted', async () => {
    push('{"symbol": ');
    push([wire('AAA', 1, 100), wire('AAA', 2, -5)]);
    push(wire('AAA', 3, 101));
    await turn();
    const { rejected } = life.output;
    assert.equal(rejected.length, 2);
    assert.equal(rejected[0]?.text, '{"symbol": ');
    assert.match(rejected[1]?.reason ?? '', /some ticks were refused: market_data\[1\]\.price must be greater than 0/);
    const { outcomes, ticksTotal } = life.engine.summary().throughput;
    assert.equal(outcomes.get('accepted'), 2);
    assert.equal(outcomes.get('rejected'), 2);
    assert.equal(ticksTotal, 4);
  });

  it(`beyond ${limits.intakeTicks} waiting messages ticks are conflated: range, volume and counts are whole, and it is told`, async () => {
    const count = limits.intakeTicks + 1_000;
    let volume = 0;
    for (let i = 0; i < count; i++) {
      volume += i % 7;
      push(wire(i % 2 ? 'AAA' : 'BBB', i, 100 + (i % 11), i % 7));
    }
    await turn();
    const items = batches().flatMap(({ batch }) => batch.items);
    assert.deepEqual(
      items.map((item) => [item.symbol, item.kind, item.kind === 'partial' ? item.count : 1]),
      [
        ['BBB', 'partial', count / 2],
        ['AAA', 'partial', count / 2],
      ],
    );
    assert.equal(
      items.reduce((sum, item) => sum + item.volume, 0),
      volume,
    );
    for (const item of items) assert.ok(item.kind === 'partial' && item.low === 100 && item.high === 110);
    const { outcomes, ticksTotal } = life.engine.summary().throughput;
    assert.equal(outcomes.get('conflated'), count - 2);
    assert.equal(ticksTotal, count);
    const codes = life.engine.alerts().map(({ code, recovered }) => [code, recovered]);
    assert.deepEqual(codes, [
      ['intake_up', true],
      ['intake_degraded', false],
    ]);
    assert.equal(life.engine.summary().components.get('intake')?.health, 'up');
  });

  it('at the limit itself nothing is conflated', async () => {
    for (let i = 0; i < limits.intakeTicks; i++) push(wire('AAA', i, 100));
    for (let i = 0; i < limits.intakeTicks / limits.ticksPerBatch; i++) await turn();
    assert.equal(life.engine.summary().throughput.outcomes.get('conflated'), undefined);
    assert.equal(life.engine.summary().throughput.outcomes.get('accepted'), limits.intakeTicks);
  });

  it('signals of what was conflated say so', async () => {
    await life.engine.register(obedientOn('o', { timeframe: '1s' }));
    const heard: Signal[] = [];
    life.engine.on('signal', (signal) => heard.push(signal));
    for (let i = 0; i <= 4; i++) {
      push(wire('AAA', i * 1_000, 100 + i), startMs + i * 1_000);
      push(wire('AAA', i * 1_000 + 500, 102 + i), startMs + i * 1_000);
      await turn();
    }
    assert.ok(heard.length > 0 && heard.every(({ conflated }) => conflated === undefined));
    const before = heard.length;
    for (let i = 0; i <= limits.intakeTicks; i++)
      push(wire('AAA', 5_000 + (i % 2) * 900, 120 - (i % 2) * 40), startMs + 6_000);
    await turn();
    push(wire('AAA', 12_000, 90), startMs + 12_000);
    push(wire('AAA', 13_000, 80), startMs + 13_000);
    push(wire('AAA', 16_000, 80), startMs + 16_000);
    await turn();
    const after = heard.slice(before);
    assert.ok(after.some(({ conflated }) => conflated === true));
  });

  it('numbers of ticks that are conflated are told apart from them, so that none passes for lost', async () => {
    const gaps: unknown[] = [];
    life.engine.on('gap', (gap) => gaps.push(gap));
    const count = limits.intakeTicks + 500;
    // One number is missing among them: that one, and no other, is lost.
    for (let i = 0; i < count; i++) {
      const seq = i < 700 ? i : i + 1;
      push({ ...wire(i % 3 === 0 ? 'AAA' : 'BBB', i, 100 + (i % 7)), seq }, startMs + count);
    }
    await turn();
    assert.ok(life.engine.summary().throughput.outcomes.has('conflated'));
    push({ ...wire('AAA', count + 5_000, 101), seq: count + 1 }, startMs + count + 5_000);
    push({ ...wire('AAA', count + 9_000, 101), seq: count + 2 }, startMs + count + 9_000);
    await turn();
    assert.deepEqual(
      gaps.map((gap) => (gap as { lost: unknown }).lost),
      [1],
    );
  });

  it('conflating keeps what came first in its place, apart by source, and leaves bars and news as they are', () => {
    const news = { id: 'n', kind: 'news' as const, surprise: null, unit: null, actual: null, expected: null };
    const items = [
      tick('AAA', 5, 10),
      tick('AAA', 6, 11, { source: 'other' }),
      tick('AAA', 7, 12, { extras: { event: news } }),
      tick('AAA', 3, 8, { volume: 2 }),
      tick('AAA', 9, 9),
    ];
    const [partial, other, event, ...rest] = conflate(items);
    assert.deepEqual(rest, []);
    assert.equal(other, items[1]);
    assert.equal(event, items[2]);
    const range = { open: 10, high: 10, low: 8, close: 9, volume: 4, count: 3, firstMs: 3, timestampMs: 9 };
    assert.deepEqual(partial, { kind: 'partial', symbol: 'AAA', source: 'test', assetType: null, ...range });
  });

  it('data that waited too long makes no signals, but decisions that say so', async () => {
    const { engine, clock } = life;
    await engine.register({ strategyType: 'every_tick', strategyId: 't' });
    for (let i = 0; i < 4; i++) push(wire('AAA', i, 101), startMs);
    await turn();
    push(wire('AAA', 10, 100), startMs);
    clock.advance(5_001);
    await turn();
    const { decisions, funnel } = engine.decisions('t');
    assert.equal(funnel.outcomes.stale_data, 1);
    assert.match(decisions[0]?.reason ?? '', /the data arrived 5\.0 s ago, the limit is 5\.0 s/);
    assert.deepEqual(life.output.published, []);
    push(wire('AAA', 5_100, 105), clock.nowMs());
    await turn();
    assert.equal(life.output.published.length, 1);
  });

  it('a closed engine takes no message more', async () => {
    await life.engine.close();
    push(wire('AAA', 1, 100));
    await turn();
    assert.deepEqual(batches(), []);
  });

  it('what waits when the engine is closed is evaluated first', async () => {
    push(wire('AAA', 1, 100));
    await life.engine.close();
    assert.equal(life.engine.summary().throughput.ticksTotal, 1);
  });
});
