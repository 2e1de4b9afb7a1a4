import assert from 'node:assert/strict';
import type { Decision } from '../../src/core/domain/decision';
import { limits } from '../../src/core/domain/limits';
import type { Signal } from '../../src/core/domain/signal';
import { bar, startMs, tick } from '../helpers/core';
import { type Living, living, message, obedientOn, turn } from '../helpers/living';
import { obedient } from '../helpers/obedient';

const minute = 60_000;
/** Bars of AAA that rise and fall in turn: `obedient` signals on every one after the first. */
const swing = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => bar('AAA', startMs + (from + i) * minute, [100, 103, 97, i % 2 ? 98 : 102]));

describe('market data through a living engine', () => {
  let life: Living;

  beforeEach(async () => {
    life = await living();
    await life.engine.register(obedientOn('o'));
  });

  afterEach(() => life.handles.kill());

  it('a batch with an id is evaluated once, and everybody who asks has the same answer', async () => {
    const { engine } = life;
    const input = message(swing(0, 6), { batchId: 'b1' });
    const [first, second] = await Promise.all([engine.processMarketData(input), engine.processMarketData(input)]);
    assert.equal(first, second);
    assert.equal(await engine.processMarketData(input), first);
    assert.ok(first.signalsGenerated > 0);
    assert.equal(engine.summary().throughput.ticksTotal, 6);
  });

  it('a message without an id is a new batch each time', async () => {
    const { engine } = life;
    const input = message([tick('AAA', startMs, 100)]);
    await engine.processMarketData(input);
    await engine.processMarketData(input);
    assert.equal(engine.summary().throughput.ticksTotal, 2);
  });

  it(`the last ${limits.batchResults} batches are remembered, and no more`, async () => {
    const { engine } = life;
    const send = (i: number) => engine.processMarketData(message([tick('AAA', startMs, 100)], { batchId: `b${i}` }));
    for (let i = 0; i <= limits.batchResults; i++) await send(i);
    const before = engine.summary().throughput.ticksTotal;
    for (let i = 1; i <= limits.batchResults; i++) await send(i);
    assert.equal(engine.summary().throughput.ticksTotal, before);
    await send(0);
    assert.equal(engine.summary().throughput.ticksTotal, before + 1);
  });

  it('a large message is evaluated in parts, and rejections keep the places they had in it', async () => {
    const { engine } = life;
    const items = Array.from({ length: 2_500 }, (_, i) => tick('AAA', startMs + (i === 2_300 ? -5 : i), 100));
    const before = life.handles.tape.lastPosition();
    const result = await engine.processMarketData(message(items));
    assert.equal(result.ticksAccepted, 2_499);
    assert.deepEqual(
      result.rejected.map(({ index, path }) => [index, path]),
      [[2_300, 'market_data[2300]']],
    );
    const batches = [...life.handles.tape.read(before)].filter(({ record }) => record.kind === 'batch');
    assert.equal(batches.length, 3);
  });

  it('what the border refused is counted beside what the core did with the rest', async () => {
    const { engine } = life;
    const rejected = [{ index: 1, path: 'market_data[1].price', message: 'must be greater than 0' }];
    const result = await engine.processMarketData(message([tick('AAA', startMs, 1)], { rejected, received: 2 }));
    assert.deepEqual([result.ticksAccepted, result.ticksRejected], [1, 1]);
    const { ticksTotal, outcomes } = engine.summary().throughput;
    assert.equal(outcomes.get('rejected'), 1);
    assert.equal(
      [...outcomes.values()].reduce((a, b) => a + b, 0),
      ticksTotal,
    );
  });

  it('signals are on the tape before they leave', async () => {
    const { engine, handles } = life;
    const positions: number[] = [];
    engine.on('signal', () => positions.push(handles.tape.lastPosition()));
    const before = handles.tape.lastPosition();
    await engine.processMarketData(message(swing(0, 3)));
    assert.ok(positions.length > 0);
    assert.ok(positions.every((position) => position > before));
  });

  it('a listener that throws stops neither the others nor the engine', async () => {
    const { engine, logger } = life;
    const heard: Signal[] = [];
    engine.on('signal', () => {
      throw new Error('mine');
    });
    engine.on('signal', (signal) => heard.push(signal));
    const { signals } = await engine.processMarketData(message(swing(0, 4)));
    assert.deepEqual(heard, signals);
    assert.equal(logger.lines.filter((line) => line.message === 'a listener failed').length, signals.length);
  });

  it('a listener that feeds the engine from within loses nothing of what it was being told', async () => {
    const { engine } = life;
    const decisions: Decision[] = [];
    let nested: Promise<unknown> | null = null;
    engine.on('signal', () => {
      nested ??= engine.processMarketData(message([tick('BBB', startMs, 5), tick('BBB', startMs - 9_000, 5)]));
    });
    engine.on('decision', (decision) => decisions.push(decision));
    const result = await engine.processMarketData(message(swing(0, 5)));
    assert.notEqual(nested, null);
    assert.equal(result.ticksAccepted, 5);
    assert.deepEqual(result.rejected, []);
    assert.equal(result.strategiesApplied, 1);
    assert.deepEqual(decisions, result.decisions);
  });

  it('a listener that left hears no more', async () => {
    const { engine } = life;
    let heard = 0;
    const stop = engine.on('signal', () => heard++);
    stop();
    await engine.processMarketData(message(swing(0, 4)));
    assert.equal(heard, 0);
  });

  it('the clock closes the bar of a quiet market for live doors only', async () => {
    const { engine, clock } = life;
    const forming = (symbol: string) => [tick(symbol, startMs + 1_000, 100), tick(symbol, startMs + 30_000, 101)];
    await engine.processMarketData(message(forming('LIVE'), { door: 'live', arrivalMs: startMs + 30_000 }));
    await engine.processMarketData(message(forming('FILE')));
    clock.advance(61_000);
    const evaluated = () => engine.decisions('o').funnel.evaluated;
    assert.equal(evaluated(), 0, 'within the allowed lateness the bar waits');
    clock.advance(3_000);
    assert.equal(evaluated(), 1, 'of the live symbol alone');
    await engine.advance(startMs + 2 * minute);
    assert.equal(evaluated(), 2, 'whoever tells the time tells it to all');
  });

  it('the clock set an hour forward is told, and makes no tick late', async () => {
    const { engine, clock } = life;
    const at = (ms: number) => message([tick('LIVE', startMs + ms, 100)], { door: 'live', arrivalMs: clock.nowMs() });
    clock.advance(1_000);
    await engine.processMarketData(at(1_000));
    clock.setNow(clock.nowMs() + 3_600_000);
    clock.advance(2_000);
    assert.deepEqual(
      engine.alerts().map(({ code, message: text }) => [code, text]),
      [['clock_step', 'the clock was set forward by 3600.0 s']],
    );
    for (let ms = 3_000; ms <= 180_000; ms += 1_000) {
      clock.advance(1_000);
      await engine.processMarketData(at(ms));
    }
    assert.equal(engine.summary().throughput.outcomes.get('late'), undefined);
    assert.equal(engine.decisions('o').funnel.evaluated, 2, 'bars go on closing by the time of the ticks');
  });

  it('time is told no further than to what is due: a tick of a moment ago is still in time', async () => {
    const { engine, clock } = life;
    const live = (ms: number) => message([tick('LIVE', startMs + ms, 100)], { door: 'live', arrivalMs: clock.nowMs() });
    await engine.processMarketData(live(0));
    clock.advance(70_000);
    assert.equal(engine.decisions('o').funnel.evaluated, 1, 'the first minute is closed');
    await engine.processMarketData(live(60_500));
    await engine.processMarketData(live(59_500));
    assert.deepEqual([...engine.summary().throughput.outcomes].sort(), [
      ['accepted', 2],
      ['late', 1],
    ]);
  });

  it('a heart that stood still lets what waits be read before it tells the time', async () => {
    const { engine, clock } = life;
    const beats: (() => void)[] = [];
    const after = (_: number, callback: () => void) => {
      beats.push(callback);
      return () => undefined;
    };
    const stuck = await living({ deps: { clock: { ...clock, after } } });
    await stuck.engine.register(obedientOn('o'));
    const input = message([tick('LIVE', startMs, 100)], { door: 'live', arrivalMs: startMs });
    await stuck.engine.processMarketData(input);
    clock.advance(65_000);
    for (const beat of beats.splice(0)) beat();
    assert.equal(stuck.engine.decisions('o').funnel.evaluated, 0);
    clock.advance(250);
    for (const beat of beats.splice(0)) beat();
    assert.equal(stuck.engine.decisions('o').funnel.evaluated, 1);
    assert.equal(engine.alerts().length, 0);
  });

  it('the clock set an hour back is told, and bars go on', async () => {
    const { engine, clock } = life;
    clock.setNow(clock.nowMs() - 3_600_000);
    clock.advance(500);
    assert.match(engine.alerts()[0]?.message ?? '', /set back by 3600/);
    await engine.processMarketData(message(swing(0, 3)));
    assert.equal(engine.decisions('o').funnel.evaluated, 3);
  });

  it('signals that were not told before a crash are told to who listens next, once published whatever happens', async () => {
    const { signals } = await life.engine.processMarketData(message(swing(0, 4)));
    const last = await life.engine.processMarketData(message(swing(4, 1)));
    assert.equal(last.signalsGenerated, 1);
    const next = await life.crash();
    const heard: string[] = [];
    next.engine.on('signal', ({ signalId }) => heard.push(signalId));
    await turn();
    assert.deepEqual(
      heard,
      last.signals.map(({ signalId }) => signalId),
    );
    const ids = next.output.published.map(({ signalId }) => signalId);
    assert.deepEqual(
      ids,
      [...signals, ...last.signals].map(({ signalId }) => signalId),
    );
  });

  it('live signals of long ago are not told after a crash: catching up sends no old orders', async () => {
    const { engine, clock } = life;
    for (const one of swing(0, 4)) {
      clock.setNow(one.timestampMs + minute);
      await engine.processMarketData(message([one], { door: 'live', arrivalMs: clock.nowMs() }));
    }
    const before = life.output.published.length;
    assert.ok(before > 0);
    life.output.published.length = 0;
    const next = await life.crash(10 * minute);
    const heard: Signal[] = [];
    next.engine.on('signal', (signal) => heard.push(signal));
    await turn();
    assert.deepEqual(heard, []);
    assert.deepEqual(next.output.published, []);
  });

  it('a type of the user that throws is silent with the reason, and disturbs nobody', async () => {
    const { engine } = life;
    const step = (): never => {
      throw new Error('divided by a banana');
    };
    engine.define({ ...obedient, type: 'fragile', step } as never);
    await engine.register({ strategyType: 'fragile', strategyId: 'f', timeframe: '1m' });
    const { signals } = await engine.processMarketData(message(swing(0, 6)));
    assert.ok(signals.length > 0);
    assert.ok(signals.every(({ strategyId }) => strategyId === 'o'));
    const { decisions, funnel } = engine.decisions('f');
    assert.deepEqual(funnel, { evaluated: 6, outcomes: { missing_input: 6 } });
    assert.equal(decisions.length, 1);
    assert.match(decisions[0]?.reason ?? '', /the strategy failed: Error: divided by a banana/);
  });
});
