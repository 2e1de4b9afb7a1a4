/** Evaluating strategies: bar types on a closed bar, tick types on every tick, each evaluation counted exactly once. */
import type { DecisionCode } from '../domain/decision';
import { limits } from '../domain/limits';
import type { Regime } from '../domain/regime';
import type { Tick } from '../domain/tick';
import { timeframeOf } from '../domain/timeframe';
import type { RegimeFigures } from '../market/history';
import type { ClosedBar } from '../market/market';
import { unknownRegime } from '../market/regime';
import { count } from '../risk/decision-log';
import { decided, type Moment, propose, words } from '../risk/propose';
import type { BarGroup, CoreState, SymbolRuntime } from '../state';
import { clearSlot, type Running } from './running';
import { type BarStrategyDefinition, type StepCode, stepCode } from './strategy';

/** Bits of `Effects.tiers`. */
export const tierBits = { fast: 1, tactical: 2, strategic: 4 } as const;

const silence: Readonly<Record<number, DecisionCode>> = {
  [stepCode.WARMING]: 'warming_up',
  [stepCode.HOLD]: 'no_setup',
  [stepCode.REGIME]: 'regime_filter',
  [stepCode.MISSING]: 'missing_input',
};

/** What a step may know of its position and of its series' regime when the bar closed. */
export function setContext(running: Running, regime: RegimeFigures): void {
  const { context, book } = running;
  const mine = !running.managesOnly || book.strategyVersion === running.version.version;
  const held = mine ? book.exposure : 0;
  if (held === 0) context.age = 0;
  else context.age++;
  context.exposure = held;
  context.entryPrice = held === 0 ? 0 : book.entryPrice;
  context.trendT = regime.trendT ?? 0;
  context.volatilityRatio = regime.volatilityRatio ?? 1;
}

/** Every bar strategy of a series whose bar just closed. */
export function onBar(
  core: CoreState,
  symbol: SymbolRuntime,
  group: BarGroup,
  closed: ClosedBar,
  source: string,
): void {
  const { bar, regime } = closed;
  const tier = (timeframeOf(bar.timeframe)?.ms ?? 0) > 60_000 ? tierBits.strategic : tierBits.tactical;
  core.effects.tiers |= tier;
  const at: Moment = {
    timestampMs: bar.endMs,
    price: bar.close,
    priceKind: 'close',
    source,
    bar,
    conflated: bar.conflated,
    regime,
  };
  for (const running of [...group.instances]) {
    if (running.definition.data === 'bars') stepBar(core, symbol, running, running.definition, at, closed);
  }
}

function stepBar(
  core: CoreState,
  symbol: SymbolRuntime,
  running: Running,
  definition: BarStrategyDefinition,
  at: Moment,
  { bar, regime }: ClosedBar,
): void {
  const { slot } = core.scratch;
  setContext(running, regime);
  clearSlot(slot);
  let code: StepCode;
  try {
    code = definition.step(running.state, bar, running.parameters, running.context, slot);
  } catch (error) {
    failed(core, running, at, error);
    return;
  }
  if (code === stepCode.PROPOSE) propose(core, symbol, running, slot, at);
  else silent(core, running, code, at);
  running.lastCode = code;
}

/** A user's own type threw: it is silent and says why, once in a row; nobody else is disturbed. */
function failed(core: CoreState, running: Running, at: Moment, error: unknown, isCounted = true): void {
  if (isCounted) count(running.strategy.log, 'missing_input');
  if (running.lastCode !== stepCode.MISSING) {
    decided(
      core,
      running,
      at,
      'missing_input',
      `the strategy failed: ${String(error).slice(0, limits.receivedChars)}`,
      null,
    );
  }
  running.lastCode = stepCode.MISSING;
}

function silent(core: CoreState, running: Running, code: StepCode, at: Moment): void {
  const name = silence[code] as DecisionCode;
  count(running.strategy.log, name);
  if (code === running.lastCode || (code === stepCode.HOLD && running.lastCode !== stepCode.WARMING)) return;
  decided(core, running, at, name, silenceText(core, running, code), null);
}

function silenceText(core: CoreState, running: Running, code: StepCode): string {
  const { definition, parameters } = running;
  if (code === stepCode.WARMING) return `warming up: ${definition.warmup(parameters)} ${definition.data} needed`;
  if (code === stepCode.HOLD) return 'warm; no setup yet';
  return words(running, core.scratch.slot);
}

/** A symbol's regime where no timeframe is meant: that of its shortest time bars that a strategy follows. */
export function headlineRegime(symbol: SymbolRuntime): Regime {
  const { series } = symbol.market;
  return (series.find((one) => one.timeframe.ms > 0) ?? series[0])?.regime ?? unknownRegime;
}

/** Every tick strategy of a symbol, one written loop per type. */
export function onTick(core: CoreState, symbol: SymbolRuntime, tick: Tick): void {
  const { proposals } = core.scratch;
  symbol.ticks++;
  core.effects.tiers |= tierBits.fast;
  for (const group of symbol.tickGroups) {
    proposals.length = 0;
    try {
      group.run(group.instances, tick, proposals);
    } catch (error) {
      for (const running of group.instances) tickFailed(core, symbol, running, tick, error);
      continue;
    }
    if (proposals.length > 0) takeProposals(core, symbol, group.instances, tick);
  }
}

/** One loop runs all instances of a type: none of them has an answer to this tick. While warming up that is counted. */
function tickFailed(core: CoreState, symbol: SymbolRuntime, running: Running, tick: Tick, error: unknown): void {
  const seen = symbol.ticks - running.ticksBefore + running.settledTicks;
  const isWarm = seen > running.definition.warmup(running.parameters);
  if (isWarm) running.proposals++;
  failed(core, running, momentOf(symbol, tick), error, isWarm);
}

function momentOf(symbol: SymbolRuntime, tick: Tick): Moment {
  return {
    timestampMs: tick.timestampMs,
    price: tick.price,
    priceKind: tick.quote === null ? 'last' : 'mid',
    source: tick.source,
    bar: null,
    conflated: false,
    regime: headlineRegime(symbol),
  };
}

function takeProposals(core: CoreState, symbol: SymbolRuntime, instances: readonly Running[], tick: Tick): void {
  const { proposals } = core.scratch;
  const at = momentOf(symbol, tick);
  for (let i = 0; i < proposals.length; i++) {
    const running = instances[proposals.indexes[i] as number] as Running;
    running.proposals++;
    propose(core, symbol, running, proposals.slots[i] as (typeof proposals.slots)[number], at);
  }
}

/**
 * Counts the evaluations of tick strategies since they were last settled: what was neither warming nor a proposal was
 * "hold". Done where the funnel is read, so that a tick costs no counter per strategy.
 */
export function settle(symbol: SymbolRuntime): void {
  for (const group of symbol.tickGroups) {
    for (const running of group.instances) {
      const seen = symbol.ticks - running.ticksBefore;
      const warmup = group.definition.warmup(running.parameters);
      const warming = Math.max(0, Math.min(seen, warmup - running.settledTicks));
      count(running.strategy.log, 'warming_up', warming);
      count(running.strategy.log, 'no_setup', seen - warming - running.proposals);
      running.settledTicks += seen;
      running.ticksBefore = symbol.ticks;
      running.proposals = 0;
    }
  }
}
