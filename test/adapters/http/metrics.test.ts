import assert from 'node:assert/strict';
import { createMetrics } from '../../../src/adapters/http/metrics';
import { limits } from '../../../src/core/domain/limits';

/** Value of a series, or `null`. */
function seriesValue(text: string, series: string): number | null {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

describe('adapters/http/metrics', () => {
  it('counts signals without a label, from 0 on', async () => {
    const metrics = createMetrics();
    assert.equal(seriesValue(await metrics.text(), 'strategy_engine_signals_total'), 0);
    metrics.count('signals', '', 3);
    metrics.count('signals', 'whatever');
    assert.equal(seriesValue(await metrics.text(), 'strategy_engine_signals_total'), 4);
  });

  it('counts by label what has one', async () => {
    const metrics = createMetrics();
    metrics.count('ticks', 'accepted', 10);
    metrics.count('ticks', 'late');
    metrics.count('decisions', 'cooldown');
    metrics.count('requests', '200');
    const text = await metrics.text();
    assert.equal(seriesValue(text, 'strategy_engine_ticks_total{outcome="accepted"}'), 10);
    assert.equal(seriesValue(text, 'strategy_engine_ticks_total{outcome="late"}'), 1);
    assert.equal(seriesValue(text, 'strategy_engine_decisions_total{code="cooldown"}'), 1);
    assert.equal(seriesValue(text, 'strategy_engine_requests_total{status="200"}'), 1);
  });

  it('keeps levels, healths and latencies', async () => {
    const metrics = createMetrics();
    metrics.gauge('strategies', 7);
    metrics.component('store', 'degraded');
    metrics.latency('fast', 0.3);
    metrics.latency('fast', 30);
    const text = await metrics.text();
    assert.equal(seriesValue(text, 'strategy_engine_strategies'), 7);
    assert.equal(seriesValue(text, 'strategy_engine_component_up{component="store"}'), 0.5);
    assert.equal(seriesValue(text, 'strategy_engine_latency_seconds_count{tier="fast"}'), 2);
    assert.equal(seriesValue(text, 'strategy_engine_latency_seconds_bucket{le="0.0005",tier="fast"}'), 1);
    assert.ok((seriesValue(text, 'strategy_engine_process_resident_memory_bytes') ?? 0) > 1e6);
  });

  it('a component that is gone has no health any more', async () => {
    const metrics = createMetrics();
    metrics.component('http', 'down');
    metrics.component('store', 'up');
    metrics.forget('http');
    const text = await metrics.text();
    assert.equal(seriesValue(text, 'strategy_engine_component_up{component="http"}'), null);
    assert.equal(seriesValue(text, 'strategy_engine_component_up{component="store"}'), 1);
  });

  it('past the bound labels from outside are counted as other', async () => {
    const metrics = createMetrics();
    for (let i = 0; i < limits.metricLabels + 10; i++) metrics.count('gaps', `feed ${i}`);
    const text = await metrics.text();
    assert.equal(seriesValue(text, 'strategy_engine_gaps_total{source="other"}'), 10);
    assert.equal(
      text.split('\n').filter((line) => line.startsWith('strategy_engine_gaps_total{')).length,
      limits.metricLabels + 1,
    );
  });

  it('numbers that make no sense change nothing, and engines share nothing', async () => {
    const metrics = createMetrics();
    metrics.count('ticks', 'late', Number.NaN);
    metrics.count('ticks', 'late', -1);
    metrics.gauge('symbols', Number.POSITIVE_INFINITY);
    metrics.latency('fast', Number.NaN);
    const text = await metrics.text();
    assert.equal(seriesValue(text, 'strategy_engine_ticks_total{outcome="late"}'), null);
    assert.equal(seriesValue(text, 'strategy_engine_symbols'), 0);
    metrics.count('signals', '');
    assert.equal(seriesValue(await createMetrics().text(), 'strategy_engine_signals_total'), 0);
  });
});
