/** The one way from a proposal to a signal: judge, size, place the virtual order, tell it; or say why not. */

import type { Bar } from '../domain/bar';
import type { DecisionCode } from '../domain/decision';
import type { Regime } from '../domain/regime';
import type { Action, FamilyMember, Intent, SignalDraft } from '../domain/signal';
import { timeframeOf } from '../domain/timeframe';
import { type Book, type Exit, heldUnits, place } from '../execution/book';
import { dayPnl } from '../performance/ledger';
import type { CoreState, SymbolRuntime } from '../state';
import { isManagedByOlder } from '../strategies/on-symbol';
import type { Running, StrategyRuntime } from '../strategies/running';
import { say } from '../strategies/standing';
import type { IntentSlot } from '../strategies/strategy';
import { count, keep } from './decision-log';
import { judge } from './gates';
import { signalIdOf } from './signal-id';

/** A tick strategy's signal is worth this long; a bar strategy's two of its bars, at least this long. */
const tickSignalMs = 5_000;

/** Where and on what a proposal was made. */
export interface Moment {
  readonly timestampMs: number;
  readonly price: number;
  readonly priceKind: SignalDraft['priceKind'];
  readonly source: string;
  readonly bar: Bar | null;
  readonly conflated: boolean;
  readonly regime: Regime | null;
}

function maxSignalAgeMs(timeframe: string): number {
  const ms = timeframe === '' ? 0 : (timeframeOf(timeframe)?.ms ?? 0);
  return Math.max(tickSignalMs, 2 * ms);
}

/** Takes a proposal through the gates. Counts exactly one outcome of the evaluation. */
export function propose(core: CoreState, symbol: SymbolRuntime, running: Running, slot: IntentSlot, at: Moment): void {
  const { strategy, book } = running;
  const { settings } = core;
  const verdict = judge(slot, book, {
    timestampMs: at.timestampMs,
    price: at.price,
    parameters: running.parameters,
    state: strategy.version.state,
    allowShort: strategy.record.allowShort,
    managesOnly: running.managesOnly,
    isManagedByOlder: isManagedByOlder(symbol, running),
    dataAgeMs: core.dataAgeMs,
    maxAgeMs: maxSignalAgeMs(running.timeframe),
    risk: settings.risk,
    openPositions: core.openPositions,
    totalExposure: core.totalExposure,
    dayPnl: settings.risk.dailyLossLimit === null ? null : dayPnl(core.ledger, at.timestampMs),
  });
  if (verdict.kind === 'no') {
    count(strategy.log, verdict.code);
    decided(core, running, at, verdict.code, `${words(running, slot)}; ${verdict.text}`, null);
    return;
  }
  const signal = entrySignal(core, symbol, running, slot, at, verdict);
  const shadow = strategy.version.state === 'shadow';
  count(strategy.log, shadow ? 'shadow' : 'signal');
  order(core, symbol, running, signal);
  const code: DecisionCode = shadow ? 'shadow' : 'signal';
  decided(core, running, at, code, signal.reasons.join('; '), signal.signalId);
  if (!shadow) emit(core, strategy, signal);
}

/** What the strategy said, in words with its values. */
export function words(running: Running, slot: IntentSlot): string {
  const { type, reasons } = running.definition;
  try {
    return reasons[slot.reason]?.(slot.a, slot.b, slot.c, slot.d) ?? type;
  } catch {
    // Words of a user's own type must not undo what it decided.
    return type;
  }
}

/** Keeps one decision and hands it to whoever listens. */
export function decided(
  core: CoreState,
  running: Running,
  at: Moment,
  code: DecisionCode,
  reason: string,
  signalId: string | null,
): void {
  const decision = {
    strategyId: running.strategy.record.strategyId,
    strategyVersion: running.version.version,
    symbol: running.book.symbol,
    timestampMs: at.timestampMs,
    code,
    reason,
    regime: at.regime?.label ?? ('unknown' as const),
    signalId,
  };
  keep(running.strategy.log, decision);
  core.effects.decisions.push(decision);
}

function order(core: CoreState, symbol: SymbolRuntime, running: Running, signal: SignalDraft): void {
  const { book } = running;
  if (book.source === 'assumed') {
    if (book.exposure === 0 && book.pending === null) symbol.live.push(book);
    reserve(core, book, signal.targetExposure);
  }
  place(book, {
    targetExposure: signal.targetExposure,
    quantity: signal.quantity,
    unitsAfter: unitsAfter(book, signal),
    stopLoss: signal.stopLoss,
    takeProfit: signal.takeProfit,
    signalId: signal.signalId,
    strategyVersion: running.version.version,
  });
  if (signal.intent !== 'close') book.cooldownUntilMs = signal.timestampMs + running.parameters.cooldownMs;
}

/** A reversal trades what it closes, too. */
function unitsAfter(book: Book, { intent, quantity }: SignalDraft): number | null {
  const held = heldUnits(book);
  if (quantity === null || held === null || intent === 'close') return null;
  return toUnits(intent === 'reverse' ? quantity - held : held + quantity);
}

