import assert from 'node:assert/strict';
import { normalCdf, normalQuantile } from '../../../src/core/performance/normal';
import {
  deflatedSharpe,
  expectedMaxSharpe,
  minimumTrackRecord,
  probabilisticSharpe,
} from '../../../src/core/performance/sharpe-inference';
import { close, load, metric } from './reference-files';

interface InferenceCase {
  readonly id: string;
  readonly fn: string;
  readonly args: Readonly<Record<string, number>> & {
    readonly trials?: readonly number[];
    readonly returns?: number[];
  };
  readonly value: number;
  readonly expected_published?: number;
  readonly tol?: number;
}

describe('inference on Sharpe ratios', () => {
  it('agrees with every published and computed case', () => {
    const file = load('metrics-psr-dsr.json');
    if (file === null) return;
    const cases = file.cases as readonly InferenceCase[];
    for (const test of cases) {
      const value = inference(test);
      assert.notEqual(value, null, test.id);
      close(value, test.value, 1e-9 * Math.max(1, Math.abs(test.value)), test.id);
      if (test.expected_published !== undefined) close(value, test.expected_published, test.tol ?? 1e-3, test.id);
    }
    console.log(`      Sharpe inference: ${cases.length} of ${cases.length} cases apply`);
  });
});

function inference({ fn, args }: InferenceCase): number | null {
  const annual = Math.sqrt(args.periods ?? 1);
  const sharpe = args.sr ?? (args.sr_annual ?? 0) / annual;
  const sample = { sharpe, n: args.n ?? 0, skewness: args.skew ?? 0, kurtosis: args.kurtosis ?? 3 };
  if (fn === 'psr') return probabilisticSharpe(sample, args.sr_benchmark);
  if (fn === 'min_track_record_length') return minimumTrackRecord(sample, args.sr_benchmark, args.alpha);
  if (fn === 'expected_max_sharpe') return expectedMaxSharpe(args.trial_std ?? 0, args.n_trials ?? 0);
  if (fn === 'dsr') {
    const [deviation, count] = trialsOf(args, annual);
    return deflatedSharpe(sample, deviation, count);
  }
  const returns = args.returns ?? [];
  const periodsPerYear = args.periods ?? 1;
  if (fn === 'sharpe') {
    const riskFreeAnnual = (1 + (args.rf_per_period ?? 0)) ** periodsPerYear - 1;
    return metric({ returns, periodsPerYear, riskFreeAnnual }, 'sharpeRatio');
  }
  const benchmark = returns.map(() => args.benchmark_const ?? 0);
  return metric({ returns, benchmark, periodsPerYear }, 'informationRatio');
}

function trialsOf(args: InferenceCase['args'], annual: number): [number, number] {
  if (args.trials === undefined) {
    return [args.trial_std ?? Math.sqrt(args.trial_var_annual ?? 0) / annual, args.n_trials ?? 0];
  }
  const { length } = args.trials;
  const mean = args.trials.reduce((sum, one) => sum + one, 0) / length;
  const squares = args.trials.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return [Math.sqrt(squares / (length - (args.trial_std_ddof ?? 1))), length];
}

describe('the normal distribution', () => {
  it('has the values of the tables', () => {
    // Abramowitz & Stegun, table 26.1 and its tails.
    for (const [x, p] of [
      [0, 0.5],
      [1, 0.8413447460685429],
      [1.959963984540054, 0.975],
      [-3, 0.0013498980316300946],
      [5, 0.9999997133484281],
      [-5.5, 1.898956246588772e-8],
      [-8, 6.220960574271786e-16],
      [-40, 0],
    ] as const) {
      assert.ok(Math.abs(normalCdf(x) - p) <= 1e-13 * Math.max(p, 1e-3) + p * 1e-11, `${x}: ${normalCdf(x)}`);
    }
  });

  it('is undone by its quantile', () => {
    for (let p = 1e-12; p < 1; p = p < 0.01 ? p * 3 : p + 0.013) {
      assert.ok(Math.abs(normalCdf(normalQuantile(p)) / p - 1) < 1e-9, String(p));
    }
    assert.deepEqual([normalQuantile(0), normalQuantile(1)], [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });
});
