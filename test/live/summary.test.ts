import assert from 'node:assert/strict';
import type { Alert } from '../../src/core/domain/summary';
import { bar, startMs, tick } from '../helpers/core';
import { type Living, living, message, obedientOn, turn } from '../helpers/living';

const swing = Array.from({ length: 6 }, (_, i) => bar('AAA', startMs + i * 60_000, [100, 103, 97, i % 2 ? 98 : 102]));

/** Sum of a counter over all its labels. */
function sumOf(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
}

describe('what a living engine says of itself', () => {
  let life: Living;

  beforeEach(async () => {
    life = await living();
    await life.engine.register(obedientOn('o'));
  });

  afterEach(() => life.handles.kill());

  it('a fresh engine is excellent, and has no rate of success before an execution', async () => {
    const { engine, clock } = life;
    clock.advance(90_500);
    await turn();
    const summary = engine.summary();
    assert.equal(summary.systemHealth, 'excellent');
    assert.deepEqual([summary.activeStrategies, summary.totalPerformance, summary.totalPnl], [1, null, 0]);
    assert.equal(summary.uptimeS, 91);
    assert.equal(summary.lastUpdate, new Date(startMs + 90_500).toISOString());
    assert.deepEqual([...summary.components.keys()].sort(), ['snapshots', 'store', 'tape']);
    assert.deepEqual(summary.latencyMs.get('fast'), { p50: null, p95: null, p99: null, count: 0 });
  });

  it('the outcomes of all ticks add up to all ticks, and its figures to those of its metrics', async () => {
    const { engine } = life;
    const tickAt = (ms: number, price: number, id?: string) =>
      tick('BBB', startMs + ms, price, id === undefined ? {} : { extras: { id } });
    await engine.processMarketData(message(swing));
    await engine.processMarketData(
      message([
        tickAt(0, 10, 'a'),
        tickAt(1, 10, 'a'),
        tickAt(-60_000, 10),
        { ...bar('BBB', startMs, [9]), isClosed: false },
      ]),
    );
    const flow = Array.from({ length: 60 }, (_, i) => tickAt(10 + i, 10 + (i % 2)));
    await engine.processMarketData(message([...flow, tickAt(200, 900)]));
    await engine.track({ strategyId: 'o', executionResult: { pnl: 5, success: true, executionTimeMs: 1 } });
    await engine.track({
      strategyId: 'o',
      executionResult: { pnl: 5, success: true, executionTimeMs: 1, mode: 'paper' },
    });
    const { throughput, totalPnl } = engine.summary();
    const outcomes = Object.fromEntries(throughput.outcomes);
    assert.deepEqual(outcomes, { accepted: 67, duplicate: 1, late: 1, forming_bar: 1, held: 1 });
    assert.equal(throughput.ticksTotal, 71);
    assert.deepEqual([throughput.executionsTotal, totalPnl], [2, 5]);
    const text = await engine.metricsText();
    assert.equal(sumOf(text, 'strategy_engine_ticks_total'), 70, 'what is held is not decided yet');
    assert.equal(sumOf(text, 'strategy_engine_signals_total'), throughput.signalsTotal);
    assert.equal(sumOf(text, 'strategy_engine_executions_total'), 2);
    const { funnel } = engine.decisions('o');
    assert.equal(sumOf(text, 'strategy_engine_decisions_total'), funnel.evaluated);
    assert.equal(sumOf(text, 'strategy_engine_log_seq'), 3);
    assert.equal(sumOf(text, 'strategy_engine_symbols'), 2);
    const again = await engine.metricsText();
    const totals = (one: string) => one.split('\n').filter((line) => /_total[ {]/.test(line));
    assert.deepEqual(totals(again), totals(text), 'asked again, nothing is counted twice');
  });

  it('ticks per second are those of the last ten whole seconds', async () => {
    const { engine, clock } = life;
    for (let i = 0; i < 20; i++) {
      await engine.processMarketData(
        message(Array.from({ length: 50 }, (_, j) => tick('AAA', startMs + i * 500 + j, 1))),
      );
      clock.advance(500);
    }
    assert.equal(engine.summary().throughput.ticksPerS, 100);
    clock.advance(20_000);
    assert.equal(engine.summary().throughput.ticksPerS, 0);
  });

  it('our own failures in the last five minutes are the error rate, and refusals of bad input are not', async () => {
    const { engine, clock } = life;
    for (let i = 0; i < 995; i++) engine.countRequest(i % 2 ? 200 : 422);
    assert.equal(engine.summary().systemHealth, 'excellent');
    for (let i = 0; i < 5; i++) engine.countRequest(503);
    assert.deepEqual([engine.summary().errorRate, engine.summary().systemHealth], [0.005, 'good']);
    for (let i = 0; i < 10; i++) engine.countRequest(500);
    assert.equal(engine.summary().systemHealth, 'degraded');
    clock.advance(301_000);
    assert.deepEqual([engine.summary().errorRate, engine.summary().systemHealth], [0, 'excellent']);
    assert.match(await engine.metricsText(), /strategy_engine_requests_total\{status="503"\} 5/);
  });

  it('a door tells how it is, once per change; one that closed is forgotten; without input the engine is critical', () => {
    const { engine } = life;
    const alerts: Alert[] = [];
    engine.on('alert', (alert) => alerts.push(alert));
    const report = (health: 'up' | 'down', text: string) =>
      engine.report({ component: 'input:redis', health, message: text });
    report('up', 'listening');
    report('down', 'gone');
    report('down', 'still gone');
    assert.equal(engine.summary().systemHealth, 'critical');
    assert.equal(engine.summary().components.get('input:redis')?.message, 'still gone');
    report('up', 'back');
    assert.deepEqual(
      alerts.map(({ code, level, recovered }) => [code, level, recovered]),
      [
        ['input:redis_down', 'critical', false],
        ['input:redis_up', 'info', true],
      ],
    );
    engine.forget('input:redis');
    assert.equal(engine.summary().components.has('input:redis'), false);
  });

  it('a gap is told, kept as an alert and counted by source', async () => {
    const { engine } = life;
    const gap = {
      source: 'redis',
      fromMs: startMs,
      toMs: startMs + 2_500,
      lost: null,
      reason: 'the connection was down',
    };
    const told: unknown[] = [];
    engine.on('gap', (one) => told.push(one));
    engine.reportGap(gap);
    assert.deepEqual(told, [gap]);
    assert.equal(engine.alerts()[0]?.message, 'gap of 2.5 s in redis: the connection was down');
    assert.match(await engine.metricsText(), /strategy_engine_gaps_total\{source="redis"\} 1/);
  });

  it('latency is measured from arrival, per tier', async () => {
    await life.engine.processMarketData(message(swing));
    const views = life.engine.summary().latencyMs;
    assert.equal(views.get('tactical')?.count, 1);
    assert.equal(views.get('fast')?.count, 0);
  });
});
