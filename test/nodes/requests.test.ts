import assert from 'node:assert/strict';
import adapt from '../../nodes/adapt';
import engine from '../../nodes/engine';
import insights from '../../nodes/insights';
import track from '../../nodes/performance-track';
import apply from '../../nodes/strategy-apply';
import manage from '../../nodes/strategy-manage';
import { until } from '../helpers/until';
import {
  body,
  clearStage,
  closeStage,
  errorOf,
  list,
  openStage,
  quick,
  request,
  type Seen,
  stage,
  ticks,
  valley,
} from './stage';

const of = (id: string, short: string, outputs: number, more: Readonly<Record<string, unknown>> = {}) => ({
  id,
  type: `strategy-engine-${short}`,
  version: 1,
  engine: 'engine',
  wires: Array.from({ length: outputs }, (_, index) => [`${id}${index + 1}`]),
  ...more,
});

const flow = [
  of('apply', 'strategy-apply', 3, { decisions: 'all' }),
  of('manage', 'strategy-manage', 1),
  of('track', 'performance-track', 1),
  of('adapt', 'adapt', 3),
  of('look', 'insights', 1, { view: 'message' }),
];

const on = () => stage([engine, apply, manage, track, adapt, insights], flow);
const registration = {
  strategy_type: 'moving_average_crossover',
  strategy_id: 'mine',
  timeframe: '1s',
  parameters: quick,
};
const execution = { pnl: 12.5, success: true, execution_time_ms: 3, execution_id: 'e1' };

const partsOf = (message: Seen | undefined) => ({ ...(message?.parts as { count: number } | undefined) });

