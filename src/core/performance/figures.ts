/** What metrics are computed from: figures of trades, of equity and of days, as numbers in the unit of their basis. */

/** Why a metric is `null`. */
export const reasons = {
  no_trades: 'nothing was traded',
  no_wins: 'no trade won',
  no_losses: 'nothing was lost',
  too_few: 'too few observations',
  zero_variance: 'every observation is the same',
  no_capital_base: 'no capital is known, so there are no fractions',
  ruin: 'equity fell to 0 or below',
  no_benchmark: 'no benchmark was given',
  no_timestamps: 'the values came without times',
  too_short: 'less than 90 days',
  mixed_currencies: 'several currencies and no rate between them',
  not_retained: 'executions it needs are no longer kept one by one',
  not_finite: 'beyond what a number can hold',
  no_edge: 'the Sharpe ratio is not positive',
} as const;
export type Reason = keyof typeof reasons;

export interface TradeFigures {
  readonly executions: number;
  readonly successes: number;
  readonly unfilled: number;
  /** Sum over executions. */
  readonly timeMs: number;
  readonly trades: number;
  readonly wins: number;
  readonly losses: number;
  readonly total: number;
  readonly sumWins: number;
  /** Negative or zero, as `largestLoss`. */
  readonly sumLosses: number;
  /** Sample standard deviation of P&L per trade; 0 below two. */
  readonly deviation: number;
  readonly largestWin: number;
  readonly largestLoss: number;
  readonly maxWinsInRow: number;
  readonly maxLossesInRow: number;
}

export interface EquityFigures {
  /** End over start − 1; `null` without capital. */
  readonly totalReturn: number | null;
  /** In money; of bare returns, in units of the first equity. */
  readonly total: number;
  readonly drawdownAmount: number;
  readonly currentDrawdownAmount: number;
  /** Positive fractions of the peak; `null` without capital. */
  readonly drawdown: number | null;
  readonly currentDrawdown: number | null;
  /** Longest spell under a peak, an open one included; `null` without times. */
  readonly drawdownDurationMs: number | null;
}

export interface DayFigures {
  /** Periods of the series: days inside the life, unless it came with its own periods. */
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation (n − 1). */
  readonly deviation: number;
  /** √(Σ min(x, 0)² / n). */
  readonly downside: number;
  /** The series, oldest first. */
  values(): Float64Array;
}

/** Returns of the periods that the series and its benchmark both have, in order. */
export interface Benchmark {
  readonly own: Float64Array;
  readonly its: Float64Array;
}

export interface Figures {
  /** `money`: days are in currency units; `capital`: they are fractions of equity. */
  readonly basis: 'money' | 'capital';
  /** Returns multiply (a series of returns) rather than add up on a fixed base. */
  readonly compounds: boolean;
  /** False for bare returns, where nothing is an amount. */
  readonly hasMoney: boolean;
  readonly trades: TradeFigures;
  readonly equity: EquityFigures;
  readonly days: DayFigures;
  readonly benchmark: Benchmark | null;
  readonly periodsPerYear: number;
  /** Annual; 0 in money, where there is no base it could be earned on. */
  readonly riskFreeAnnual: number;
  /** Calendar time the figures cover; `null` without times. */
  readonly spanMs: number | null;
  readonly isMixed: boolean;
  /** Streaks and drawdown amounts are known. */
  readonly isOrderKnown: boolean;
  /** Drawdown as a fraction is known. */
  readonly isFractionKnown: boolean;
  /** Everything asked for is retained. */
  readonly isComplete: boolean;
}

/** The risk-free rate of one period, deannualised geometrically. */
export function riskFreePerPeriod(figures: Figures): number {
  return figures.riskFreeAnnual === 0 ? 0 : (1 + figures.riskFreeAnnual) ** (1 / figures.periodsPerYear) - 1;
}

const yearMs = 365.25 * 86_400_000;
const shortMs = 90 * 86_400_000;

/** Years of 365.25 days; `null` under 90 days, where an annual figure would say nothing. */
export function yearsOf(figures: Figures): number | null {
  return figures.spanMs === null || figures.spanMs < shortMs ? null : figures.spanMs / yearMs;
}

/** Whether a deviation is nothing but rounding, for values of this size. */
export function isFlat(deviation: number, size: number): boolean {
  return deviation <= 1e-14 * Math.abs(size);
}
