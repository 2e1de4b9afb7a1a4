import assert from 'node:assert/strict';
import { meanOfTail, quantile } from '../../../src/core/performance/quantile';
import { type SeriesInput, seriesFigures } from '../../../src/core/performance/series';
import { close, expectedOf, load, metric, number, type Value } from './reference-files';

/**
 * Expected values of others: empyrical-reloaded (Apache-2.0), NautilusTrader (numbers only), published Sharpe inference.
 * Where their convention differs from ours a case is adapted here, never the metric; a case that no adapter reaches is
 * counted as not applicable, by metric.
 */
interface Outcome {
  readonly actual: Value;
  readonly expected?: Value;
}

interface EmpyricalCase {
  readonly id: string;
  readonly metric: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly component?: number;
  readonly expected: unknown;
  readonly abs_tol: number;
}

const periods: Readonly<Record<string, number>> = { daily: 252, weekly: 52, monthly: 12, quarterly: 4, yearly: 1 };

type Inputs = Readonly<Record<string, { readonly values: readonly unknown[]; readonly index: readonly string[] }>>;

/** A named series (a column of a frame), NaN kept. */
function seriesOf(inputs: Inputs, arg: unknown, column: number): number[] | number {
  if (Array.isArray(arg)) return arg.map(number);
  if (typeof arg !== 'object' || arg === null) return number(arg);
  const input = inputs[(arg as { input: string }).input];
  assert.ok(input);
  return input.values.map((value) => (Array.isArray(value) ? number(value[column]) : number(value)));
}

/** empyrical drops NaN, pairwise where two series are compared, and takes a rate per period, constant or a series. */
function excess(values: readonly number[], rate: number[] | number): number[] {
  const differences = values.map((value, i) => value - (typeof rate === 'number' ? rate : (rate[i] ?? Number.NaN)));
  return differences.filter(Number.isFinite);
}

function empyrical(inputs: Inputs, test: EmpyricalCase): Outcome | null {
  const { args } = test;
  const column = test.component ?? 0;
  const raw = seriesOf(inputs, args.returns, column);
  if (typeof raw === 'number') return null;
  const returns = raw.filter(Number.isFinite);
  const periodsPerYear = periods[String(args.period ?? 'daily')] ?? 252;
  const risk = seriesOf(inputs, args.risk_free ?? args.required_return ?? 0, column);
  const on = (values: readonly number[], name: string, extra: Partial<SeriesInput> = {}): Outcome => ({
    actual: metric({ returns: values, periodsPerYear, ...extra }, name),
  });
  switch (test.metric) {
    case 'sharpe_ratio':
      // A constant rate goes through our own deannualisation.
      return typeof risk === 'number' && risk > 0
        ? on(returns, 'sharpeRatio', { riskFreeAnnual: (1 + risk) ** periodsPerYear - 1 })
        : on(excess(raw, risk), 'sharpeRatio');
    case 'sortino_ratio':
      return typeof risk === 'number' && risk > 0
        ? on(returns, 'sortinoRatio', { riskFreeAnnual: (1 + risk) ** periodsPerYear - 1 })
        : on(excess(raw, risk), 'sortinoRatio');
    case 'annual_volatility':
      return on(returns, 'volatility');
    case 'downside_risk': {
      const { days } = seriesFigures({ returns: excess(raw, risk), periodsPerYear });
      return { actual: days.n === 0 ? null : days.downside * Math.sqrt(periodsPerYear) };
    }
    case 'max_drawdown': {
      const { actual } = on(returns, 'maxDrawdown');
      // Theirs is negative, and NaN without returns, where the figure of nothing is 0.
      return { actual: actual === null || returns.length === 0 ? null : -actual };
    }
    case 'cum_returns_final':
      return args.starting_value === 0 && returns.length > 0 && !Array.isArray(test.expected)
        ? on(returns, 'totalReturn')
        : null;
    case 'cagr':
    case 'annual_return':
      return annual(on(returns, 'cagr'), returns.length, periodsPerYear);
    case 'calmar_ratio':
      return annual(on(returns, 'calmarRatio'), returns.length, periodsPerYear);
    case 'omega_ratio': {
      const required = number(args.required_return ?? 0);
      const perPeriod = required <= -1 ? null : (1 + required) ** (1 / periodsPerYear) - 1;
      const free = seriesOf(inputs, args.risk_free ?? 0, column);
      return perPeriod === null ? null : on(excess(excess(raw, free), perPeriod), 'omegaRatio');
    }
    case 'stability_of_timeseries':
      return on(returns, 'stability');
    case 'tail_ratio':
      return returns.length < 2 && returns.length > 0 ? null : on(returns, 'tailRatio');
    case 'value_at_risk':
      return { actual: quantile(Float64Array.from(returns).sort(), number(args.cutoff)) };
    case 'conditional_value_at_risk':
      return { actual: meanOfTail(Float64Array.from(returns).sort(), number(args.cutoff)) };
    default:
      return compared(inputs, test, raw, periodsPerYear);
  }
}

