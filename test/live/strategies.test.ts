import assert from 'node:assert/strict';
import { z } from 'zod';
import { commonParameters } from '../../src/core/strategies/common-parameters';
import type { StrategyDefinition } from '../../src/core/strategies/strategy';
import { bar, startMs, tick } from '../helpers/core';
import { codeOf, definitions, type Living, living, message, obedientOn } from '../helpers/living';
import { obedient } from '../helpers/obedient';

const minute = 60_000;
const up = (i: number, symbol = 'AAA') => bar(symbol, startMs + i * minute, [100, 103, 99, 102]);
const down = (i: number, symbol = 'AAA') => bar(symbol, startMs + i * minute, [100, 101, 97, 98]);

describe('strategies of a living engine', () => {
  let life: Living;

  beforeEach(async () => {
    life = await living();
  });

  afterEach(() => life.handles.kill());

  it('numbers are given in order and never again', async () => {
    const { engine } = life;
    const next = async () => (await engine.register({ strategyType: 'obedient' })).strategyId;
    assert.equal(await next(), 'obedient_001');
    assert.equal(await next(), 'obedient_002');
    await engine.archive('obedient_002');
    assert.equal(await next(), 'obedient_003');
    life = await life.crash();
    assert.equal((await life.engine.register({ strategyType: 'obedient' })).strategyId, 'obedient_004');
  });

  it('registrations at the same time get different numbers', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => life.engine.register({ strategyType: 'obedient' })));
    assert.equal(new Set(made.map(({ strategyId }) => strategyId)).size, 8);
  });

  it('a registration is made once per idempotency key, and a key with another content is a conflict', async () => {
    const { engine } = life;
    const input = { strategyType: 'obedient', idempotencyKey: 'k', symbols: ['AAA'] };
    const first = await engine.register(input);
    life = await life.crash();
    assert.deepEqual(await life.engine.register(input), first);
    assert.equal(await codeOf(life.engine.register({ ...input, symbols: ['BBB'] })), 'ConflictError');
    assert.equal(life.engine.strategies().strategies.length, 1);
  });

  it('the same id with the same content is the same registration; with another, or archived, a conflict', async () => {
    const { engine } = life;
    await engine.register(obedientOn('mine'));
    assert.equal((await engine.register(obedientOn('mine'))).version, 1);
    assert.equal(await codeOf(engine.register(obedientOn('mine', { timeframe: '5m' }))), 'ConflictError');
    await engine.archive('mine');
    assert.equal(await codeOf(engine.register(obedientOn('mine'))), 'ConflictError');
  });

  it('what cannot be registered names the field', async () => {
    const { engine } = life;
    await assert.rejects(engine.register({ strategyType: 'nothing' }), /strategy_type must be one of/);
    await assert.rejects(engine.register(obedientOn('NO')), /strategy_id must match/);
    await assert.rejects(engine.register(obedientOn('o', { timeframe: '7m' })), /timeframe must be auto/);
    const parameters = { confidence: 2 };
    await assert.rejects(engine.register(obedientOn('o', { parameters })), /parameters\.confidence/);
    assert.deepEqual(life.disk.log(), []);
  });

  it('an update makes a version; one that changes nothing makes none; a version that is not current is a conflict', async () => {
    const { engine } = life;
    await engine.register(obedientOn('o'));
    const changed = await engine.update('o', { parameters: { stop_ratio: 0.2 }, expectedVersion: 1 });
    assert.deepEqual([changed.version, changed.parameters.stopRatio], [2, 0.2]);
    assert.equal((await engine.update('o', { parameters: { stopRatio: 0.2 } })).version, 2);
    await assert.rejects(engine.update('o', { name: 'x', expectedVersion: 1 }), /version 1 is not current: it is 2/);
    assert.equal(await codeOf(engine.update('none', {})), 'NotFoundError');
    assert.equal(life.disk.log().length, 2);
  });

  it('updates at the same time are all made, one after the other', async () => {
    const { engine } = life;
    await engine.register(obedientOn('o'));
    const made = await Promise.all(
      Array.from({ length: 6 }, (_, i) => engine.update('o', { parameters: { stopRatio: 0.2 + i / 100 } })),
    );
    assert.deepEqual(made.map(({ version }) => version).sort(), [2, 3, 4, 5, 6, 7]);
  });

  it('a rollback is a new version with the content of an old one', async () => {
    const { engine } = life;
    await engine.register(obedientOn('o', { parameters: { stopRatio: 0.3 } }));
    await engine.update('o', { parameters: { stopRatio: 0.4 }, state: 'paused' });
    const back = await engine.rollback('o', 1);
    assert.deepEqual([back.version, back.parameters.stopRatio], [3, 0.3]);
    assert.equal(engine.strategy('o').state, 'active');
    assert.equal(await codeOf(engine.rollback('o', 9)), 'NotFoundError');
    assert.deepEqual(
      engine.versions('o').versions.map(({ version, actor }) => [version, actor]),
      [
        [1, 'library'],
        [2, 'library'],
        [3, 'rollback'],
      ],
    );
  });

  it('an archived strategy trades no more and changes no more, and archiving twice is one act', async () => {
    const { engine } = life;
    await engine.register(obedientOn('o'));
    await engine.processMarketData(message([up(0), up(1), up(2)]));
    assert.equal(engine.positions().length, 1);
    await engine.archive('o');
    await engine.archive('o');
    assert.deepEqual(engine.positions(), []);
    assert.equal(engine.strategies().strategies.length, 0);
    assert.equal(engine.strategy('o').state, 'archived');
    assert.equal((await engine.processMarketData(message([down(3), up(4)]))).signalsGenerated, 0);
    assert.equal(await codeOf(engine.update('o', { name: 'x' })), 'ConflictError');
    assert.equal(await codeOf(engine.rollback('o', 1)), 'ConflictError');
    assert.equal(life.disk.log().length, 2);
  });

  it('the version that opened a trade manages it to its end; new parameters govern new entries', async () => {
    const { engine } = life;
    await engine.register(obedientOn('o', { parameters: { stopRatio: 0.5 } }));
    await engine.processMarketData(message([up(0), up(1), up(2)]));
    const open = engine.position('o', 'AAA');
    assert.deepEqual([open?.strategyVersion, open?.stopLoss], [1, 51]);
    await engine.update('o', { parameters: { stopRatio: 0.01 } });
    const dip = bar('AAA', startMs + 3 * minute, [100, 102, 90, 101]);
    assert.equal((await engine.processMarketData(message([dip]))).signalsGenerated, 0, 'the old stop holds');
    const still = await engine.processMarketData(message([up(4)]));
    assert.equal(still.signalsGenerated, 0);
    const refusal = still.decisions.find(({ strategyVersion }) => strategyVersion === 2);
    assert.match(refusal?.reason ?? '', /an older version manages the open trade/);
    const closed = await engine.processMarketData(message([down(5)]));
    assert.deepEqual(
      closed.signals.map(({ strategyVersion, action, intent }) => [strategyVersion, action, intent]),
      [
        [1, 'close', 'close'],
        [2, 'sell', 'open'],
      ],
    );
    await engine.processMarketData(message([bar('AAA', startMs + 6 * minute, [98, 98.5, 96, 97])]));
    const next = engine.position('o', 'AAA');
    assert.deepEqual([next?.strategyVersion, Math.sign(next?.exposure ?? 0)], [2, -1]);
    assert.equal(Number(next?.stopLoss?.toFixed(2)), 98.98);
  });

  it('an order that waits for its fill is a trade of the version that placed it', async () => {
    const { engine } = life;
    await engine.register(obedientOn('o', { parameters: { stopRatio: 0.5 } }));
    await engine.processMarketData(message([up(0), up(1)]));
    await engine.update('o', { parameters: { stopRatio: 0.01 } });
    await engine.processMarketData(message([up(2)]));
    assert.equal(engine.position('o', 'AAA')?.strategyVersion, 1);
    const { signals } = await engine.processMarketData(message([down(3)]));
    assert.deepEqual(
      signals.map(({ strategyVersion, intent }) => [strategyVersion, intent]),
      [
        [1, 'close'],
        [2, 'open'],
      ],
    );
  });

  it('an old version is gone once executions close its trade', async () => {
    const { engine } = life;
    await engine.register(obedientOn('o'));
    await engine.processMarketData(message([up(0), up(1), up(2)]));
    const track = (side: 'buy' | 'sell', positionAfter: number) =>
      engine.track({
        strategyId: 'o',
        executionResult: { pnl: 0, success: true, executionTimeMs: 1, symbol: 'AAA', side, quantity: 5, positionAfter },
      });
    await track('buy', 5);
    await engine.update('o', { parameters: { confidence: 0.9 } });
    await track('sell', 0);
    const before = engine.decisions('o').funnel.evaluated;
    await engine.processMarketData(message([up(3)]));
    assert.equal(engine.decisions('o').funnel.evaluated, before + 1);
  });

  it('paused is silent and shadow keeps its signals to itself', async () => {
    const { engine } = life;
    await engine.register(obedientOn('paused', { state: 'paused' }));
    await engine.register(obedientOn('shadow', { state: 'shadow' }));
    const { signals } = await engine.processMarketData(message([up(0), up(1), down(2)]));
    assert.deepEqual(signals, []);
    assert.equal(engine.decisions('paused').funnel.outcomes.paused, 2);
    assert.equal(engine.decisions('shadow').funnel.outcomes.shadow, 2);
    assert.equal(engine.summary().activeStrategies, 0);
  });

  describe('history handed over at registration', () => {
    const past = [up(0), down(1), up(2)];

    it('warms the strategy as if it had been there: the same signals from the next bar on', async () => {
      const { engine } = life;
      await engine.register(obedientOn('warm', { history: past, symbols: ['AAA'] }));
      assert.equal(engine.strategy('warm').warm, true);
      assert.equal(engine.decisions('warm').funnel.evaluated, 0, 'nothing is evaluated on the past');
      const { signals } = await engine.processMarketData(message([down(3)]));
      const other = await living();
      await other.engine.processMarketData(message(past));
      await other.engine.register(obedientOn('warm', { symbols: ['AAA'] }));
      const expected = await other.engine.processMarketData(message([down(3)]));
      assert.equal(signals.length, 1);
      assert.deepEqual(signals, expected.signals);
      other.handles.kill();
    });

    it('makes shorter bars into longer ones, and comes in any order', async () => {
      const { engine } = life;
      const history = Array.from({ length: 15 }, (_, i) => (i % 2 ? up(i) : down(i))).reverse();
      await engine.register(obedientOn('five', { timeframe: '5m', history }));
      assert.equal(engine.strategy('five').warm, true);
    });

    it('leaves the market to ticks: bars go on being built from them', async () => {
      const { engine } = life;
      await engine.register(obedientOn('o', { history: past }));
      const at = (ms: number, price: number) => tick('AAA', startMs + 3 * minute + ms, price);
      await engine.processMarketData(message([at(0, 100), at(1_000, 107), at(minute, 105)]));
      assert.equal(engine.decisions('o').funnel.evaluated, 1);
      assert.equal(engine.decisions('o').decisions[0]?.reason, 'the bar closed at 107');
    });

    it('takes the timeframe of the bars where it is left open and the symbol is new', async () => {
      const { engine } = life;
      const history = [0, 1, 2].map((i) => bar('NEW', startMs + i * 1_000, [100, 102, 99, 101], '1s'));
      await engine.register(obedientOn('o', { timeframe: 'auto', history }));
      assert.equal(engine.strategy('o').warm, true);
    });

    it('does not touch a series that has a past of its own, nor a strategy that is there already', async () => {
      const { engine } = life;
      await engine.register(obedientOn('first'));
      await engine.processMarketData(message([up(5), up(6)]));
      const before = engine.decisions('first').funnel;
      const { decisions } = engine.decisions('first');
      await engine.register(obedientOn('second', { history: past }));
      assert.deepEqual(engine.decisions('first').funnel, before);
      assert.deepEqual(engine.decisions('first').decisions, decisions);
      assert.equal(engine.strategy('second').warm, true, 'warm from the bars that are remembered');
    });

    it('is there after a crash, from the log', async () => {
      await life.engine.register(obedientOn('o', { history: past }));
      life = await life.crash();
      assert.equal(life.engine.strategy('o').warm, true);
      assert.equal((await life.engine.processMarketData(message([down(3)]))).signalsGenerated, 1);
    });
  });

  describe('types of the user', () => {
    const mine = { ...obedient, type: 'mine' } as unknown as StrategyDefinition;
    const withMine = { definitions: [...definitions, mine] };

    it('handed in at the start are restored exactly', async () => {
      life = await living({ core: withMine });
      await life.engine.register({ strategyType: 'mine', strategyId: 'm', timeframe: '1m' });
      await life.engine.processMarketData(message([up(0), up(1), up(2)]));
      await life.engine.snapshot();
      const before = [life.engine.position('m', 'AAA'), life.engine.decisions('m')];
      life = await life.crash(10, withMine);
      assert.deepEqual([life.engine.position('m', 'AAA'), life.engine.decisions('m')], before);
      assert.equal((await life.engine.processMarketData(message([down(3)]))).signalsGenerated, 1);
    });

    it('defined later start then, warm from the bars that are remembered, with the position they had', async () => {
      life = await living({ core: withMine });
      await life.engine.register({ strategyType: 'mine', strategyId: 'm', timeframe: '1m' });
      await life.engine.processMarketData(message([up(0), up(1), up(2)]));
      await life.engine.snapshot();
      const before = life.engine.position('m', 'AAA');
      life = await life.crash(10, { definitions });
      const { engine } = life;
      const waiting = engine.strategies().strategies[0];
      assert.deepEqual([waiting?.strategyId, waiting?.warm, waiting?.state], ['m', false, 'active']);
      assert.equal((await engine.processMarketData(message([up(3)]))).strategiesApplied, 0);
      engine.define(mine);
      assert.deepEqual([engine.strategy('m').family, engine.strategy('m').warm], ['test', true]);
      assert.equal(engine.position('m', 'AAA')?.exposure, before?.exposure);
      assert.equal((await engine.processMarketData(message([down(4)]))).signalsGenerated, 1);
    });

    it('that cannot start are refused before they are in the log', async () => {
      const create = (): never => {
        throw new Error('no');
      };
      life.engine.define({ ...mine, create } as never);
      await assert.rejects(life.engine.register({ strategyType: 'mine' }));
      assert.deepEqual(life.disk.log(), []);
    });

    it('archived while not defined leave no position behind', async () => {
      life = await living({ core: withMine });
      await life.engine.register({ strategyType: 'mine', strategyId: 'm', timeframe: '1m' });
      await life.engine.processMarketData(message([up(0), up(1), up(2)]));
      await life.engine.snapshot();
      life = await life.crash(10, { definitions });
      await life.engine.archive('m');
      assert.deepEqual(life.engine.positions(), []);
    });
  });

  it('stored parameters that no longer fit get their defaults, which is told, and an update sets it right', async () => {
    const shape = (max: number) => ({
      ...commonParameters(),
      confidence: z.number().min(0).max(max).default(0.5),
      stopRatio: z.number().default(0.1),
      targetRatio: z.number().default(0),
    });
    const typed = (max: number) => [
      ...definitions,
      { ...obedient, type: 'stricter', parameters: z.object(shape(max)) },
    ];
    life = await living({ core: { definitions: typed(1) as never[] } });
    await life.engine.register({
      strategyType: 'stricter',
      strategyId: 's',
      timeframe: '1m',
      parameters: { confidence: 0.9, stopRatio: 0.2 },
    });
    await life.engine.processMarketData(message([up(0)]));
    await life.engine.snapshot();
    life = await life.crash(10, { definitions: typed(0.8) as never[] });
    const { engine } = life;
    const { health, message: text } = engine.summary().components.get('strategies') ?? {};
    assert.equal(health, 'degraded');
    assert.match(text ?? '', /s \(parameters\.confidence\)/);
    assert.equal(engine.summary().systemHealth, 'degraded');
    assert.deepEqual(
      [engine.strategy('s').parameters.confidence?.value, engine.strategy('s').parameters.stopRatio?.value],
      [0.5, 0.2],
    );
    const { signals } = await engine.processMarketData(message([up(1)]));
    assert.deepEqual([signals[0]?.confidence, signals[0]?.stopLoss], [0.5, 102 * 0.8]);
    await engine.update('s', { parameters: { confidence: 0.7 } });
    assert.equal(engine.summary().components.get('strategies')?.health, 'up');
    assert.equal(engine.alerts()[0]?.recovered, true);
  });
});
