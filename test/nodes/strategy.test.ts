import assert from 'node:assert/strict';
import engine from '../../nodes/engine';
import strategy from '../../nodes/strategy';
import apply from '../../nodes/strategy-apply';
import { until } from '../helpers/until';
import { body, clearStage, closeStage, errorOf, openStage, quick, stage, ticks, valley } from './stage';

const node = {
  id: 'crossover',
  type: 'strategy-engine-strategy',
  version: 1,
  engine: 'engine',
  strategyType: 'moving_average_crossover',
  timeframe: '1s',
  parameters: quick,
  wires: [['signals'], ['decisions']],
};

describe('the strategy node', () => {
  before(openStage);
  after(closeStage);
  afterEach(clearStage);

  it('sends one message a signal, with topic, id and the properties of the message that caused it', async () => {
    const on = await stage([engine, strategy], [node]);
    on.send('crossover', { payload: ticks(120, valley), batch_id: 'b1', mine: 7 });
    const [first] = await on.count('signals', 1);
    const signal = body(first);
    assert.equal(first?.topic, 'BTCUSDT');
    assert.equal(first?.mine, 7);
    assert.equal(signal.strategy_id, 'moving_average_crossover_crossover');
    assert.equal(signal.action, 'buy');
    assert.equal(first?.strategy_id, signal.strategy_id);
    assert.equal('req' in (first ?? {}), false);
  });

  it('says why it was silent on its second port', async () => {
    const on = await stage([engine, strategy], [node]);
    on.send('crossover', { payload: ticks(10, valley) });
    const [decision] = await on.count('decisions', 1);
    assert.equal(body(decision).code, 'warming_up');
  });

  it('sends text for people when it is asked to', async () => {
    const on = await stage([engine, strategy], [{ ...node, format: 'text' }]);
    on.send('crossover', { payload: ticks(120, valley) });
    const [first] = await on.count('signals', 1);
    assert.match(String(first?.payload), /^BUY BTCUSDT [\d.,]+ · stop [\d.,]+ · confidence \d\.\d\d · /);
  });

  it('shares one evaluation of a batch with the nodes beside it', async () => {
    const other = { ...node, id: 'other', wires: [['others'], []] };
    const sum = {
      id: 'apply',
      type: 'strategy-engine-strategy-apply',
      version: 1,
      engine: 'engine',
      wires: [[], ['result'], []],
    };
    const on = await stage([engine, strategy, apply], [node, other, sum]);
    const message = { payload: ticks(120, valley), batch_id: 'shared' };
    for (const id of ['crossover', 'other', 'apply']) on.send(id, message);
    const [result] = await on.count('result', 1);
    const [own] = await on.count('signals', 1);
    const [theirs] = await on.count('others', 1);
    assert.equal(body(result).ticks_accepted, 120);
    assert.notEqual(body(own).strategy_id, body(theirs).strategy_id);
    assert.equal(on.seen('signals').length + on.seen('others').length, body(result).signals_generated);
  });

  it('pauses and resumes by message, and shows it', async () => {
    const on = await stage([engine, strategy], [node]);
    on.send('crossover', { action: 'pause' });
    await until('paused', () => on.status('crossover').text === 'paused');
    on.send('crossover', { payload: ticks(120, valley) });
    await until('three are done', () => on.done().length === 2);
    assert.equal(on.seen('signals').length, 0);
    on.send('crossover', { action: 'resume' });
    on.send('crossover', { payload: ticks(120, (index) => valley(index), 'BTCUSDT', 1_767_226_000_000) });
    await on.count('signals', 1);
  });

  it('hands what is wrong to a Catch node, with a stable code and the detail', async () => {
    const on = await stage([engine, strategy], [node]);
    on.send('crossover', { payload: [{ symbol: 'BTCUSDT', price: -1 }] });
    const [caught] = await on.count('caught', 1);
    const error = errorOf(caught);
    assert.equal(error.code, 'ValueError');
    assert.match(error.message, /price must be greater than 0/);
    assert.equal(error.cause.details[0]?.path, 'market_data[0].price');
  });

  it('says at once when a parameter is out of its bounds', async () => {
    const on = await stage([engine, strategy], [{ ...node, parameters: { fast_period: 0 } }]);
    const [caught] = await on.count('caught', 1);
    assert.match(errorOf(caught).message, /fast_period/);
    await until('red', () => on.status('crossover').text === 'check settings');
    assert.equal(on.status('crossover').fill, 'red');
  });

  it('sends also the signal of a bar that the clock closed, of no message, once', async () => {
    const on = await stage([engine, strategy], [node]);
    const nowMs = Math.floor(Date.now() / 1_000) * 1_000;
    const jump = (index: number) => (index < 59 ? 100 - index * 0.1 : 105);
    on.send('crossover', { payload: ticks(60, jump, 'BTCUSDT', nowMs - 59_000) });
    await on.count('done', 1);
    assert.equal(on.seen('signals').length, 0, 'the bar of the jump is not closed yet');
    const [signal] = await on.count('signals', 1);
    assert.deepEqual([signal?.topic, body(signal).action], ['BTCUSDT', 'buy']);
    on.send('crossover', { payload: ticks(3, () => 105, 'BTCUSDT', nowMs + 1_000) });
    await on.count('done', 2);
    assert.equal(on.seen('signals').length, 1);
  });
});
