/**
 * The step of `force_adaptation`: a stated rule that moves two parameters, each at most a tenth of its range, from the
 * measured regime and from the one the caller claims.
 *
 * | condition | `confidence_threshold` | `risk_tolerance` |
 * |---|---|---|
 * | volatility high | +1 | −1 |
 * | volatility low | −1 | +1 |
 * | trend strong: families that follow trends (`trend_following`, `htf`) | −1 | |
 * | trend strong: families that fade moves (`statistical_arbitrage`, `market_making`) | +1 | |
 * | trend weak | the reverse of strong | |
 * | recent trades lose (mean P&L more than one standard error below 0, at least 30 trades) | +1 | −1 |
 *
 * One point is a twentieth of the parameter's range, two or more are the full tenth. A condition that is both measured
 * and claimed is the mean of the two, so a claim the market contradicts moves nothing by itself; one that is only known
 * one way counts as it is. While recent trades lose, risk is never raised. When no points are left over for a parameter
 * (normal volatility, moderate trend) it goes back towards its default by at most one point.
 *
 * A claim as a number from 0 to 1 is a label: below 1/3 low or weak, above 2/3 high or strong, else normal or moderate.
 */
import type { ForceAdaptationInput } from '../domain/bodies';
import type { Regime, TrendLabel, VolatilityLabel } from '../domain/regime';
import type { Parameters } from '../domain/strategy';
import { snakeName } from '../strategies/parameters';

/** Time between two forced steps of one strategy, in ms. */
export const forcedCooldownMs = 60_000;
/** Share of a parameter's range that one point, and at most one step, moves it. */
const pointShare = 0.05;
const stepShare = 0.1;
/** Less than this share of the range is no change. */
const leastShare = 1e-6;
/** Fewer trades say nothing about recent performance. */
const recentTrades = 30;

