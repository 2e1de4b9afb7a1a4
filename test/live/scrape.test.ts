import assert from 'node:assert/strict';
import { limits } from '../../src/core/domain/limits';
import { startMs, tick } from '../helpers/core';
import { codeOf, type Living, living, message, obedientOn, recordingOutput, turn } from '../helpers/living';

describe('what a scrape says', () => {
  let life: Living;

  beforeEach(async () => {
    const output = {
      ...recordingOutput(),
      counters: () => ({
        published: 7,
        duplicates: 1,
        waiting: 3,
        shed: 2,
        stale: 4,
        fenced: 8,
        unencodable: 0,
        rejectsKept: 5,
        rejectsDropped: 6,
      }),
    };
    const lag = { take: () => ({ p99Ms: 12, maxMs: 340 }), close: () => undefined };
    life = await living({ output, deps: { lag } });
  });
  afterEach(() => life.handles.kill());

  async function valueAt(series: string): Promise<number | null> {
    const text = await life.engine.metricsText();
    const line = text.split('\n').find((one) => one.startsWith(`strategy_engine_${series} `));
    return line === undefined ? null : Number(line.split(' ').pop());
  }

  it('of the outputs: what left, what waits, what was given up', async () => {
    for (const [outcome, count] of Object.entries({ published: 7, duplicates: 1, shed: 2, stale: 4, fenced: 8 }))
      assert.equal(await valueAt(`output_signals_total{outcome="${outcome}"}`), count, outcome);
    assert.equal(await valueAt('signals_waiting'), 3);
    assert.equal(await valueAt('dead_letters_total{outcome="kept"}'), 5);
    assert.equal(await valueAt('dead_letters_total{outcome="dropped"}'), 6);
  });

  it('of the log: how its appends ended, and how long they took', async () => {
    await life.engine.register(obedientOn('o'));
    const executionResult = { executionId: 'e1', pnl: 1, success: true, executionTimeMs: 1 };
    const track = () => life.engine.track({ strategyId: 'o', executionResult });
    await track();
    await track();
    life.disk.faults.log = 'refuse';
    assert.equal(await codeOf(track()), 'ConnectionError');
    life.disk.faults.log = 'none';
    for (const [outcome, count] of Object.entries({ applied: 2, duplicate: 1, failed: 1 }))
      assert.equal(await valueAt(`appends_total{outcome="${outcome}"}`), count, outcome);
    assert.equal(await valueAt('append_seconds_count'), 4);
  });

  it('of the snapshots: how old what they do not hold is, and nothing while they hold all', async () => {
    const { engine, clock } = life;
    assert.equal(await valueAt('snapshot_age_seconds'), 0);
    await engine.processMarketData(message([tick('AAA', startMs, 1)]));
    clock.advance(3_000);
    assert.equal(await valueAt('snapshot_age_seconds'), 3);
    await engine.snapshot();
    clock.advance(3_000);
    assert.equal(await valueAt('snapshot_age_seconds'), 0);
    life.disk.faults.snapshots = 'refuse';
    await engine.processMarketData(message([tick('AAA', startMs + 1, 1)]));
    clock.advance(limits.snapshotMs);
    await turn();
    clock.advance(limits.snapshotMs);
    await turn();
    assert.equal(await valueAt('snapshot_age_seconds'), (2 * limits.snapshotMs) / 1_000);
  });

  it('of the loop, the whole and its parts', async () => {
    const { engine, clock } = life;
    clock.advance(1_500);
    assert.equal(await valueAt('event_loop_lag_p99_seconds'), 0.012);
    assert.equal(await valueAt('event_loop_lag_max_seconds'), 0.34);
    assert.equal(await valueAt('uptime_seconds'), 1.5);
    assert.equal(await valueAt('health'), 3);
    engine.report({ component: 'input:a', health: 'down', message: 'gone' });
    assert.equal(await valueAt('health'), 0);
    assert.equal(await valueAt('component_up{component="input:a"}'), 0);
    engine.forget('input:a');
    assert.equal(await valueAt('component_up{component="input:a"}'), null);
    assert.equal(await valueAt('health'), 3);
  });

  it('from 0 on, of what may never happen: the first time is an increase too', async () => {
    life.engine.report({ component: 'input:a', health: 'up', message: 'listening' });
    for (const series of ['alerts_total{code="gap"}', 'gaps_total{source="a"}', 'gap_seconds_total{source="a"}'])
      assert.equal(await valueAt(series), 0, series);
    assert.equal(await valueAt('appends_total{outcome="failed"}'), 0);
    assert.equal(await valueAt('output_signals_total{outcome="unencodable"}'), 0);
    assert.equal(await valueAt('durable'), 1);
  });

  it('of gaps: how many, and how long market data was missing', async () => {
    for (const ms of [1_500, 2_000])
      life.engine.reportGap({ source: 'a', fromMs: startMs, toMs: startMs + ms, lost: null, reason: 'cut' });
    assert.equal(await valueAt('gaps_total{source="a"}'), 2);
    assert.equal(await valueAt('gap_seconds_total{source="a"}'), 3.5);
  });
});