/** Under 90 days nothing is annualised here, whatever others do: `too_short`. */
function annual(outcome: Outcome, n: number, periodsPerYear: number): Outcome {
  return (n / periodsPerYear) * 365.25 < 90 ? { ...outcome, expected: null } : outcome;
}

/** Where the factor has the date of the i-th return; series of one length are aligned already. */
function placesOf(inputs: Inputs, { args }: EmpyricalCase): (i: number) => number {
  const [own, its] = [args.returns, args.factor_returns].map((arg) =>
    typeof arg === 'object' && arg !== null && 'input' in arg ? inputs[String(arg.input)] : undefined,
  );
  if (!own || !its || own.values.length === its.values.length) return (i) => i;
  return (i) => its.index.indexOf(own.index[i] ?? '');
}

const beside: Readonly<Record<string, string>> = {
  alpha: 'alpha',
  beta: 'beta',
  excess_sharpe: 'informationRatio',
  up_capture: 'upCapture',
  down_capture: 'downCapture',
};

function compared(inputs: Inputs, test: EmpyricalCase, raw: readonly number[], periodsPerYear: number): Outcome | null {
  const name = test.metric === 'alpha_beta' ? ['alpha', 'beta'][test.component ?? 0] : beside[test.metric];
  if (name === undefined) return null;
  const factor = seriesOf(inputs, test.args.factor_returns, 0);
  const places = placesOf(inputs, test);
  const pairs = raw.map(
    (own, i) => [own, typeof factor === 'number' ? factor : (factor[places(i)] ?? Number.NaN)] as const,
  );
  const both = pairs.filter(([own, its]) => Number.isFinite(own) && Number.isFinite(its));
  // One period is no comparison; some of theirs answer 1 there.
  if (both.length < 2 && expectedOf(test.expected) !== null) return null;
  const risk = number(test.args.risk_free ?? 0);
  const actual = metric(
    {
      returns: both.map(([own]) => own),
      benchmark: both.map(([, its]) => its),
      periodsPerYear: test.metric === 'excess_sharpe' ? 1 : periodsPerYear,
      riskFreeAnnual: (1 + risk) ** periodsPerYear - 1,
    },
    name,
  );
  return { actual };
}

interface NautilusCase {
  readonly id: string;
  readonly metric: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly expected: unknown;
  readonly abs_tol: number | null;
}

const ofTrades: Readonly<Record<string, string>> = {
  expectancy: 'expectancy',
  profit_factor: 'profitFactor',
  win_rate: 'winRate',
  winner_avg: 'averageWin',
  winner_max: 'largestWin',
  loser_avg: 'averageLoss',
  loser_max: 'largestLoss',
  returns_avg: 'averagePnl',
  returns_avg_loss: 'averageLoss',
  returns_avg_win: 'averageWin',
};
const ofReturns: Readonly<Record<string, string>> = {
  max_drawdown: 'maxDrawdown',
  returns_kurtosis: 'kurtosis',
  returns_skewness: 'skewness',
  returns_volatility: 'volatility',
  risk_return_ratio: 'sharpeRatio',
  sharpe_ratio: 'sharpeRatio',
  sortino_ratio: 'sortinoRatio',
  cagr: 'cagr',
  calmar_ratio: 'calmarRatio',
  alpha: 'alpha',
  beta_ratio: 'beta',
  information_ratio: 'informationRatio',
  tracking_error: 'trackingError',
  treynor_ratio: 'treynorRatio',
};

