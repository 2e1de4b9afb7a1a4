/** Every metric, in the order in which they are shown. A new one is a file here and a line below. */
import type { Figures, Reason } from '../figures';
import { alpha } from './alpha';
import { averageExecutionTimeMs } from './average-execution-time';
import { averageLoss } from './average-loss';
import { averagePnl } from './average-pnl';
import { averageWin } from './average-win';
import { beta } from './beta';
import { breakevenCount } from './breakeven-count';
import { cagr } from './cagr';
import { calmarRatio } from './calmar-ratio';
import { conditionalValueAtRisk } from './conditional-value-at-risk';
import { correlation } from './correlation';
import { currentDrawdown } from './current-drawdown';
import { currentDrawdownAmount } from './current-drawdown-amount';
import { downCapture } from './down-capture';
import { executions } from './executions';
import { expectancy } from './expectancy';
import { expectancyR } from './expectancy-r';
import { informationRatio } from './information-ratio';
import { kellyFraction } from './kelly-fraction';
import { kurtosis } from './kurtosis';
import { largestLoss } from './largest-loss';
import { largestWin } from './largest-win';
import { maxConsecutiveLosses } from './max-consecutive-losses';
import { maxConsecutiveWins } from './max-consecutive-wins';
import { maxDrawdown } from './max-drawdown';
import { maxDrawdownAmount } from './max-drawdown-amount';
import { maxDrawdownDurationMs } from './max-drawdown-duration';
import type { Metric } from './metric';
import { minimumTrackRecordLength } from './minimum-track-record-length';
import { omegaRatio } from './omega-ratio';
import { payoffRatio } from './payoff-ratio';
import { probabilisticSharpeRatio } from './probabilistic-sharpe-ratio';
import { profitFactor } from './profit-factor';
import { recoveryFactor } from './recovery-factor';
import { sharpeRatio } from './sharpe-ratio';
import { skewness } from './skewness';
import { sortinoRatio } from './sortino-ratio';
import { sqn } from './sqn';
import { stability } from './stability';
import { successRate } from './success-rate';
import { tailRatio } from './tail-ratio';
import { totalPnl } from './total-pnl';
import { totalReturn } from './total-return';
import { trackingError } from './tracking-error';
import { trades } from './trades';
import { treynorRatio } from './treynor-ratio';
import { ulcerIndex } from './ulcer-index';
import { ulcerPerformanceIndex } from './ulcer-performance-index';
import { unfilledCount } from './unfilled-count';
import { upCapture } from './up-capture';
import { valueAtRisk } from './value-at-risk';
import { valueAtRiskParametric } from './value-at-risk-parametric';
import { volatility } from './volatility';
import { winRate } from './win-rate';

export const metrics: readonly Metric[] = [
  totalPnl,
  executions,
  trades,
  unfilledCount,
  successRate,
  winRate,
  breakevenCount,
  averagePnl,
  expectancy,
  expectancyR,
  averageWin,
  averageLoss,
  largestWin,
  largestLoss,
  payoffRatio,
  profitFactor,
  maxConsecutiveWins,
  maxConsecutiveLosses,
  averageExecutionTimeMs,
  sqn,
  totalReturn,
  volatility,
  sharpeRatio,
  sortinoRatio,
  maxDrawdown,
  maxDrawdownAmount,
  maxDrawdownDurationMs,
  currentDrawdown,
  currentDrawdownAmount,
  recoveryFactor,
  cagr,
  calmarRatio,
  omegaRatio,
  ulcerIndex,
  ulcerPerformanceIndex,
  valueAtRisk,
  valueAtRiskParametric,
  conditionalValueAtRisk,
  tailRatio,
  kellyFraction,
  skewness,
  kurtosis,
  stability,
  probabilisticSharpeRatio,
  minimumTrackRecordLength,
];

/** Those that compare with a benchmark; told only where there is one. */
export const benchmarkMetrics: readonly Metric[] = [
  beta,
  alpha,
  correlation,
  trackingError,
  informationRatio,
  treynorRatio,
  upCapture,
  downCapture,
];

/** The metrics that one more execution can afford: none of them reads the whole series. */
export const quickMetrics: readonly Metric[] = metrics.filter((metric) => metric.isSlow !== true);

/** A metric's value, or why there is none. */
export function evaluate(metric: Metric, figures: Figures): number | Reason {
  if (!figures.isComplete) return 'not_retained';
  if (metric.need !== 'counts' && metric.need !== 'order' && figures.isMixed) return 'mixed_currencies';
  if (metric.unit === 'money' && !figures.hasMoney) return 'no_capital_base';
  if ((metric.need === 'order' || metric.need === 'drawdown') && !figures.isOrderKnown) return 'not_retained';
  const value = metric.value(figures);
  return typeof value === 'number' && !Number.isFinite(value) ? 'not_finite' : value;
}
