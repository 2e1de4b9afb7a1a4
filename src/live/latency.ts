/** Latency from arrival to emission, one histogram per tier, in microseconds inside and milliseconds outside. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { LatencyView } from '../core/domain/summary';

export const tiers = ['fast', 'tactical', 'strategic', 'learning'] as const;
export type Tier = (typeof tiers)[number];

export interface Latency {
  record(tier: Tier, latencyMs: number): void;
  views(): ReadonlyMap<string, LatencyView>;
}

export function createLatency(): Latency {
  const histograms = new Map<Tier, RecordableHistogram>(tiers.map((tier) => [tier, createHistogram()]));
  const ms = (histogram: RecordableHistogram, percentile: number) =>
    histogram.count === 0 ? null : histogram.percentile(percentile) / 1_000;
  return {
    record(tier, latencyMs) {
      histograms.get(tier)?.record(Math.max(1, Math.round(latencyMs * 1_000)));
    },
    views() {
      const views = new Map<string, LatencyView>();
      for (const [tier, histogram] of histograms) {
        const { count } = histogram;
        views.set(tier, { p50: ms(histogram, 50), p95: ms(histogram, 95), p99: ms(histogram, 99), count });
      }
      return views;
    },
  };
}