const dayMs = 86_400_000;

function timesOf(inputs: NautilusCase['inputs'], name: string, length: number): number[] {
  const ms = inputs[`${name}_ms`] as number[] | undefined;
  const days = inputs[`${name}_day`] as number[] | undefined;
  return ms ?? days?.map((day) => day * dayMs) ?? Array.from({ length }, (_, i) => i * dayMs);
}

function nautilus(test: NautilusCase): Outcome | null {
  const { inputs, params } = test;
  const values = (inputs.pnls ?? inputs.returns) as number[] | undefined;
  if (values === undefined) return null;
  const trade = ofTrades[test.metric];
  if (trade !== undefined) {
    return { actual: metric({ trades: values }, trade) };
  }
  const name = ofReturns[test.metric];
  if (name === undefined) return null;
  const benchmark = inputs.benchmark as number[] | undefined;
  const perPeriod = number(params.risk_free_rate ?? 0);
  // Theirs is per period where ours is annual; their ratio of risk to return is not annualised.
  const periodsPerYear = test.metric === 'risk_return_ratio' ? 1 : number(params.period ?? 252);
  const compares = ['alpha', 'beta_ratio', 'information_ratio', 'tracking_error', 'treynor_ratio'].includes(
    test.metric,
  );
  if (compares && benchmark === undefined) return { actual: metric({ returns: values, benchmark: [] }, name) };
  const actual = metric(
    {
      returns: values,
      periodsPerYear,
      riskFreeAnnual: (1 + perPeriod) ** periodsPerYear - 1,
      ...(compares ? { timestamps: timesOf(inputs, 'returns', values.length) } : {}),
      ...(benchmark && {
        benchmark,
        benchmarkTimestamps: timesOf(inputs, 'benchmark', benchmark.length),
      }),
    },
    name,
  );
  if (test.metric === 'max_drawdown') return { actual: actual === null ? null : 0 - actual };
  // A growth of nothing over no time is undefined here, 0 there.
  if (test.metric === 'cagr' && values.length === 0) return { actual, expected: null };
  return { actual };
}

function tally(name: string, all: readonly { readonly metric: string }[], missed: readonly string[]): void {
  const by = new Map<string, number>();
  for (const one of missed) by.set(one, (by.get(one) ?? 0) + 1);
  const left = [...by].map(([one, count]) => `${one} ${count}`).join(', ');
  console.log(
    `      ${name}: ${all.length - missed.length} of ${all.length} cases apply; not applicable: ${left || 'none'}`,
  );
}

describe('metrics against other libraries', () => {
  it('agree with every applicable case of empyrical', () => {
    const file = load('metrics-empyrical.json');
    if (file === null) return;
    const cases = file.cases as readonly EmpyricalCase[];
    const missed: string[] = [];
    for (const test of cases) {
      const outcome = empyrical(file.inputs as Inputs, test);
      if (outcome === null) missed.push(test.metric);
      else
        close(
          outcome.actual,
          outcome.expected === undefined ? expectedOf(test.expected) : outcome.expected,
          test.abs_tol,
          test.id,
        );
    }
    tally('empyrical', cases, missed);
    assert.ok(cases.length - missed.length >= 140);
  });

  it('agree with every applicable case of NautilusTrader', () => {
    const file = load('metrics-nautilus.json');
    if (file === null) return;
    const cases = file.cases as readonly NautilusCase[];
    const missed: string[] = [];
    for (const test of cases) {
      const outcome = nautilus(test);
      if (outcome === null) missed.push(test.metric);
      else
        close(
          outcome.actual,
          outcome.expected === undefined ? expectedOf(test.expected) : outcome.expected,
          test.abs_tol ?? 0,
          test.id,
        );
    }
    tally('NautilusTrader', cases, missed);
    assert.ok(cases.length - missed.length >= 100);
  });

  it('compound returns of one UTC day into one', () => {
    const { days } = seriesFigures({ returns: [0.05, -0.05, 0.01], timestamps: [0, 3_600_000, dayMs] });
    assert.equal(days.n, 2);
    assert.ok(Math.abs((days.values()[0] ?? 0) + 0.0025) < 1e-12);
  });
});
