/** From what a strategy wants to what may be done: every gate in its order, each refusal with its name and words. */
import type { DecisionCode } from '../domain/decision';
import type { Intent } from '../domain/signal';
import type { StrategyState } from '../domain/strategy';
import type { Book } from '../execution/book';
import type { CommonParameters, IntentSlot } from '../strategies/strategy';
import { type RiskSettings, sizeOf } from './sizing';

/** What the gates know beside the proposal. */
export interface GateContext {
  readonly timestampMs: number;
  readonly price: number;
  readonly parameters: CommonParameters;
  readonly state: StrategyState;
  readonly allowShort: boolean;
  /** An older version that only manages its open trade. */
  readonly managesOnly: boolean;
  /** The open trade is an older version's, which manages it to its end. */
  readonly isManagedByOlder?: boolean;
  /** How long ago the data arrived, and how long ago is too long. */
  readonly dataAgeMs: number;
  readonly maxAgeMs: number;
  readonly risk: RiskSettings;
  /** Of the whole engine, before this proposal. */
  readonly openPositions: number;
  readonly totalExposure: number;
  /** Tracked P&L of the decision's UTC day, in money; `null` when no limit asks for it. */
  readonly dayPnl: number | null;
}

export type Verdict =
  | { readonly kind: 'no'; readonly code: DecisionCode; readonly text: string }
  | {
      readonly kind: 'act';
      readonly intent: Intent;
      readonly targetExposure: number;
      readonly riskRatio: number;
    };

const no = (code: DecisionCode, text: string): Verdict => ({ kind: 'no', code, text });

/**
 * The gates in order: what it would change → paused → cooldown → threshold → shorting → age of the data → limits →
 * size. Leaving a position passes every gate but the age of the data: a rule that keeps a loser open is not a limit.
 */
export function judge(proposal: IntentSlot, book: Book, gate: GateContext): Verdict {
  const held = Math.sign(book.pending === null ? book.exposure : book.pending.targetExposure);
  const wants = proposal.side;
  if (gate.isManagedByOlder === true) return no('already_positioned', 'an older version manages the open trade');
  if (wants === 0 || (held !== 0 && wants !== held && (!canOpen(wants, gate) || gate.managesOnly))) {
    return leaving(held, gate);
  }
  if (gate.managesOnly) return no('already_positioned', 'an older version manages the open trade');
  if (wants === held && proposal.add !== 1) return no('already_positioned', `already ${side(held)}`);
  return entering(proposal, book, held, gate);
}

function canOpen(wants: number, gate: GateContext): boolean {
  return wants > 0 || gate.allowShort;
}

function leaving(held: number, gate: GateContext): Verdict {
  if (held === 0) return no('no_setup', 'nothing to close');
  if (gate.dataAgeMs > gate.maxAgeMs) return stale(gate);
  return { kind: 'act', intent: 'close', targetExposure: 0, riskRatio: 0 };
}

function entering(proposal: IntentSlot, book: Book, held: number, gate: GateContext): Verdict {
  const { parameters, risk } = gate;
  if (gate.state === 'paused') return no('paused', 'the strategy is paused');
  if (gate.timestampMs < book.cooldownUntilMs) {
    return no('cooldown', `cooling down for another ${seconds(book.cooldownUntilMs - gate.timestampMs)}`);
  }
  if (proposal.confidence < parameters.confidenceThreshold) {
    const text = `confidence ${proposal.confidence.toFixed(2)} below ${parameters.confidenceThreshold.toFixed(2)}`;
    return no('below_threshold', text);
  }
  if (!canOpen(proposal.side, gate)) return no('short_not_allowed', 'a short entry, and shorting is off');
  if (gate.dataAgeMs > gate.maxAgeMs) return stale(gate);
  const limit = limitReached(held, gate);
  if (limit !== null) return no('risk_limit', limit);
  const stop = proposal.stopLoss === 0 ? null : proposal.stopLoss;
  const size = sizeOf(gate.price, stop, proposal.volatilityRatio, parameters.riskTolerance, risk);
  const before = proposal.add === 1 && held === proposal.side ? Math.abs(book.exposure) : 0;
  const target = Math.min(risk.maxExposure, before + size.exposure);
  if (size.exposure === 0) return no('risk_limit', 'risk_tolerance is 0: nothing may be risked');
  if (target <= before) return no('risk_limit', `the position is at its largest exposure ${risk.maxExposure}`);
  const others = gate.totalExposure - Math.abs(book.exposure);
  if (others + target > risk.maxTotalExposure) {
    return no('risk_limit', `total exposure would be ${(others + target).toFixed(2)}, over ${risk.maxTotalExposure}`);
  }
  const riskRatio = (size.riskRatio * (target - before)) / size.exposure;
  return { kind: 'act', intent: intentOf(held, proposal.side), targetExposure: proposal.side * target, riskRatio };
}

function limitReached(held: number, gate: GateContext): string | null {
  const { risk } = gate;
  if (risk.dailyLossLimit !== null && gate.dayPnl !== null && gate.dayPnl <= -risk.dailyLossLimit) {
    return `the day's loss ${(-gate.dayPnl).toFixed(2)} reached its limit ${risk.dailyLossLimit}`;
  }
  if (held === 0 && gate.openPositions >= risk.maxOpenPositions) {
    return `${gate.openPositions} positions are open, the limit is ${risk.maxOpenPositions}`;
  }
  return null;
}

function intentOf(held: number, wants: number): Intent {
  if (held === 0) return 'open';
  return held === wants ? 'add' : 'reverse';
}

function stale(gate: GateContext): Verdict {
  return no('stale_data', `the data arrived ${seconds(gate.dataAgeMs)} ago, the limit is ${seconds(gate.maxAgeMs)}`);
}

function side(sign: number): string {
  return sign > 0 ? 'long' : 'short';
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