/** A numeric parameter as its JSON Schema has it. */
export interface ParameterBounds {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

/** P&L per trade of the recent past, net. */
export interface RecentPerformance {
  readonly trades: number;
  readonly meanPnl: number;
  /** Standard error of the mean. */
  readonly standardError: number;
}

export interface Conditions {
  readonly volatility: VolatilityLabel | null;
  readonly trendStrength: TrendLabel | null;
}

export interface StepInput {
  readonly family: string;
  /** Bounds by parameter name. */
  readonly bounds: Readonly<Record<string, ParameterBounds>>;
  /** All parameters in force. */
  readonly parameters: Parameters;
  /** Of what the strategy trades; `null` when nothing is measured. */
  readonly measured: Regime | null;
  readonly claimed: ForceAdaptationInput['marketConditions'] | null;
  readonly recent: RecentPerformance | null;
  readonly rails: Rails;
}

export interface Rails {
  readonly nowMs: number;
  /** Why learning is frozen, or `null` when it is not. */
  readonly frozen: string | null;
  /** When the last forced step of this strategy was applied; `null`: never. */
  readonly lastForcedMs: number | null;
}

export interface ParameterChange {
  readonly from: number;
  readonly to: number;
  readonly bounds: readonly [number, number];
  /** The most one step moves this parameter. */
  readonly maxStep: number;
  /** A bound cut the step short. */
  readonly clipped: boolean;
}

export type StepReason = 'forced' | 'frozen' | 'cooldown' | 'stress' | 'unchanged';

export interface Step {
  /** False when a rail refused or nothing would change; `to` is `from` then. */
  readonly isRefused: boolean;
  /** All parameters before and after. */
  readonly from: Parameters;
  readonly to: Parameters;
  readonly changes: Readonly<Record<string, ParameterChange>>;
  readonly reason: { readonly code: StepReason; readonly text: string };
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Conditions as sent, as labels. */
export function claimedConditions(claimed: StepInput['claimed']): Conditions {
  return {
    volatility: labelOf(claimed?.volatility, ['low', 'normal', 'high']),
    trendStrength: labelOf(claimed?.trendStrength, ['weak', 'moderate', 'strong']),
  };
}

function labelOf<L extends string>(value: L | number | undefined, labels: readonly [L, L, L]): L | null {
  if (value === undefined) return null;
  if (typeof value === 'string') return value;
  if (value < 1 / 3) return labels[0];
  return value > 2 / 3 ? labels[2] : labels[1];
}

/** One step, or why there is none. Pure: applying it is an event of the log. */
export function proposeStep(input: StepInput): Step {
  const claimed = claimedConditions(input.claimed);
  const measured: Conditions = {
    volatility: input.measured?.volatility ?? null,
    trendStrength: input.measured?.trendStrength ?? null,
  };
  const { points, words } = judge(input, measured, claimed);
  const refusal = railOf(input);
  const changes = refusal === null ? changesOf(input, points) : {};
  const evidence = evidenceOf(input, measured, claimed, changes, refusal);
  const unmoved = { from: input.parameters, to: input.parameters, changes: {}, evidence };
  if (refusal !== null) return { isRefused: true, ...unmoved, reason: refusal };
  const names = Object.keys(changes);
  if (names.length === 0) {
    const text = `nothing to change: ${words}; the parameters are at their bounds or defaults`;
    return { isRefused: true, ...unmoved, reason: { code: 'unchanged', text } };
  }
  const moved = Object.fromEntries(names.map((name) => [name, changes[name]?.to]));
  const text = `${words}: ${names.map((name) => tell(name, changes[name] as ParameterChange)).join(', ')}`;
  const to = { ...input.parameters, ...moved };
  return { isRefused: false, from: input.parameters, to, changes, reason: { code: 'forced', text }, evidence };
}

function tell(name: string, { from, to }: ParameterChange): string {
  return `${snakeName(name)} ${to > from ? 'up' : 'down'} from ${from} to ${to}`;
}

function railOf({ rails, measured }: StepInput): Step['reason'] | null {
  if (rails.frozen !== null)
    return { code: 'frozen', text: `learning is frozen: ${rails.frozen || 'no reason given'}` };
  const sinceMs = rails.lastForcedMs === null ? null : rails.nowMs - rails.lastForcedMs;
  if (sinceMs !== null && sinceMs < forcedCooldownMs) {
    const waitS = Math.ceil((forcedCooldownMs - sinceMs) / 1_000);
    return { code: 'cooldown', text: `the last forced step was ${Math.floor(sinceMs / 1_000)} s ago; wait ${waitS} s` };
  }
  if (measured?.label === 'stress') return { code: 'stress', text: 'the market is in stress: no parameter is changed' };
  return null;
}

interface Points {
  readonly confidenceThreshold: number;
  readonly riskTolerance: number;
}

const volatilityPoint: Readonly<Record<VolatilityLabel, number>> = { low: -1, normal: 0, high: 1 };
const trendPoint: Readonly<Record<TrendLabel, number>> = { weak: -1, moderate: 0, strong: 1 };
/** What a strong trend does to the threshold. */
const familyPoint: ReadonlyMap<string, number> = new Map([
  ['trend_following', -1],
  ['htf', -1],
  ['statistical_arbitrage', 1],
  ['market_making', 1],
]);

function judge(input: StepInput, measured: Conditions, claimed: Conditions): { points: Points; words: string } {
  const volatility = blend(measured.volatility, claimed.volatility, volatilityPoint);
  const trend = blend(measured.trendStrength, claimed.trendStrength, trendPoint) * (familyPoint.get(input.family) ?? 0);
  const losing = isLosing(input.recent);
  const loss = losing ? 1 : 0;
  const risk = -volatility - loss;
  const words = [
    `volatility ${both(measured.volatility, claimed.volatility)}`,
    `trend ${both(measured.trendStrength, claimed.trendStrength)}`,
    ...(losing ? ['recent trades lose'] : []),
  ];
  return {
    points: { confidenceThreshold: volatility + trend + loss, riskTolerance: losing ? Math.min(0, risk) : risk },
    words: words.join(', '),
  };
}

function blend<L extends string>(measured: L | null, claimed: L | null, points: Readonly<Record<L, number>>): number {
  if (measured === null) return claimed === null ? 0 : points[claimed];
  return claimed === null ? points[measured] : (points[measured] + points[claimed]) / 2;
}

function both(measured: string | null, claimed: string | null): string {
  if (measured === null) return claimed === null ? 'unknown' : `${claimed} (claimed, not measured)`;
  if (claimed === null) return `${measured} (measured)`;
  return claimed === measured ? `${measured} (measured and claimed)` : `${measured} (measured; claimed ${claimed})`;
}

function isLosing(recent: RecentPerformance | null): boolean {
  return recent !== null && recent.trades >= recentTrades && recent.meanPnl < -recent.standardError;
}

function changesOf(input: StepInput, points: Points): Record<string, ParameterChange> {
  const changes: Record<string, ParameterChange> = {};
  const losing = isLosing(input.recent);
  for (const name of ['confidenceThreshold', 'riskTolerance'] as const) {
    const change = changeOf(
      input.parameters[name],
      input.bounds[name],
      points[name],
      name === 'riskTolerance' && losing,
    );
    if (change !== null) changes[name] = change;
  }
  return changes;
}

function changeOf(
  value: unknown,
  bounds: ParameterBounds | undefined,
  points: number,
  neverUp: boolean,
): ParameterChange | null {
  if (typeof value !== 'number' || bounds?.minimum === undefined || bounds.maximum === undefined) return null;
  const { minimum, maximum } = bounds;
  const range = maximum - minimum;
  const maxStep = range * stepShare;
  const home = typeof bounds.default === 'number' ? bounds.default : value;
  const shift =
    points === 0
      ? clamp(home - value, -range * pointShare, range * pointShare)
      : clamp(points * range * pointShare, -maxStep, maxStep);
  const wanted = value + shift;
  const near = rounded(clamp(wanted, minimum, maximum), range, bounds.type === 'integer', value);
  const to = clamp(near, minimum, maximum);
  if (Math.abs(to - value) < range * leastShare || (neverUp && to > value)) return null;
  return { from: value, to, bounds: [minimum, maximum], maxStep, clipped: wanted < minimum || wanted > maximum };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Whole numbers are rounded towards where they came from, so a step is never longer than allowed. */
function rounded(value: number, range: number, isInteger: boolean, from: number): number {
  if (isInteger) return value > from ? Math.floor(value) : Math.ceil(value);
  const digits = Math.max(0, 9 - Math.ceil(Math.log10(range)));
  return Number(value.toFixed(Math.min(digits, 20)));
}

function evidenceOf(
  { measured: regime, recent }: StepInput,
  measured: Conditions,
  claimed: Conditions,
  changes: Readonly<Record<string, ParameterChange>>,
  refusal: Step['reason'] | null,
): Readonly<Record<string, unknown>> {
  const about = regime && {
    marketRegime: regime.label,
    volatilityRatio: regime.volatilityRatio,
    trendT: regime.trendT,
    bars: regime.bars,
    warm: regime.bars >= regime.warmupBars,
  };
  return {
    regime: { measured: { ...measured, ...about }, claimed, agrees: agrees(measured, claimed) },
    changes,
    recent,
    guardrails: refusal === null ? [] : [refusal.code],
  };
}

/** `null` where nothing is both measured and claimed. */
function agrees(measured: Conditions, claimed: Conditions): boolean | null {
  const pairs = [
    [measured.volatility, claimed.volatility],
    [measured.trendStrength, claimed.trendStrength],
  ].filter(([m, c]) => m !== null && c !== null);
  return pairs.length === 0 ? null : pairs.every(([m, c]) => m === c);
}
