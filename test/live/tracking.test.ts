import assert from 'node:assert/strict';
import type { ExecutionResult } from '../../src/core/domain/bodies';
import { bar, startMs, tick } from '../helpers/core';
import { codeOf, type Living, living, message, obedientOn } from '../helpers/living';

const execution = (more: Partial<ExecutionResult> = {}): ExecutionResult => ({
  pnl: 10.25,
  success: true,
  executionTimeMs: 12,
  ...more,
});

describe('tracking executions', () => {
  let life: Living;
  const track = (more: Partial<ExecutionResult> = {}, key: { idempotencyKey?: string } = {}) =>
    life.engine.track({ strategyId: 'o', executionResult: execution(more), ...key });

  beforeEach(async () => {
    life = await living();
    await life.engine.register(obedientOn('o'));
  });

  afterEach(() => life.handles.kill());

  it('an execution is counted before it is acknowledged', async () => {
    const result = await track({ executionId: 'e1' });
    assert.deepEqual(
      [result.performanceUpdated, result.duplicate, result.deduplicated, result.newMetrics.totalPnl],
      [true, false, true, 10.25],
    );
    assert.equal(life.disk.log().length, 2);
  });

  it('the same id with the same content is a duplicate and changes nothing', async () => {
    await track({ executionId: 'e1' });
    const again = await track({ executionId: 'e1' });
    assert.deepEqual([again.performanceUpdated, again.duplicate, again.newMetrics.executions], [false, true, 1]);
  });

  it('the same id with another content is a conflict that names it', async () => {
    await track({ executionId: 'e1' });
    await assert.rejects(track({ executionId: 'e1', pnl: 10.26 }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ConflictError');
      assert.match(error.message, /"e1"/);
      return true;
    });
    assert.equal(life.engine.performance('o').metrics.executions, 1);
  });

  it('the same id of another strategy is another execution', async () => {
    await life.engine.register(obedientOn('p'));
    await track({ executionId: 'e1' });
    const other = await life.engine.track({
      strategyId: 'p',
      executionResult: execution({ executionId: 'e1', pnl: 1 }),
    });
    assert.equal(other.duplicate, false);
  });

  it('an idempotency key serves as the id', async () => {
    const first = await track({}, { idempotencyKey: 'k' });
    const again = await track({}, { idempotencyKey: 'k' });
    assert.deepEqual([first.deduplicated, again.duplicate, again.newMetrics.executions], [true, true, 1]);
  });

  it('without an id it says that a retry would count again, and it does', async () => {
    const first = await track();
    const again = await track();
    assert.deepEqual([first.deduplicated, again.deduplicated, again.newMetrics.executions], [false, false, 2]);
  });

  it('an unknown strategy is NotFoundError; money out of range and a negative quantity are ValueErrors with the field', async () => {
    assert.equal(await codeOf(life.engine.track({ strategyId: 'x', executionResult: execution() })), 'NotFoundError');
    await assert.rejects(track({ pnl: 9.1e10 }), /execution_result\.pnl/);
    const gross = { pnl: 9e10, pnlIsGross: true };
    await assert.rejects(track({ ...gross, fees: -1 }), /execution_result\.pnl less fees must be a finite amount/);
    await assert.rejects(track({ quantity: -1 }), /execution_result\.quantity must be 0 or more/);
    assert.equal(life.disk.log().length, 1);
  });

  it('eight concurrent writers make one exact sum, each id once', async () => {
    const write = async (writer: number) => {
      for (let i = 0; i < 100; i++) {
        await track({ executionId: `${writer}-${i}`, pnl: 0.1 });
        if (i % 10 === 0) await track({ executionId: `${writer}-${i}`, pnl: 0.1 });
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
    const { metrics, totals } = life.engine.performance('o');
    assert.equal(metrics.executions, 800);
    assert.equal(metrics.totalPnl, 80);
    assert.equal(totals.get('USD'), 80);
  });

  it('fees are taken from P&L only where it is gross', async () => {
    await track({ pnl: 10, fees: 1 });
    const { newMetrics } = await track({ pnl: 10, fees: 1, pnlIsGross: true });
    assert.equal(newMetrics.totalPnl, 19);
  });

  it('a store that refuses is ConnectionError, one that is silent TimeoutError; the store is down until it answers', async () => {
    const { engine, disk } = life;
    const store = () => engine.summary().components.get('store')?.health;
    disk.faults.log = 'refuse';
    assert.equal(await codeOf(track({ executionId: 'e1' })), 'ConnectionError');
    disk.faults.log = 'timeout_lost';
    assert.equal(await codeOf(track({ executionId: 'e1' })), 'TimeoutError');
    assert.equal(store(), 'down');
    assert.equal(engine.summary().systemHealth, 'critical');
    assert.equal((await engine.processMarketData(message([tick('AAA', startMs, 1)]))).ticksAccepted, 1);
    disk.faults.log = 'none';
    await track({ executionId: 'e1' });
    assert.equal(store(), 'up');
    assert.deepEqual(
      engine.alerts().map(({ code, level, recovered }) => [code, level, recovered]),
      [
        ['store_up', 'info', true],
        ['store_down', 'critical', false],
      ],
    );
    assert.equal(engine.performance('o').metrics.executions, 1);
  });

  it('a write that timed out but had happened is found by its retry, and counted once', async () => {
    const { disk, engine } = life;
    disk.faults.log = 'timeout_written';
    assert.equal(await codeOf(track({ executionId: 'e1' })), 'TimeoutError');
    disk.faults.log = 'none';
    const again = await track({ executionId: 'e1' });
    assert.deepEqual([again.duplicate, again.newMetrics.executions], [true, 1]);
    const other = await track({ executionId: 'e2' });
    assert.equal(other.newMetrics.executions, 2);
    assert.equal(engine.performance('o').metrics.executions, 2);
  });

  it('executions that say side and quantity are the position from then on', async () => {
    const { engine } = life;
    await engine.processMarketData(message([tick('AAA', startMs, 100)]));
    const filled = { symbol: 'aaa', side: 'buy' as const, quantity: 50, price: 100 };
    await track({ executionId: 'e1', ...filled });
    const position = engine.position('o', 'AAA');
    assert.deepEqual(
      [position?.positionSource, position?.quantity, position?.exposure, position?.entryPrice],
      ['executed', 50, 0.05, 100],
    );
    await track({ executionId: 'e2', ...filled, side: 'sell', quantity: 20, price: 110 });
    assert.equal(engine.position('o', 'AAA')?.quantity, 30);
    await track({ executionId: 'e3', ...filled, status: 'cancelled' });
    await track({ executionId: 'e4', ...filled, mode: 'shadow' });
    assert.equal(engine.position('o', 'AAA')?.quantity, 30, 'what was not filled, or not real, moves nothing');
    await track({ executionId: 'e5', ...filled, positionAfter: -10, side: 'sell' });
    assert.equal(engine.position('o', 'AAA')?.quantity, -10, 'what the venue says is held is believed');
    await track({ executionId: 'e6', ...filled, positionAfter: 0 });
    assert.deepEqual(engine.positions(), []);
  });

  it('a position is known before the first tick of its symbol, and survives a crash', async () => {
    const held = { symbol: 'NEW', side: 'buy' as const, quantity: 5, price: 10 };
    await track({ executionId: 'e1', ...held });
    assert.equal(life.engine.position('o', 'NEW')?.quantity, 5);
    life = await life.crash();
    assert.equal(life.engine.position('o', 'NEW')?.quantity, 5);
    const stock = bar('NEW', startMs, [10, 11, 9, 10.5]);
    await life.engine.processMarketData(message([{ ...stock, assetType: 'index' }]));
    assert.equal(life.engine.position('o', 'NEW')?.price, 10.5);
  });

  it('an archived strategy keeps its performance, and late executions still count', async () => {
    await track({ executionId: 'e1' });
    await life.engine.archive('o');
    const late = await track({ executionId: 'e2', pnl: 1 });
    assert.equal(late.newMetrics.totalPnl, 11.25);
    assert.equal(life.engine.performance(null).metrics.totalPnl, 11.25);
  });
});