describe('nodes that answer', () => {
  before(openStage);
  after(closeStage);
  afterEach(clearStage);

  it('register, change, show and archive a strategy by message, one answer each', async () => {
    const here = await on();
    here.send('manage', { operation: 'register', payload: registration, mine: 1 });
    here.send('manage', { operation: 'update', strategy_id: 'mine', payload: { parameters: { stop_atr: 3 } } });
    here.send('manage', { operation: 'get', payload: { strategy_id: 'mine' } });
    here.send('manage', { operation: 'versions', strategy_id: 'mine' });
    here.send('manage', { operation: 'rollback', strategy_id: 'mine', payload: { version: 1 } });
    here.send('manage', { operation: 'list', payload: {} });
    here.send('manage', { operation: 'types' });
    here.send('manage', { operation: 'delete', strategy_id: 'mine' });
    const answers = await here.count('manage1', 8);
    assert.ok(answers.every(({ statusCode }) => statusCode === 200));
    assert.ok(answers.every((one) => body(one).status === 'success'));
    assert.deepEqual([answers[0]?.topic, answers[0]?.mine], ['mine', 1]);
    assert.deepEqual([body(answers[0]).version, body(answers[1]).version, body(answers[4]).version], [1, 2, 3]);
    assert.equal((body(answers[5]).strategies as unknown[]).length, 1);
    assert.equal(body(answers[7]).archived, true);
  });

  it('answer a request that fails on the result port, and are done', async () => {
    const here = await on();
    here.send('manage', { operation: 'get', strategy_id: 'nobody', payload: {}, ...request() });
    here.send('apply', { payload: { market_data: [] }, ...request() });
    here.send('track', { payload: { strategy_id: 'nobody', execution_result: execution }, ...request() });
    here.send('look', { view: 'nonsense', ...request() });
    here.send('adapt', { operation: 'force', payload: {}, ...request() });
    const kinds = [
      ['manage1', 404, 'NotFoundError'],
      ['apply2', 422, 'ValueError'],
      ['track1', 404, 'NotFoundError'],
      ['look1', 422, 'ValueError'],
      ['adapt3', 422, 'ValueError'],
    ] as const;
    for (const [probe, status, type] of kinds) {
      const [answer] = await here.count(probe, 1);
      assert.equal(answer?.statusCode, status, probe);
      assert.equal(body(answer).error_type, type, probe);
      assert.equal(body(answer).request_id, 'r-1');
      assert.ok(answer?.res, 'the response goes along');
    }
    await here.count('done', 5);
    assert.equal(here.seen('caught').length, 0);
  });

  it('hand the same failures to a Catch node when there is nobody to answer', async () => {
    const here = await on();
    here.send('manage', { operation: 'get', strategy_id: 'nobody', payload: {} });
    here.send('manage', { operation: 'explode' });
    const caught = await here.count('caught', 2);
    assert.deepEqual(
      caught.map((one) => errorOf(one).code),
      ['NotFoundError', 'ValueError'],
    );
    assert.match(errorOf(caught[1]).message, /operation must be one of register, update/);
    assert.equal(here.seen('manage1').length, 0);
  });

  it('take the id from the path of a request', async () => {
    const here = await on();
    here.send('manage', { operation: 'register', payload: registration });
    here.send('manage', { operation: 'get', payload: {}, ...request({ params: { id: 'mine' } }) });
    const answers = await here.count('manage1', 2);
    assert.equal(body(answers[1]).strategy_id, 'mine');
  });

  it('answer market data with the body of the contract, and never send a request along with signals', async () => {
    const here = await on();
    here.send('manage', { operation: 'register', payload: registration });
    await here.count('manage1', 1);
    here.send('apply', { payload: { market_data: ticks(120, valley) }, ...request() });
    const [result] = await here.count('apply2', 1);
    const { status, strategies_applied, ticks_accepted, signals_generated } = body(result);
    assert.deepEqual([status, strategies_applied, ticks_accepted], ['success', 1, 120]);
    const signals = await here.count('apply1', Number(signals_generated));
    assert.ok(signals.length > 0);
    for (const signal of [...signals, ...here.seen('apply3')]) assert.ok(!('req' in signal) && !('res' in signal));
    if (signals.length > 1) assert.equal(partsOf(signals[0]).count, signals.length);
  });

  it('track executions, once each, and an array of them with the refused in their places', async () => {
    const here = await on();
    here.send('manage', { operation: 'register', payload: registration });
    await here.count('manage1', 1);
    here.send('track', { payload: { strategy_id: 'mine', execution_result: execution } });
    await here.count('track1', 1);
    here.send('track', { strategy_id: 'mine', payload: execution });
    await here.count('track1', 2);
    here.send('track', { strategy_id: 'mine', payload: [{ ...execution, execution_id: 'e2' }, { pnl: 'much' }] });
    const [first, again, many] = await here.count('track1', 3);
    assert.deepEqual([first?.topic, first?.duplicate, again?.duplicate], ['mine', false, true]);
    assert.equal((body(again).new_metrics as { total_pnl: number }).total_pnl, 12.5);
    const results = body(many).results as { status: string; error_type?: string }[];
    assert.deepEqual(
      results.map(({ status }) => status),
      ['success', 'error'],
    );
    assert.equal(results[1]?.error_type, 'ValueError');
  });

  it('read orders of ccxt and updates of Alpaca as executions', async () => {
    const forms = [
      of('ccxt', 'performance-track', 1, { preset: 'ccxt-order' }),
      of('alpaca', 'performance-track', 1, { preset: 'alpaca' }),
    ];
    const here = await stage([engine, manage, track], [flow[1] ?? of('manage', 'strategy-manage', 1), ...forms]);
    here.send('manage', { operation: 'register', payload: registration });
    await here.count('manage1', 1);
    const order = {
      id: 'o1',
      symbol: 'BTC/USDT',
      side: 'buy',
      filled: 2,
      average: 10,
      status: 'closed',
      timestamp: 1_767_225_600_000,
      fee: { cost: 0.1 },
    };
    here.send('ccxt', { strategy_id: 'mine', payload: order, pnl: 5 });
    const update = {
      stream: 'trade_updates',
      data: {
        event: 'fill',
        execution_id: 'x1',
        price: '10',
        qty: '3',
        timestamp: '2026-01-01T00:00:01Z',
        order: { id: 'o2', symbol: 'AAPL', side: 'sell', submitted_at: '2026-01-01T00:00:00Z' },
      },
    };
    here.send('alpaca', { strategy_id: 'mine', payload: update, pnl: -2 });
    await here.count('ccxt1', 1);
    const [last] = await here.count('alpaca1', 1);
    assert.deepEqual((body(last).new_metrics as { total_pnl: number; executions: number }).total_pnl, 3);
  });

  it('propose without changing, force one step, list and revert it', async () => {
    const here = await on();
    here.send('manage', { operation: 'register', payload: registration });
    await here.count('manage1', 1);
    const conditions = { strategy_id: 'mine', market_conditions: { volatility: 'high', trend_strength: 'strong' } };
    here.send('adapt', { operation: 'propose', payload: conditions });
    const [proposal] = await here.count('adapt1', 1);
    assert.equal(body(proposal).applied, false);
    here.send('adapt', { operation: 'force', payload: conditions });
    const [change] = await here.count('adapt2', 1);
    assert.deepEqual([change?.topic, body(change).stage], ['mine', 'applied']);
    here.send('adapt', { operation: 'revert', adaptation_id: body(change).adaptation_id });
    const changes = await here.count('adapt2', 2);
    assert.equal(body(changes[1]).stage, 'reverted');
    assert.equal((await here.count('adapt3', 3)).length, 3);
  });

  it('show insights, summary, performance, curve, decisions, funnel and positions', async () => {
    const here = await on();
    here.send('manage', { operation: 'register', payload: registration });
    await here.count('manage1', 1);
    here.send('track', { payload: { strategy_id: 'mine', execution_result: execution } });
    await here.count('track1', 1);
    const views = ['insights', 'summary', 'performance', 'curve', 'decisions', 'funnel', 'positions'];
    for (const view of views) here.send('look', { view, strategy_id: 'mine' });
    const answers = await here.count('look1', views.length);
    assert.ok(answers.every((one) => body(one).status === 'success'));
    const keys = ['insights', 'system_health', 'metrics', 'curve', 'decisions', 'funnel', 'positions'];
    for (const key of keys)
      assert.ok(
        answers.some((one) => key in body(one)),
        key,
      );
  });

  it('show by themselves what changes, as points of a chart', async () => {
    const chart = of('chart', 'insights', 1, {
      view: 'curve',
      strategyId: 'mine',
      format: 'chart',
      trigger: 'change',
      intervalS: 1,
    });
    const here = await stage([engine, manage, track, insights], [flow[1] ?? chart, flow[2] ?? chart, chart]);
    here.send('manage', { operation: 'register', payload: registration });
    await here.count('manage1', 1);
    here.send('track', { payload: { strategy_id: 'mine', execution_result: execution } });
    await until('a point', () => here.seen('chart1').some(({ payload }) => (payload as unknown[]).length > 0));
    const last = here.seen('chart1').at(-1);
    const [point] = list(last);
    assert.deepEqual([last?.topic, typeof point?.x, point?.y], ['mine', 'number', 12.5]);
  });
});
