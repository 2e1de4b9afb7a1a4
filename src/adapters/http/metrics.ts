/** Figures of one engine for Prometheus, in a registry of its own: several engines live in one process. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { limits } from '../../core/domain/limits';
import type { MetricCounter, MetricGauge, Metrics } from '../../live/ports';

const counters: Readonly<Record<MetricCounter, { readonly label: string | null; readonly help: string }>> = {
  ticks: { label: 'outcome', help: 'Market data items by what became of them' },
  signals: { label: null, help: 'Signals emitted' },
  decisions: { label: 'code', help: 'Decisions by code' },
  executions: { label: 'outcome', help: 'Executions tracked, each id once' },
  gaps: { label: 'source', help: 'Gaps in market data reported' },
  gap_seconds: { label: 'source', help: 'How long market data was, or may have been, missing' },
  shed: { label: 'cause', help: 'What was dropped under overload or on a failing store' },
  requests: { label: 'status', help: 'HTTP requests answered, by status' },
  alerts: { label: 'code', help: 'Alerts by code, those that were only counted included' },
  output_signals: { label: 'outcome', help: 'Signals by what became of them at the outputs' },
  dead_letters: { label: 'outcome', help: 'Rejected messages kept for later, and dropped' },
  appends: { label: 'outcome', help: 'Appends to the log: applied, duplicate, conflict, failed' },
  reconnects: { label: 'connection', help: 'Connections to Redis that came back' },
};

const gauges: Readonly<Record<MetricGauge, string>> = {
  health: 'The summary in one figure: 3 excellent, 2 good, 1 degraded, 0 critical',
  uptime_seconds: 'Since the engine was opened',
  strategies: 'Strategies registered and not archived',
  symbols: 'Symbols followed',
  intake_ticks: 'Ticks waiting at the intake',
  signals_waiting: 'Signals waiting for an output',
  log_seq: 'Sequence number of the last event of the log',
  tape_bytes: 'Bytes of the tape',
  input_lag_entries: 'Entries of the input streams that were not read yet',
  input_pending_entries: 'Entries of the input streams that were delivered and not acknowledged',
  input_lag_seconds: 'Age of the first entry of an input stream that was not read yet',
  snapshot_age_seconds: 'Age of the oldest change that no snapshot holds; 0 when all are held',
  event_loop_lag_p99_seconds: 'How late the event loop ran since the last scrape, 99th percentile',
  event_loop_lag_max_seconds: 'How late the event loop ran since the last scrape, at the most',
  durable: '1 when what the log acknowledges survives the end of its store, 0 when not, 0.5 when that is not known',
  leader: '1 while this process publishes signals, 0 on standby',
};

const prefix = 'strategy_engine_';
const other = 'other';
/** From 0.1 ms to the deadline of a request. */
const bucketsS = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5];
const healthValue = { up: 1, degraded: 0.5, down: 0 } as const;

/** Keeps labels that come from outside few. */
class BoundedLabels {
  private readonly seen = new Set<string>();

  of(label: string): string {
    if (this.seen.has(label)) return label;
    if (this.seen.size >= limits.metricLabels) return other;
    this.seen.add(label);
    return label;
  }
}

/** A new, empty set of figures; names start with `strategy_engine_`. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const increments = new Map<MetricCounter, (label: string, by: number) => void>();
  for (const [name, { label, help }] of Object.entries(counters) as [
    MetricCounter,
    (typeof counters)[MetricCounter],
  ][]) {
    const labelNames = label === null ? [] : [label];
    const counter = new Counter({ name: `${prefix}${name}_total`, help, labelNames, registers });
    const labels = new BoundedLabels();
    increments.set(name, (value, by) => {
      if (label === null) counter.inc(by);
      else counter.inc({ [label]: labels.of(value) }, by);
    });
  }
  const levels = new Map<MetricGauge, Gauge>();
  for (const [name, help] of Object.entries(gauges) as [MetricGauge, string][]) {
    levels.set(name, new Gauge({ name: `${prefix}${name}`, help, registers }));
  }
  const latency = new Histogram({
    name: `${prefix}latency_seconds`,
    help: 'Arrival to emission, by tier',
    labelNames: ['tier'],
    buckets: bucketsS,
    registers,
  });
  const appends = new Histogram({
    name: `${prefix}append_seconds`,
    help: 'How long an append to the log took until it was acknowledged or refused',
    buckets: bucketsS,
    registers,
  });
  const components = new Gauge({
    name: `${prefix}component_up`,
    help: '1 up, 0.5 degraded, 0 down',
    labelNames: ['component'],
    registers,
  });
  addProcess(registers);
  const tiers = new BoundedLabels();
  const names = new BoundedLabels();
  return {
    count(counter, label, by = 1) {
      if (by >= 0 && Number.isFinite(by)) increments.get(counter)?.(label, by);
    },
    gauge(gauge, value) {
      if (Number.isFinite(value)) levels.get(gauge)?.set(value);
    },
    latency(tier, latencyMs) {
      if (Number.isFinite(latencyMs)) latency.observe({ tier: tiers.of(tier) }, latencyMs / 1_000);
    },
    append(latencyMs) {
      if (Number.isFinite(latencyMs)) appends.observe(latencyMs / 1_000);
    },
    component(name, health) {
      components.set({ component: names.of(name) }, healthValue[health]);
    },
    forget(component) {
      components.remove({ component: names.of(component) });
    },
    text: () => registry.metrics(),
  };
}

/** Of the process: engines in one process say the same. */
const ofProcess: Readonly<Record<string, readonly [help: string, value: () => number]>> = {
  resident_memory_bytes: ['Resident memory of the process', () => process.memoryUsage.rss()],
  heap_used_bytes: ['JavaScript heap in use', () => process.memoryUsage().heapUsed],
  start_time_seconds: [
    'When the process began, since the epoch',
    () => Math.round(Date.now() / 1_000 - process.uptime()),
  ],
};

function addProcess(registers: Registry[]): void {
  for (const [name, [help, value]] of Object.entries(ofProcess)) {
    new Gauge({
      name: `${prefix}process_${name}`,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }
}
