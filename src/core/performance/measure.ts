import type { Figures, Reason } from './figures';
import type { Metric } from './metrics/metric';
import { evaluate } from './metrics/registry';

/** Values by metric name, `null` where undefined, with the reason of each `null`. */
export interface Measured {
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly reasons: Readonly<Record<string, Reason>>;
}

/** Values of the metrics asked for. */
export function measure(list: readonly Metric[], figures: Figures): Measured {
  const values: Record<string, number | null> = {};
  const why: Record<string, Reason> = {};
  for (const metric of list) {
    const value = evaluate(metric, figures);
    values[metric.name] = typeof value === 'number' ? value : null;
    if (typeof value !== 'number') why[metric.name] = value;
  }
  return { metrics: values, reasons: why };
}