/** Keeps the engine-wide sums in step with what a book will hold once its order is filled. */
export function reserve(core: CoreState, book: Book, target: number): void {
  const before = book.pending === null ? book.exposure : book.pending.targetExposure;
  core.totalExposure += Math.abs(target) - Math.abs(before);
  core.openPositions += (target === 0 ? 0 : 1) - (before === 0 ? 0 : 1);
  if (core.openPositions === 0) core.totalExposure = 0;
}

function emit(core: CoreState, strategy: StrategyRuntime, signal: SignalDraft): void {
  strategy.log.signals++;
  core.signalsTotal++;
  core.effects.signals.push(signal);
}

function actionOf(intent: Intent, side: number): Action {
  if (intent === 'close') return 'close';
  return side > 0 ? 'buy' : 'sell';
}

function entrySignal(
  core: CoreState,
  symbol: SymbolRuntime,
  running: Running,
  slot: IntentSlot,
  at: Moment,
  verdict: { readonly intent: Intent; readonly targetExposure: number; readonly riskRatio: number },
): SignalDraft {
  const { book, definition } = running;
  const closes = verdict.intent === 'close';
  const held = book.pending === null ? book.exposure : book.pending.targetExposure;
  const capital = running.strategy.record.capital ?? core.settings.capital;
  const members: readonly FamilyMember[] | undefined = definition.members?.(running.state, running.parameters);
  return {
    ...common(core, symbol, running, at),
    action: actionOf(verdict.intent, slot.side),
    confidence: slot.confidence,
    score: slot.score,
    price: at.price,
    priceKind: at.priceKind,
    size: verdict.riskRatio,
    stopLoss: closes || slot.stopLoss === 0 ? null : slot.stopLoss,
    takeProfit: closes || slot.takeProfit === 0 ? null : slot.takeProfit,
    reasons: [words(running, slot)],
    intent: verdict.intent,
    targetExposure: verdict.targetExposure,
    quantity: quantityOf(book, verdict, held, at.price, capital),
    ...(members === undefined ? {} : { members }),
    ...(book.signalId === null || verdict.intent === 'open' ? {} : { parentSignalId: book.signalId }),
  };
}

/** Units to trade: what closes is what is held, what opens is the new exposure's worth. */
function quantityOf(
  book: Book,
  { intent, targetExposure }: { readonly intent: Intent; readonly targetExposure: number },
  held: number,
  price: number,
  capital: number | null,
): number | null {
  const worth = (exposure: number) =>
    capital === null || price === 0 ? null : toUnits((Math.abs(exposure) * capital) / Math.abs(price));
  const units = heldUnits(book);
  if (units === null || intent === 'add' || intent === 'open') return worth(targetExposure - held);
  if (intent === 'close') return units;
  const opened = worth(targetExposure);
  return opened === null ? null : toUnits(units + opened);
}

/** To eight decimals. */
function toUnits(quantity: number): number {
  return Math.round(quantity * 1e8) / 1e8;
}

function common(core: CoreState, symbol: SymbolRuntime, running: Running, at: Moment) {
  const { record } = running.strategy;
  const { book, version } = running;
  book.ordinal++;
  return {
    signalId: signalIdOf(record.strategyId, version.version, book.symbol, at.timestampMs, book.ordinal),
    strategyId: record.strategyId,
    strategyType: record.strategyType,
    strategyVersion: version.version,
    symbol: book.symbol,
    confidenceBasis: 'uncalibrated' as const,
    regime: at.regime?.label ?? ('unknown' as const),
    timestampMs: at.timestampMs,
    source: at.source,
    assetType: symbol.assetType,
    currency: core.settings.currency,
    timeframe: running.timeframe === '' ? null : running.timeframe,
    barEndMs: at.bar?.endMs ?? null,
    validUntilMs: at.timestampMs + maxSignalAgeMs(running.timeframe),
    ...(at.conflated ? { conflated: true as const } : {}),
  };
}

/** A stop or target was hit: the position is flat already; this tells it, naming the entry. */
export function tellExit(core: CoreState, symbol: SymbolRuntime, running: Running, exit: Exit, at: Moment): void {
  const stop = exit.reason === 'stop_loss';
  const level = stop ? 'stop' : 'take profit';
  const signal: SignalDraft = {
    ...common(core, symbol, running, at),
    strategyVersion: exit.strategyVersion,
    action: 'close',
    confidence: 1,
    score: 0,
    price: exit.price,
    priceKind: stop ? 'stop' : 'take_profit',
    size: 0,
    stopLoss: null,
    takeProfit: null,
    reasons: [`${level} ${say(exit.level)} reached, entered at ${say(exit.entryPrice)}`],
    intent: 'close',
    targetExposure: 0,
    quantity: exit.quantity === null ? null : Math.abs(exit.quantity),
    ...(exit.signalId === null ? {} : { parentSignalId: exit.signalId }),
  };
  const shadow = running.strategy.version.state === 'shadow';
  decided(core, running, at, shadow ? 'shadow' : 'signal', signal.reasons.join('; '), signal.signalId);
  if (!shadow) emit(core, running.strategy, signal);
}
